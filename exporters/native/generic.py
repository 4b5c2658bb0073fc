"""What the generic kernel needs to know of a program's cell, whose mechanisms are data to it."""

from __future__ import annotations

from functools import lru_cache

from nmlopt.backend import Program
from nmlopt.exporters.native.generic_cable import cable_model
from nmlopt.exporters.native.generic_point import point_model
from nmlopt.exporters.native.source import Kernel
from nmlopt.exporters.native.stimuli import Prepared

COMPILED = "kernel.c"
"""The name of a program's text that is compiled for it; those that the generic kernel runs have none."""


@lru_cache(maxsize=4)
def model_of(program: Program, kernel: Kernel) -> Prepared | None:
    """What the generic kernel needs beside the shape of a cell; None where the program has a kernel of its own."""
    if COMPILED in program.files:
        return None
    return point_model(kernel) if program.cell.geometry is None else cable_model(kernel)
