"""The generated POINT_PROCESS of each input component, and how it is bound and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nmlopt.codegen.nmodl import Interface, ModText, Writer
from nmlopt.codegen.nmodl_input import input_interface, input_text, kept_variables
from nmlopt.ir.model import Cell, Mechanism, MechanismKind


@dataclass(frozen=True, slots=True)
class InputPart:
    """One input component: its equations, its NEURON name, its variables.

    `kept` are assigned variables that the mechanism stores: numerics jneuroml records them as they are, a step old.
    """

    mechanism: Mechanism
    suffix: str
    interface: Interface
    kept: Mapping[str, str]


def input_parts(cell: Cell, *, lag: bool) -> tuple[InputPart, ...]:
    """The inputs that were compiled into a cell; their names still lack the tag of the build."""
    return tuple(_part(m, lag) for m in cell.mechanisms if m.kind is MechanismKind.INPUT)


def input_texts(parts: Iterable[InputPart], *, lag: bool) -> tuple[ModText, ...]:
    """The mods of inputs."""
    return tuple(input_text(Writer(part.mechanism, partial=False), part.suffix, lag=lag) for part in parts)


def _part(mechanism: Mechanism, lag: bool) -> InputPart:
    face = input_interface(Writer(mechanism, partial=False))
    kept = kept_variables(Writer(mechanism, partial=False)) if lag else {}
    return InputPart(mechanism, f"input_{mechanism.name}", face, kept)
