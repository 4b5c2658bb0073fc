"""A cell as it lives in NEURON: sections, inserted mechanisms, and pointers through which numbers are written.

`h` is NEURON's interpreter, passed in by `simulate`, the only module that imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from nmlopt.exporters.neuron.bind import Number, numbers
from nmlopt.exporters.neuron.mod import Part, Plan
from nmlopt.exporters.neuron.writers import Ranged, Resistivity, Scalar, Voltage, Writer
from nmlopt.ir.model import Cell, MechanismKind

_POINT_LENGTH_UM = 10.0


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
        self.slots: Sequence[float] = ()
        for part in plan.parts:
            self._insert(part)
        self._reset_ions()
        every = numbers(cell, plan)
        for number in every:
            if not number.is_bound:
                self._writer(number).write({}, ())
        self._bound = [self._writer(number) for number in every if number.is_bound]
        self._voltage = Voltage(h, cell, self.sections)

    def bind(self, slots: Sequence[float], temperature_K: float) -> None:
        """Write all numbers of a candidate; `slots` in SI."""
        self.slots = slots
        names = {"temperature": temperature_K}
        for writer in self._bound:
            writer.write(names, slots)

    def set_voltage(self, v_init_mV: float | None, slots: Sequence[float]) -> None:
        """Set the membrane potential before initialisation; None: what the document says."""
        if self.point is not None:
            self.point.start_given = 0.0 if v_init_mV is None else 1.0
            self.point.start = 0.001 * (v_init_mV or 0.0)
        self._voltage.write(v_init_mV, slots)

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
        """A pointer to a variable of NEURON at a compartment; 't' is the time."""
        if variable == "t":
            return self._h._ref_t
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

    def _writer(self, number: Number) -> Writer:
        place, evaluator = number.place, number.evaluator()
        if not place.compartments:
            return Scalar(evaluator, self._global(place.name))
        if place.name == "Ra":
            return Resistivity(evaluator, [self.sections[index] for index in place.compartments])
        pointers = [self.pointer(index, place.name) for index in place.compartments]
        if len(pointers) == 1 and not number.arrays:
            return Scalar(evaluator, pointers[0])
        return Ranged(self._h, evaluator, pointers)


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
