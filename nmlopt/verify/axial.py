"""Currents between compartments, by the geometry of the cell: integrals over frusta, sealed ends, joints without area.

The resistance of a piece of a frustum of length L between radii a and b is resistivity * L / (pi a b).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nmlopt.backend import Floats
from nmlopt.ir.cable import arc_lengths
from nmlopt.ir.model import Cell, Section
from nmlopt.ir.regions import compartment_at, first_compartments
from nmlopt.verify.equations import property_at

Node = tuple[int, int]
"""A section and its end, 0 or 1: a joint that holds no charge."""


@dataclass(frozen=True)
class Axial:
    """Resistances (ohm): `direct` between two compartments, `joints` from compartments to a common joint."""

    direct: tuple[tuple[int, int, float], ...]
    joints: Mapping[Node, tuple[tuple[int, float], ...]]

    def neighbours(self, compartment: int) -> set[int]:
        """The compartments whose voltages drive current into one."""
        found = {b if a == compartment else a for a, b, _ in self.direct if compartment in (a, b)}
        for members in self.joints.values():
            if any(k == compartment for k, _ in members):
                found |= {k for k, _ in members}
        return found - {compartment}

    def current_into(self, compartment: int, v: Mapping[int, Floats]) -> Floats | float:
        """The current into a compartment from its neighbours; `v` in V, by compartment."""
        total: Floats | float = 0.0
        for a, b, resistance in self.direct:
            if compartment in (a, b):
                total = total + (v[b if a == compartment else a] - v[compartment]) / resistance
        for members in self.joints.values():
            own = next((r for k, r in members if k == compartment), None)
            if own is not None and len(members) > 1:
                conductance = sum(1.0 / r for _, r in members)
                joint = sum(v[k] / r for k, r in members) / conductance
                total = total + (joint - v[compartment]) / own
        return total


def axial(cell: Cell, slots: Sequence[float]) -> Axial:
    """All resistances of a cell with morphology. A child on the middle of a section joins the compartment there."""
    geometry = cell.geometry
    assert geometry is not None
    firsts = first_compartments(geometry.sections)
    direct: list[tuple[int, int, float]] = []
    joints: dict[Node, list[tuple[int, float]]] = {}
    roots: list[Node | int] = []
    for index, section in enumerate(geometry.sections):
        start: Node | int = (index, 0)
        if section.parent >= 0:
            start = _joint(geometry.sections, firsts, roots, section)
        roots.append(start)
        halves = []
        for k in range(section.divisions):
            rho = property_at(cell.resistivity, firsts[index] + k, slots) or math.inf
            low, middle, high = (x / (2 * section.divisions) for x in (2 * k, 2 * k + 1, 2 * k + 2))
            halves.append((rho * _shape(section, low, middle), rho * _shape(section, middle, high)))
        for k, (one, other) in enumerate(pairwise(halves)):
            direct.append((firsts[index] + k, firsts[index] + k + 1, one[1] + other[0]))
        if isinstance(start, int):
            direct.append((start, firsts[index], halves[0][0]))
        else:
            joints.setdefault(start, []).append((firsts[index], halves[0][0]))
        joints.setdefault((index, 1), []).append((firsts[index] + section.divisions - 1, halves[-1][1]))
    return Axial(tuple(direct), {node: tuple(members) for node, members in joints.items()})


def _joint(
    sections: Sequence[Section], firsts: Sequence[int], starts: Sequence[Node | int], child: Section
) -> Node | int:
    if child.parent_x >= 1.0:
        return (child.parent, 1)
    if child.parent_x <= 0.0:
        return starts[child.parent]
    return firsts[child.parent] + compartment_at(sections[child.parent], child.parent_x)


def _shape(section: Section, low: float, high: float) -> float:
    """Integral of dx / area between two length fractions, in 1/m."""
    arcs = arc_lengths(section.points)
    begin, end = low * arcs[-1], high * arcs[-1]
    total = 0.0
    for (s0, s1), (p, q) in zip(pairwise(arcs), pairwise(section.points), strict=True):
        a, b = max(begin, s0), min(end, s1)
        if b > a:
            slope = (q[3] - p[3]) / (s1 - s0)
            d0, d1 = p[3] + slope * (a - s0), p[3] + slope * (b - s0)
            total += 4.0 * (b - a) / (math.pi * d0 * d1)
    return total * 1e6
