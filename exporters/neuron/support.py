"""What the generated NEURON code cannot do, found before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmlopt.backend import Integrator, Numerics, Settings
from nmlopt.codegen.input_conditions import sorted_conditions
from nmlopt.codegen.nmodl import NMODL
from nmlopt.errors import Issue
from nmlopt.experiment.attached_checks import attached_exposures, unsupported_inputs
from nmlopt.experiment.model import Experiment, VoltageClamp
from nmlopt.exporters.neuron.bind import split_sections
from nmlopt.ir.model import Cell, MechanismKind
from nmlopt.ir.passes import expressions
from nmlopt.lems.trees import functions

_WITHOUT_KINETICS = (MechanismKind.POINT_CELL, MechanismKind.POOL, MechanismKind.INPUT)


def unsupported(cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
    """Every obstacle in the cell and in the experiments (codes B03x)."""
    return (*_cell(cell), *_experiments(cell, experiments))


def _cell(cell: Cell) -> Iterator[Issue]:
    for mechanism in cell.mechanisms:
        unknown = {f for expr in expressions(mechanism.dynamics) for f in functions(expr)} - set(NMODL.functions)
        for function in sorted(unknown):
            yield Issue(
                "B030", f"'{function}' in '{mechanism.name}' has no counterpart in generated NMODL", mechanism.where
            )
        if mechanism.dynamics.regimes and mechanism.kind is not MechanismKind.POINT_CELL:
            message = f"'{mechanism.name}' has regimes, which only point cells may have here"
            yield Issue("B031", message, mechanism.where)
        if mechanism.dynamics.kinetics and mechanism.kind in _WITHOUT_KINETICS:
            message = f"'{mechanism.name}' has a kinetic scheme, which a {mechanism.kind} cannot have here"
            yield Issue("B038", message, mechanism.where, "use a <cell> of one segment instead of a point cell")
    for index in split_sections(cell):
        assert cell.geometry is not None
        name = cell.geometry.sections[index].name
        yield Issue("B032", f"section '{name}' has more than one axial resistivity", hint="split the section there")


def _experiments(cell: Cell, experiments: Sequence[Experiment]) -> Iterator[Issue]:
    is_point = cell.geometry is None
    exposures = {
        f"{p.id}/{name}": p for p in cell.placements for name, _ in cell.mechanism(p.mechanism).dynamics.exposures
    }
    for experiment in experiments:
        if is_point and any(isinstance(s, VoltageClamp) for s in experiment.stimuli):
            yield Issue("B033", f"experiment '{experiment.id}': a point cell cannot be voltage-clamped")
        yield from unsupported_inputs(cell, experiment)
        of_inputs = attached_exposures(cell, experiment)
        if is_point and experiment.stimuli and not _takes_input(cell):
            yield Issue("B036", f"experiment '{experiment.id}': the equations of '{cell.id}' have no input current")
        for output in experiment.outputs:
            if output.variable in ("v", "i_clamp") or output.variable in of_inputs:
                continue
            placement = exposures.get(output.variable)
            if placement is None:
                yield Issue("B034", f"experiment '{experiment.id}': there is no variable '{output.variable}'")
            elif output.site.compartment not in placement.compartments:
                where = f"compartment {output.site.compartment}"
                yield Issue("B035", f"experiment '{experiment.id}': '{output.variable}' does not exist at {where}")


def _takes_input(cell: Cell) -> bool:
    return any(not {"iSyn", "ISyn"}.isdisjoint(m.dynamics.inputs) for m in cell.mechanisms)


def refused_combinations(cell: Cell, settings: Settings) -> tuple[Issue, ...]:
    """Settings that exclude each other, all at once (codes B010-B013)."""
    issues = []
    variable, lag = settings.integrator is Integrator.CVODE, settings.numerics is Numerics.JNEUROML
    if variable and any(m.kind is MechanismKind.POINT_CELL for m in cell.mechanisms):
        issues.append(
            Issue("B010", f"'{cell.id}' is a point cell: these run with fixed steps", hint="use --integrator fixed")
        )
    if variable:
        issues.extend(_with_conditions(cell))
    if lag and settings.tables:
        issues.append(Issue("B012", "numerics 'jneuroml' has no tables", hint="leave tables off"))
    if variable and lag:
        issues.append(Issue("B011", "numerics 'jneuroml' is defined for fixed steps", hint="use --integrator fixed"))
    return tuple(issues)


def _with_conditions(cell: Cell) -> Iterator[Issue]:
    """Channels and inputs whose conditions are tested after each fixed step; CVODE knows of none."""
    for mechanism in cell.mechanisms:
        tested = mechanism.kind in (MechanismKind.DENSITY, MechanismKind.POPULATION) and mechanism.dynamics.conditions
        if mechanism.kind is MechanismKind.INPUT:
            tested = sorted_conditions(mechanism.dynamics).steps
        if tested:
            message = f"'{mechanism.name}' has conditions, which are tested at fixed steps"
            yield Issue("B013", message, mechanism.where, "use --integrator fixed")
