"""What the native kernel cannot do, found before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmlopt.codegen.c_text import C
from nmlopt.errors import Issue
from nmlopt.experiment.attached_checks import attached_exposures, unsupported_inputs
from nmlopt.experiment.model import Experiment, VoltageClamp
from nmlopt.ir.model import Cell, MechanismKind
from nmlopt.ir.passes import expressions
from nmlopt.lems.trees import functions


def unsupported(cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
    """Every obstacle in the cell and in the experiments (codes B111-B118, and those of attached inputs)."""
    return (*_cell(cell), *_experiments(cell, experiments))


def _cell(cell: Cell) -> Iterator[Issue]:
    for mechanism in cell.mechanisms:
        name = mechanism.name
        unknown = {f for expr in expressions(mechanism.dynamics) for f in functions(expr)} - set(C.functions)
        for function in sorted(unknown):
            yield Issue("B112", f"'{function}' in '{name}' has no counterpart in the native kernel", mechanism.where)
        if mechanism.dynamics.regimes and mechanism.kind is not MechanismKind.POINT_CELL:
            yield Issue("B113", f"'{name}' has regimes, which only point cells may have here", mechanism.where)
        if mechanism.dynamics.kinetics and (cell.geometry is None or mechanism.kind is MechanismKind.POOL):
            message = f"'{name}' has a kinetic scheme, which a {mechanism.kind} cannot have here"
            yield Issue("B111", message, mechanism.where, "use a <cell> of one segment instead of a point cell")


def _experiments(cell: Cell, experiments: Sequence[Experiment]) -> Iterator[Issue]:
    is_point = cell.geometry is None
    takes_input = any(not {"iSyn", "ISyn"}.isdisjoint(m.dynamics.inputs) for m in cell.mechanisms)
    for experiment in experiments:
        start = f"experiment '{experiment.id}'"
        if is_point and any(isinstance(s, VoltageClamp) for s in experiment.stimuli):
            yield Issue("B114", f"{start}: a point cell cannot be voltage-clamped")
        if is_point and experiment.stimuli and not takes_input:
            yield Issue("B118", f"{start}: the equations of '{cell.id}' have no input current")
        yield from unsupported_inputs(cell, experiment)
        yield from _outputs(cell, experiment, start)


def _outputs(cell: Cell, experiment: Experiment, start: str) -> Iterator[Issue]:
    exposed = {
        (f"{p.id}/{name}", compartment)
        for p in cell.placements
        for name, _ in cell.mechanism(p.mechanism).dynamics.exposures
        for compartment in p.compartments
    }
    known = {variable for variable, _ in exposed}
    of_inputs = attached_exposures(cell, experiment)
    for output in experiment.outputs:
        place = (output.variable, output.site.compartment)
        if output.variable in ("v", "i_clamp") or output.variable in of_inputs or place in exposed:
            continue
        if output.variable in known:
            yield Issue("B116", f"{start}: '{output.variable}' does not exist at compartment {place[1]}")
        else:
            yield Issue("B115", f"{start}: there is no variable '{output.variable}'")
