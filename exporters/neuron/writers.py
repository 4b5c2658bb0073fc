"""Ways of writing numbers into a live cell, from one pointer to all nodes at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np

from nmlopt.exporters.neuron.bind import initial_voltage
from nmlopt.ir.model import Cell
from nmlopt.lems.evaluate import Evaluator, Names

FALLBACK_V_MV = -65.0


@final
class Scalar:
    """Writes one number through one pointer."""

    def __init__(self, evaluator: Evaluator, pointer: Any) -> None:
        self._evaluator = evaluator
        self._pointer = pointer

    def write(self, names: Names, slots: Sequence[float]) -> None:
        self._pointer[0] = self._evaluator(names, slots)


@final
class Ranged:
    """Writes a number, or one per compartment, through many pointers at once."""

    def __init__(self, h: Any, evaluator: Evaluator, pointers: Sequence[Any]) -> None:
        self._evaluator = evaluator
        self._targets = h.PtrVector(len(pointers))
        for position, pointer in enumerate(pointers):
            self._targets.pset(position, pointer)
        self._source = h.Vector(len(pointers))
        self._values = np.empty(len(pointers))

    def write(self, names: Names, slots: Sequence[float]) -> None:
        self._values[:] = self._evaluator(names, slots)
        self._source.from_python(self._values)  # Vector.as_numpy leaks some bytes per call
        self._targets.scatter(self._source)


@final
class Resistivity:
    """Writes Ra of sections; NEURON recomputes its axial resistances when it is set through the section."""

    def __init__(self, evaluator: Evaluator, sections: Sequence[Any]) -> None:
        self._evaluator = evaluator
        self._sections = sections

    def write(self, names: Names, slots: Sequence[float]) -> None:
        value = self._evaluator(names, slots)
        for section in self._sections:
            section.Ra = value


@final
class Voltage:
    """Writes the membrane potential of all nodes, the ends of the sections too.

    Ends have no area, but their old potential would leave its rounding errors in the first step of the next run.
    """

    def __init__(self, h: Any, cell: Cell, sections: Sequence[Any]) -> None:
        self._start = [(n.evaluator(), np.array(n.place.compartments)) for n in initial_voltage(cell)]
        self._values = np.full(1 if cell.geometry is None else len(cell.geometry.compartments), FALLBACK_V_MV)
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
        """Set `v_init_mV` everywhere, or what the document says where it is None."""
        if v_init_mV is not None:
            self._values[:] = v_init_mV
        else:
            self._values[:] = FALLBACK_V_MV
            for evaluate, compartments in self._start:
                self._values[compartments] = evaluate({}, slots)
        self._source.from_python(self._values[self._owner])
        self._targets.scatter(self._source)


Writer = Scalar | Ranged | Resistivity
