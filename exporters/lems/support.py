"""What LEMS cannot do of a cell and its experiments, found before anything is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmlopt.errors import Issue
from nmlopt.experiment.model import Experiment
from nmlopt.ir.model import Cell

_NEURON = "use --backend neuron"


def unsupported(cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
    """Every obstacle in the cell and in the experiments (codes B094-B099)."""
    return (*_cell(cell), *_experiments(cell, experiments))


def is_isopotential(cell: Cell) -> bool:
    """Whether jLEMS itself can run it: a point cell, or one compartment."""
    return cell.geometry is None or len(cell.geometry.compartments) == 1


def _cell(cell: Cell) -> Iterator[Issue]:
    if not is_isopotential(cell):
        message = f"'{cell.id}' has several compartments, which jLEMS does not have"
        yield Issue("B094", message, hint=_NEURON)


def _experiments(cell: Cell, experiments: Sequence[Experiment]) -> Iterator[Issue]:
    for experiment in experiments:
        if experiment.v_init_mV is not None and cell.geometry is None:
            message = f"experiment '{experiment.id}': v_init of a point cell ({cell.type}) cannot be set in LEMS"
            yield Issue("B095", message, hint="leave v_init out, or use --backend neuron")
