"""Every number of a cell as (place, formula): what binding a candidate writes, and where. No simulator in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nmlopt.exporters.neuron.input_parts import InputPart
from nmlopt.exporters.neuron.mod import Part, Plan
from nmlopt.ir.assignments import in_effect
from nmlopt.ir.model import Assignment, Cell, MechanismKind, Placement
from nmlopt.lems.evaluate import Evaluator, Value, compile_expression
from nmlopt.lems.expression import Expr, Num, Op, SlotRef, Sym
from nmlopt.lems.trees import leaves

OWN_VOLTAGE = "vm"
"""The voltage of a point cell that integrates it itself, in V."""
POINT_AREA_UM2 = 314.1592653589793
"""Membrane of the 10 µm x 10 µm cylinder that carries a point cell, as in jNeuroML's export."""
_DEFAULT_POINT_MEMBRANE = {"cm": Num(318.31), "cap_nF": Num(1.0)}
"""Where the equations hold no capacitance: the export rounds the cm that would make 1 nF."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number goes: variable `name` on `compartments`; 'Ra' on sections; a GLOBAL where there are none."""

    name: str
    compartments: tuple[int, ...] = ()


@dataclass(frozen=True)
class Number:
    """One formula and the place of its value. `arrays` hold one number per compartment of the place."""

    place: Place
    expr: Expr
    arrays: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    @property
    def is_bound(self) -> bool:
        """Whether it changes with the candidate or the experiment; the others are written once."""
        return any(isinstance(leaf, SlotRef) or leaf == Sym("temperature") for leaf in leaves(self.expr))

    def evaluator(self) -> Evaluator:
        """A function of (names, slots) with the arrays at hand."""
        compiled = compile_expression(self.expr)
        if not self.arrays:
            return compiled
        arrays = dict(self.arrays)

        def run(names: Mapping[str, Value], slots: Sequence[float]) -> Value:
            return compiled({**names, **arrays}, slots)

        return run


def numbers(cell: Cell, plan: Plan) -> tuple[Number, ...]:
    """All numbers of the cell that do not sit in the generated text, except the initial potential."""
    found: list[Number] = []
    for part in plan.parts:
        found += _of_part(cell, part)
    for attached in plan.inputs:
        found += _of_input(attached)
    found += _membrane(cell) if cell.geometry is not None else _point_membrane(cell, plan)
    return tuple(found)


def initial_voltage(cell: Cell) -> tuple[Number, ...]:
    """The initial membrane potential in mV, by compartment."""
    return tuple(_assigned("v", cell.initial_v, 1000.0))


def _of_part(cell: Cell, part: Part) -> Iterable[Number]:
    face = part.interface
    for parameter in part.mechanism.parameters:
        if parameter.value is not None:
            yield Number(Place(f"{face.shared[parameter.name]}_{part.suffix}"), parameter.value)
    if face.needs_temperature:
        yield Number(Place(f"temperature_{part.suffix}"), Sym("temperature"))
    ending = "" if part.mechanism.kind is MechanismKind.POINT_CELL else f"_{part.suffix}"
    for placement in part.placements:
        arrays = {name: np.asarray(values, dtype=np.float64) for name, values in placement.locals}
        for name, expr in placement.values:
            used = {leaf.name for leaf in leaves(expr) if isinstance(leaf, Sym)}
            own = {key: values for key, values in arrays.items() if key in used}
            yield Number(Place(f"{face.own[name]}{ending}", placement.compartments), expr, own)
    if cell.geometry is not None:
        yield from _of_compartments(cell, part)


def _of_input(part: InputPart) -> Iterable[Number]:
    for parameter in part.mechanism.parameters:
        assert parameter.value is not None  # inputs have no placements
        yield Number(Place(f"{part.interface.shared[parameter.name]}_{part.suffix}"), parameter.value)
    if part.interface.needs_temperature:
        yield Number(Place(f"temperature_{part.suffix}"), Sym("temperature"))


