"""Point cells (placeholder while densities are brought up)."""

from __future__ import annotations
from nmlopt.codegen.nmodl import Interface, ModText, Writer


def point_text(writer: Writer, suffix: str, *, lag: bool) -> ModText:
    raise NotImplementedError


def point_interface(writer: Writer, *, lag: bool) -> Interface:
    raise NotImplementedError
