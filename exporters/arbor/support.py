"""What Arbor cannot do of a cell and its experiments, found before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmlopt.codegen.derived import placement_of
from nmlopt.errors import Issue
from nmlopt.experiment.attached_checks import attached_exposures, unsupported_inputs
from nmlopt.experiment.model import Experiment, Output
from nmlopt.exporters.arbor.mod_text import ARBOR
from nmlopt.ir.model import Cell, Mechanism
from nmlopt.ir.passes import expressions
from nmlopt.lems.trees import functions

_NEURON = "use --backend neuron"


def unsupported(cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
    """Every obstacle in the cell and in the experiments (codes B04x)."""
    return (*_cell(cell), *_experiments(cell, experiments))


def _cell(cell: Cell) -> Iterator[Issue]:
    if cell.geometry is None:
        yield Issue("B043", f"'{cell.id}' is a point cell ({cell.type}), which Arbor cannot be given", hint=_NEURON)
        return
    for mechanism in cell.mechanisms:
        yield from _mechanism(mechanism)


def _mechanism(mechanism: Mechanism) -> Iterator[Issue]:
    dynamics = mechanism.dynamics
    name = mechanism.name
    unknown = {f for expr in expressions(mechanism.dynamics) for f in functions(expr)} - set(ARBOR.functions)
    for function in sorted(unknown):
        yield Issue("B044", f"'{function}' in '{name}' has no counterpart in Arbor's NMODL", hint=_NEURON)
    if unknown:
        return
    if dynamics.regimes:
        yield Issue("B045", f"'{name}' has regimes, which Arbor has nothing for", hint=_NEURON)


def _experiments(cell: Cell, experiments: Sequence[Experiment]) -> Iterator[Issue]:
    for experiment in experiments:
        yield from unsupported_inputs(cell, experiment)
        of_inputs = attached_exposures(cell, experiment)
        for output in experiment.outputs:
            if output.variable not in of_inputs:
                yield from _output(cell, experiment, output)


def _output(cell: Cell, experiment: Experiment, output: Output) -> Iterator[Issue]:
    start = f"experiment '{experiment.id}'"
    if output.variable in ("v", "i_clamp"):
        return
    try:
        placement_of(cell, output.variable, output.site.compartment)
    except KeyError:
        exposures = {f"{p.id}/{n}" for p in cell.placements for n, _ in cell.mechanism(p.mechanism).dynamics.exposures}
        if output.variable in exposures:
            where = f"compartment {output.site.compartment}"
            yield Issue("B035", f"{start}: '{output.variable}' does not exist at {where}")
        else:
            yield Issue("B034", f"{start}: there is no variable '{output.variable}'")
