"""A cell as it lives in NEURON: sections, inserted mechanisms, and pointers through which numbers are written.

`h` is NEURON's interpreter, passed in by `simulate`, the only module that imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from nmlopt.exporters.neuron.bind import Number, initial_voltage, numbers
from nmlopt.exporters.neuron.mod import Part, Plan
from nmlopt.ir.model import Cell, MechanismKind
from nmlopt.lems.evaluate import Evaluator, Names

_POINT_LENGTH_UM = 10.0
_FALLBACK_V_MV = -65.0


class _Scalar:
    """Writes one number through one pointer."""

    def __init__(self, evaluator: Evaluator, pointer: Any) -> None:
        self._evaluator = evaluator
        self._pointer = pointer

    def write(self, names: Names, slots: Sequence[float]) -> None:
        self._pointer[0] = self._evaluator(names, slots)


class _Ranged:
    """Writes a number, or one per compartment, through many pointers at once."""

    def __init__(self, h: Any, evaluator: Evaluator, pointers: Sequence[Any]) -> None:
        self._evaluator = evaluator
        self._targets = h.PtrVector(len(pointers))
        for position, pointer in enumerate(pointers):
            self._targets.pset(position, pointer)
        self._source = h.Vector(len(pointers))

    def write(self, names: Names, slots: Sequence[float]) -> None:
        self._source.as_numpy()[:] = self._evaluator(names, slots)
        self._targets.scatter(self._source)


class _Resistivity:
    """Writes Ra of sections; NEURON recomputes its axial resistances when it is set through the section."""

    def __init__(self, evaluator: Evaluator, sections: Sequence[Any]) -> None:
        self._evaluator = evaluator
        self._sections = sections

    def write(self, names: Names, slots: Sequence[float]) -> None:
        value = self._evaluator(names, slots)
        for section in self._sections:
            section.Ra = value


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of NEURON, the mechanism it belongs to ('' for none), and whether it must be switched on."""

    variable: str
    suffix: str
    computed: bool


class _Voltage:
    """Writes the membrane potential of all nodes, the ends of the sections too.

    Ends have no area, but their old potential would leave its rounding errors in the first step of the next run.
    """

    def __init__(self, h: Any, cell: Cell, sections: Sequence[Any]) -> None:
        self._start = [(n.evaluator(), np.array(n.place.compartments)) for n in initial_voltage(cell)]
        self._values = np.full(1 if cell.geometry is None else len(cell.geometry.compartments), _FALLBACK_V_MV)
        nodes: list[Any] = []
        owner: list[int] = []
        first = 0
        for section in sections:
            last = first + section.nseg - 1
            nodes += [section(0), *section, section(1)]
            owner += [first, *range(first, last + 1), last]
            first = last + 1
        self._owner = np.array(owner)
        self._targets = h.PtrVector(len(nodes))
        for position, node in enumerate(nodes):
            self._targets.pset(position, node._ref_v)
        self._source = h.Vector(len(nodes))

    def write(self, v_init_mV: float | None, slots: Sequence[float]) -> None:
        if v_init_mV is not None:
            self._values[:] = v_init_mV
        else:
            self._values[:] = _FALLBACK_V_MV
            for evaluate, compartments in self._start:
                self._values[compartments] = evaluate({}, slots)
        self._source.as_numpy()[:] = self._values[self._owner]
        self._targets.scatter(self._source)


_Writer = _Scalar | _Ranged | _Resistivity


