"""Every number of a cell as something to paint: worked out once, evaluated for each candidate. No simulator in here.

Numbers of one placement that differ along the cell are painted compartment by compartment, which is exact whatever
their formula is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nmlopt.backend import Floats
from nmlopt.experiment.model import Attached
from nmlopt.exporters.arbor.mod import Part
from nmlopt.exporters.arbor.mod_text import WEIGHT, inside, outside
from nmlopt.ir.assignments import in_effect
from nmlopt.ir.model import Assignment, Cell, Compartment, MechanismKind, Placement
from nmlopt.lems.evaluate import Evaluator, Names, compile_expression
from nmlopt.lems.expression import Sym
from nmlopt.lems.trees import names as names_in
from nmlopt.lems.trees import substitute

FALLBACK_V_MV = -65.0


@dataclass(frozen=True, slots=True)
class Painting:
    """A mechanism on compartments with its parameters in SI by Arbor's names."""

    mechanism: str
    compartments: tuple[int, ...]
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Property:
    """Capacitance ('cm', F/m²), resistivity ('rL', ohm m) or initial potential ('Vm', V) of compartments."""

    name: str
    compartments: tuple[int, ...]
    value: float


@dataclass(frozen=True, slots=True)
class Concentration:
    """An ion on compartments at the start (mol/m³): `side` is 'int_con' or 'ext_con'."""

    ion: str
    side: str
    compartments: tuple[int, ...]
    value: float


@dataclass(frozen=True, slots=True)
class _Numbers:
    """One parameter of a placement: its formula, and the numbers by compartment that it reads."""

    name: str
    evaluate: Evaluator
    arrays: Mapping[str, Floats] = field(default_factory=dict)

    def values(self, names: Names, slots: Sequence[float]) -> float | Floats:
        value = self.evaluate({**names, **self.arrays}, slots)
        return value if isinstance(value, np.ndarray) else float(value)


@dataclass(frozen=True)
class Plan:
    """What is painted on a cell, by placement and by property; and the inputs that can be attached, by component."""

    mechanisms: tuple[tuple[Part, Placement, tuple[_Numbers, ...]], ...]
    properties: tuple[tuple[str, tuple[int, ...], Evaluator], ...]
    concentrations: tuple[tuple[str, str, tuple[int, ...], Evaluator], ...]
    inputs: Mapping[str, tuple[Part, tuple[_Numbers, ...]]]


def plan(cell: Cell, parts: Sequence[Part]) -> Plan:
    """The plan of a cell with a geometry."""
    assert cell.geometry is not None
    by_name = {part.mechanism.name: part for part in parts}
    compartments = cell.geometry.compartments
    placed = tuple(
        (by_name[p.mechanism], p, tuple(_numbers(by_name[p.mechanism], p, compartments))) for p in cell.placements
    )
    properties = (
        *_assigned("cm", cell.capacitance),
        *_assigned("rL", cell.resistivity),
        *_assigned("Vm", cell.initial_v),
    )
    attachable = [part for part in parts if part.mechanism.kind is MechanismKind.INPUT]
    inputs = {part.mechanism.component: (part, tuple(_shared_numbers(part))) for part in attachable}
    return Plan(placed, properties, tuple(_concentrations(cell, by_name)), inputs)


def paintings(plan: Plan, slots: Sequence[float], temperature_K: float) -> tuple[Painting, ...]:
    """All mechanisms with the numbers of one candidate; `slots` in SI."""
    names = {"temperature": temperature_K}
    found: list[Painting] = []
    for part, placement, numbers in plan.mechanisms:
        values = {n.name: n.values(names, slots) for n in numbers}
        found += _painted(part.mechanism.name, placement.compartments, values)
    return tuple(found)


def attachment(
    plan: Plan, attached: Attached, slots: Sequence[float], temperature_K: float
) -> tuple[str, dict[str, float]]:
    """The mechanism of an attached input, and its parameters by Arbor's names."""
    part, numbers = plan.inputs[attached.component]
    names = {"temperature": temperature_K}
    values = {n.name: float(n.values(names, slots)) for n in numbers}
    return part.mechanism.name, values | ({WEIGHT: attached.weight} if part.needs_weight else {})


def properties(plan: Plan, slots: Sequence[float]) -> tuple[Property, ...]:
    """Properties of the membrane and the cytoplasm; a place has one of each."""
    return tuple(Property(name, where, float(evaluate({}, slots))) for name, where, evaluate in plan.properties)


def concentrations(plan: Plan, slots: Sequence[float], temperature_K: float) -> tuple[Concentration, ...]:
    """What pools start from, and the constant concentrations outside: mechanisms read them before pools say them."""
    names = {"temperature": temperature_K}
    return tuple(Concentration(ion, side, where, float(f(names, slots))) for ion, side, where, f in plan.concentrations)


def _painted(name: str, where: tuple[int, ...], values: Mapping[str, float | Floats]) -> Iterable[Painting]:
    """One painting where no parameter varies along the cell, else one for each compartment."""
    if all(isinstance(value, float) for value in values.values()):
        yield Painting(name, where, {key: float(value) for key, value in values.items()})
        return
    for position, compartment in enumerate(where):
        here = {k: float(v if isinstance(v, float) else v[position]) for k, v in values.items()}
        yield Painting(name, (compartment,), here)


def _numbers(part: Part, placement: Placement, compartments: Sequence[Compartment]) -> Iterable[_Numbers]:
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in placement.locals}
    yield from _shared_numbers(part)
    for name, expr in placement.values:
        yield _Numbers(part.parameters[name], compile_expression(expr), arrays)
    if part.needs_area:
        areas = np.array([compartments[k].area_m2 for k in placement.compartments])
        yield _Numbers("surfaceArea", compile_expression(Sym("area")), {"area": areas})


def _shared_numbers(part: Part) -> Iterable[_Numbers]:
    for parameter in part.mechanism.parameters:
        if parameter.value is not None:
            yield _Numbers(part.parameters[parameter.name], compile_expression(parameter.value))
    if part.needs_temperature:
        yield _Numbers("temperature", compile_expression(Sym("temperature")))


def _assigned(name: str, assignments: Sequence[Assignment]) -> Iterable[tuple[str, tuple[int, ...], Evaluator]]:
    """A property whose later statements override earlier ones."""
    for assignment in in_effect(assignments):
        yield name, assignment.compartments, compile_expression(assignment.value)


def _concentrations(cell: Cell, by_name: Mapping[str, Part]) -> Iterable[tuple[str, str, tuple[int, ...], Evaluator]]:
    for placement in cell.placements:
        mechanism = by_name[placement.mechanism].mechanism
        if mechanism.kind is not MechanismKind.POOL:
            continue
        known = {p.name: p.value for p in mechanism.parameters if p.value is not None} | dict(placement.values)
        start = {s.name: substitute(s.initial, known) for s in mechanism.dynamics.states}
        for assigned in mechanism.dynamics.assigned:
            start[assigned.name] = substitute(assigned.value, {**known, **start})
        for side, name in (("int_con", inside(mechanism)), ("ext_con", outside(mechanism))):
            if name in start and names_in(start[name]) <= {"temperature"}:
                yield mechanism.ion, side, placement.compartments, compile_expression(start[name])
