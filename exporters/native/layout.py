"""The tree of a cell as data: nodes, their parents, and the axial resistances between them.

One node per compartment, and one without membrane where three or more cables meet. A point at which two meet is removed
exactly by adding their resistances; a free end has no effect and is left out. Parents come before children.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nmlopt.ir.cable import arc_lengths
from nmlopt.ir.model import Geometry, Section
from nmlopt.ir.regions import compartment_at, first_compartments
from nmlopt.ir.segments import Point

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tree:
    """`parent` (nodes,), -1 for the root; `node_of` (compartments,). The resistance of the edge above node `edge[k]`
    is the sum of `factor[k]` (1/m) times the resistivity (ohm m) of compartment `piece[k]`."""

    parent: Ints
    node_of: Ints
    edge: Ints
    piece: Ints
    factor: Floats

    def conductances(self, resistivity: Floats) -> Floats:
        """Axial conductance (S) of the edge above each node, 0 for the root, from ohm m per compartment."""
        total = np.bincount(self.edge, resistivity[self.piece] * self.factor, minlength=len(self.parent))
        with np.errstate(divide="ignore"):
            return np.where(np.arange(len(total)) == 0, 0.0, 1.0 / total)


_Piece = tuple[int, float]
_Joint = tuple[str, int]
_NOWHERE = ("", -1)


@dataclass
class _Graph:
    """Edges between joints; a joint is ('c', compartment) or ('end', section) or ('start', section)."""

    edges: dict[_Joint, list[tuple[_Joint, tuple[_Piece, ...]]]]

    def join(self, a: _Joint, b: _Joint, pieces: tuple[_Piece, ...]) -> None:
        self.edges.setdefault(a, []).append((b, pieces))
        self.edges.setdefault(b, []).append((a, pieces))


def point_tree() -> Tree:
    """A cell that is one compartment."""
    one = np.zeros(1, dtype=np.int32)
    none = np.zeros(0, dtype=np.int32)
    return Tree(one - 1, one, none, none, np.zeros(0))


def tree(geometry: Geometry) -> Tree:
    """The nodes of a geometry."""
    graph = _graph(geometry)
    parent: list[int] = []
    node_of = np.full(len(geometry.compartments), -1, dtype=np.int32)
    edge: list[int] = []
    pieces: list[_Piece] = []
    waiting: list[tuple[_Joint, _Joint, int, tuple[_Piece, ...]]] = [(("c", 0), _NOWHERE, -1, ())]
    while waiting:
        joint, came_from, above, way = waiting.pop()
        onward = [(other, more) for other, more in graph.edges.get(joint, []) if other != came_from]
        kind, index = joint
        if kind != "c" and len(onward) == 0:
            continue
        if kind != "c" and len(onward) == 1:
            waiting.append((onward[0][0], joint, above, (*way, *onward[0][1])))
            continue
        node = len(parent)
        parent.append(above)
        edge += [node] * len(way)
        pieces += way
        if kind == "c":
            node_of[index] = node
        waiting += [(other, joint, node, more) for other, more in reversed(onward)]
    return Tree(
        np.array(parent, dtype=np.int32),
        node_of,
        np.array(edge, dtype=np.int32),
        np.array([k for k, _ in pieces], dtype=np.int32),
        np.array([f for _, f in pieces], dtype=np.float64),
    )


def _graph(geometry: Geometry) -> _Graph:
    graph = _Graph({})
    first = first_compartments(geometry.sections)
    for index, section in enumerate(geometry.sections):
        halves = half_factors(section.points, section.divisions)
        begin = first[index]
        graph.join(_attachment(geometry, first, index), ("c", begin), ((begin, halves[0]),))
        for k in range(begin, begin + section.divisions - 1):
            right, left = halves[2 * (k - begin) + 1], halves[2 * (k - begin) + 2]
            graph.join(("c", k), ("c", k + 1), ((k, right), (k + 1, left)))
        last = begin + section.divisions - 1
        graph.join(("c", last), ("end", index), ((last, halves[-1]),))
    return graph


def _attachment(geometry: Geometry, first: list[int], index: int) -> _Joint:
    """The joint at which a section begins: an end of its parent, or the middle of one of its compartments."""
    section: Section = geometry.sections[index]
    if section.parent < 0:
        return ("start", index)
    if section.parent_x == 1.0:
        return ("end", section.parent)
    if section.parent_x == 0.0:
        return _attachment(geometry, first, section.parent)
    parent = geometry.sections[section.parent]
    return ("c", first[section.parent] + compartment_at(parent, section.parent_x))


def half_factors(points: tuple[Point, ...], divisions: int) -> list[float]:
    """Integral of dx / (pi r^2) in 1/m over both halves of each compartment, exactly for frusta."""
    arcs = arc_lengths(points)
    total, count = arcs[-1], 2 * divisions
    found = [0.0] * count
    for (start, end), (a, b) in zip(pairwise(arcs), pairwise(points), strict=True):
        if start == end:
            continue
        slope = (b[3] - a[3]) / (end - start)
        k = min(int(start / total * count), count - 1)
        while k < count:
            low = max(start, total * k / count)
            high = end if k == count - 1 else min(end, total * (k + 1) / count)
            if high > low:
                between = (a[3] + slope * (low - start)) * (a[3] + slope * (high - start))
                found[k] += 4e6 * (high - low) / (math.pi * between) if between > 0.0 else math.inf
            if high >= end:
                break
            k += 1
    return found
