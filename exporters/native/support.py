"""What the native kernel cannot do, found before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmlopt.codegen.c_text import C
from nmlopt.errors import Issue
from nmlopt.experiment.model import Experiment
from nmlopt.ir.model import Cell, MechanismKind
from nmlopt.ir.passes import expressions
from nmlopt.lems.trees import functions

_NEURON = "use --backend neuron"


def unsupported(cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
    """Every obstacle in the cell and in the experiments (codes B11x)."""
    return (*_cell(cell), *_experiments(cell, experiments))


def _cell(cell: Cell) -> Iterator[Issue]:
    for mechanism in cell.mechanisms:
        unknown = {f for expr in expressions(mechanism.dynamics) for f in functions(expr)} - set(C.functions)
        for function in sorted(unknown):
            message = f"'{function}' in '{mechanism.name}' has no counterpart in the native kernel"
            yield Issue("B112", message, mechanism.where, _NEURON)
        if mechanism.dynamics.regimes and mechanism.kind is not MechanismKind.POINT_CELL:
            yield Issue(
                "B113", f"'{mechanism.name}' has regimes, which only point cells may have here", mechanism.where
            )


def _experiments(cell: Cell, experiments: Sequence[Experiment]) -> Iterator[Issue]:
    return iter(())