@final
class LiveCell:
    """The sections and mechanisms of one program in this process; numbers are bound again and again."""

    def __init__(self, h: Any, cell: Cell, plan: Plan) -> None:
        self._h = h
        self.cell = cell
        self.plan = plan
        self.sections = _sections(h, cell)
        self.segments = _segments(self.sections, cell)
        self.point: Any = None
        for part in plan.parts:
            self._insert(part)
        self._reset_ions()
        every = numbers(cell, plan)
        for number in every:
            if not number.is_bound:
                self._writer(number).write({}, ())
        self._bound = [self._writer(number) for number in every if number.is_bound]
        self._voltage = _Voltage(h, cell, self.sections)

    def bind(self, slots: Sequence[float], temperature_K: float) -> None:
        """Write all numbers of a candidate; `slots` in SI."""
        names = {"temperature": temperature_K}
        for writer in self._bound:
            writer.write(names, slots)

    def set_voltage(self, v_init_mV: float | None, slots: Sequence[float]) -> None:
        """Set the membrane potential before initialisation; None: what the document says."""
        if self.point is not None:
            self.point.start_given = 0.0 if v_init_mV is None else 1.0
            self.point.start = 0.001 * (v_init_mV or 0.0)
        self._voltage.write(v_init_mV, slots)

    def expose(self, wanted: frozenset[str]) -> None:
        """Have the exposures of these mechanisms (by suffix) computed for recording, no others."""
        for part in self.plan.parts:
            if any(reading.computed for reading in part.interface.readings.values()):
                self._global(f"expose_{part.suffix}")[0] = 1.0 if part.suffix in wanted else 0.0

    def variable(self, name: str) -> Variable:
        """How an output variable ('v', '<placement id>/<exposure>') is called in NEURON. Raises KeyError."""
        if name == "v":
            return Variable("vm" if self.holds_own_voltage else "v", "", computed=False)
        placement, _, exposure = name.partition("/")
        part = self.plan.part_of(placement)
        reading = part.interface.readings[exposure]
        ending = "" if part.mechanism.kind is MechanismKind.POINT_CELL else f"_{part.suffix}"
        return Variable(f"{reading.variable}{ending}", part.suffix, reading.computed)

    @property
    def holds_own_voltage(self) -> bool:
        """Whether a point cell integrates its own voltage rather than its section's."""
        return self.point is not None and hasattr(self.point, "vm")

    def drive_pointer(self) -> Any:
        """Where a point cell takes its input current, None where electrodes do that."""
        return self.point._ref_drive if self.point is not None and hasattr(self.point, "drive") else None

    @property
    def drive_scale(self) -> float:
        """From the stimuli's unit (nA, or a plain number) to what the point cell reads (A, or a plain number)."""
        inputs = self.plan.parts[0].mechanism.dynamics.inputs
        return 1.0 if "ISyn" in inputs else 1e-9

    def pointer(self, compartment: int, variable: str) -> Any:
        """A pointer to a variable of NEURON at a compartment."""
        if self.point is not None and hasattr(self.point, variable):
            return getattr(self.point, f"_ref_{variable}")
        return getattr(self.segments[compartment], f"_ref_{variable}")

    def _global(self, name: str) -> Any:
        return getattr(self._h, f"_ref_{name}")

    def _insert(self, part: Part) -> None:
        if part.mechanism.kind is MechanismKind.POINT_CELL:
            self.point = getattr(self._h, part.suffix)(self.segments[0])
            return
        assert self.cell.geometry is not None
        compartments = self.cell.geometry.compartments
        touched = dict.fromkeys(compartments[k].section for p in part.placements for k in p.compartments)
        for index in touched:
            self.sections[index].insert(part.suffix)

    def _reset_ions(self) -> None:
        """A compartment without a pool holds none of the ion, as in LEMS, and not NEURON's default."""
        for part in self.plan.parts:
            for name in part.mechanism.dynamics.inputs:
                ion = {"caConc": "cai0_ca", "caConcExt": "cao0_ca", "caConc2": "ca2i0_ca2", "caConcExt2": "ca2o0_ca2"}
                if name in ion:
                    setattr(self._h, f"{ion[name]}_ion", 0.0)

    def _writer(self, number: Number) -> _Writer:
        place, evaluator = number.place, number.evaluator()
        if not place.compartments:
            return _Scalar(evaluator, self._global(place.name))
        if place.name == "Ra":
            return _Resistivity(evaluator, [self.sections[index] for index in place.compartments])
        pointers = [self.pointer(index, place.name) for index in place.compartments]
        if len(pointers) == 1 and not number.arrays:
            return _Scalar(evaluator, pointers[0])
        return _Ranged(self._h, evaluator, pointers)


def _sections(h: Any, cell: Cell) -> list[Any]:
    if cell.geometry is None:
        section = h.Section(name="point_cell")
        section.L = _POINT_LENGTH_UM
        section.diam = _POINT_LENGTH_UM
        return [section]
    built: list[Any] = []
    for section in cell.geometry.sections:
        made = h.Section(name=section.name)
        for x, y, z, diameter in section.points:
            made.pt3dadd(x, y, z, diameter)
        made.nseg = section.divisions
        if section.parent >= 0:
            made.connect(built[section.parent](section.parent_x), 0.0)
        built.append(made)
    return built


def _segments(sections: Sequence[Any], cell: Cell) -> list[Any]:
    if cell.geometry is None:
        return [sections[0](0.5)]
    return [sections[c.section](c.x) for c in cell.geometry.compartments]