def _of_compartments(cell: Cell, part: Part) -> Iterable[Number]:
    """Areas, and where a section is covered in part: what switches its other compartments off."""
    covered = tuple(dict.fromkeys(index for p in part.placements for index in p.compartments))
    outside = _outside(cell, covered) if part.partial else ()
    everywhere = (*covered, *outside)
    if part.interface.needs_area:
        assert cell.geometry is not None
        areas = np.array([cell.geometry.compartments[index].area_m2 for index in everywhere])
        yield Number(Place(f"surfaceArea_{part.suffix}", everywhere), Sym("area"), {"area": areas})
    if not part.partial:
        return
    yield Number(Place(f"present_{part.suffix}", covered), Num(1.0))
    yield Number(Place(f"present_{part.suffix}", outside), Num(0.0))
    yield from _like_the_first(part, part.placements[0], outside)


def _like_the_first(part: Part, placement: Placement, outside: tuple[int, ...]) -> Iterable[Number]:
    """Compartments that are switched off still compute: give them numbers that make sense."""
    arrays = {name: np.full(len(outside), values[0]) for name, values in placement.locals}
    for name, expr in placement.values:
        used = {leaf.name for leaf in leaves(expr) if isinstance(leaf, Sym)}
        own = {key: values for key, values in arrays.items() if key in used}
        yield Number(Place(f"{part.interface.own[name]}_{part.suffix}", outside), expr, own)


def _outside(cell: Cell, covered: Sequence[int]) -> tuple[int, ...]:
    assert cell.geometry is not None
    compartments = cell.geometry.compartments
    touched = {compartments[index].section for index in covered}
    inside = set(covered)
    return tuple(k for k, c in enumerate(compartments) if c.section in touched and k not in inside)


def _membrane(cell: Cell) -> Iterable[Number]:
    assert cell.geometry is not None
    yield from _assigned("cm", cell.capacitance, 100.0)
    section_of = [c.section for c in cell.geometry.compartments]
    for number in _assigned("Ra", cell.resistivity, 100.0):
        sections = tuple(dict.fromkeys(section_of[index] for index in number.place.compartments))
        yield Number(Place("Ra", sections), number.expr)


def _point_membrane(cell: Cell, plan: Plan) -> Iterable[Number]:
    """The section under a point cell that drives it (numerics jneuroml) has the cell's capacitance."""
    if plan.parts[0].interface.states.get("v") == OWN_VOLTAGE or not _has_voltage(plan.parts[0]):
        return
    for name, factor in (("cm", 1e14 / POINT_AREA_UM2), ("cap_nF", 1e9)):
        if cell.point_capacitance is None:
            yield Number(Place(name, (0,)), _DEFAULT_POINT_MEMBRANE[name])
        else:
            yield Number(Place(name, (0,)), Op("*", (cell.point_capacitance, Num(factor))))


def _has_voltage(part: Part) -> bool:
    return any(state.name == "v" for state in part.mechanism.dynamics.states)


def _assigned(name: str, assignments: Sequence[Assignment], factor: float) -> Iterable[Number]:
    """A property whose later statements override earlier ones, in NEURON's unit."""
    for assignment in in_effect(assignments):
        yield Number(Place(name, assignment.compartments), Op("*", (assignment.value, Num(factor))))


def split_sections(cell: Cell) -> tuple[int, ...]:
    """Sections with more than one axial resistivity: NEURON has one per section."""
    if cell.geometry is None:
        return ()
    value = {index: k for k, assignment in enumerate(cell.resistivity) for index in assignment.compartments}
    found: dict[int, set[int]] = {}
    for index, compartment in enumerate(cell.geometry.compartments):
        found.setdefault(compartment.section, set()).add(value.get(index, -1))
    return tuple(section for section, kinds in found.items() if len(kinds) > 1)
