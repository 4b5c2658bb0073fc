"""What Arbor cannot do of a cell and its experiments, found before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmlopt.codegen.derived import placement_of
from nmlopt.errors import Issue
from nmlopt.experiment.model import Attached, Experiment, Output, VoltageClamp
from nmlopt.exporters.arbor.mod import ARBOR, inside, outside, solved_by
from nmlopt.ir.model import Cell, Mechanism, MechanismKind
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
        if mechanism.kind is not MechanismKind.INPUT:
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
    if dynamics.conditions and mechanism.kind is not MechanismKind.POOL:
        yield Issue("B046", f"'{name}' has conditions, which only pools may have here", hint=_NEURON)
    if solved_by(mechanism) == "derivimplicit":
        yield Issue("B047", f"a state of '{name}' is not linear in itself, which Arbor cannot integrate", hint=_NEURON)
    if mechanism.kind is MechanismKind.POOL:
        moving = {s.name for s in dynamics.states if s.derivative is not None}
        if outside(mechanism) in moving:
            yield Issue("B048", f"'{name}' changes the concentration outside, which Arbor keeps", hint=_NEURON)
        if inside(mechanism) not in moving:
            yield Issue("B049", f"the concentration of '{name}' is no state, which Arbor wants", hint=_NEURON)


def _experiments(cell: Cell, experiments: Sequence[Experiment]) -> Iterator[Issue]:
    for experiment in experiments:
        for stimulus in experiment.stimuli:
            if isinstance(stimulus, VoltageClamp):
                yield Issue("B050", f"experiment '{experiment.id}': Arbor has no voltage clamp", hint=_NEURON)
            elif isinstance(stimulus, Attached):
                message = f"experiment '{experiment.id}': the input '{stimulus.component}' cannot be attached in Arbor"
                yield Issue("B051", message, hint=_NEURON)
        for output in experiment.outputs:
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
