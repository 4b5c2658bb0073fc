"""A cell's geometry as Arbor sees it: segments of a tree, pieces of branches for compartments, boundaries of CVs.

No simulator in here. Arbor makes one branch of what is unbranched, whatever our sections are; so every place is kept
as (segment of the tree, fraction along it) until Arbor has told which segments its branches consist of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nmlopt.ir.model import Geometry, Section

_SAME = 1e-9
"""Fractions of a section closer than this are one place: cuts come from sums of lengths."""

Point = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Twig:
    """One frustum of the tree: its parent's number (-1: none), ends (x, y, z, diameter; µm) and the part of its section
    it makes up, as fractions of that section's length."""

    parent: int
    proximal: Point
    distal: Point
    section: int
    start: float
    end: float

    @property
    def length_um(self) -> float:
        """Length of the axis."""
        return math.dist(self.proximal[:3], self.distal[:3])


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a branch between two fractions of its length."""

    branch: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a branch by the fraction of its length."""

    branch: int
    position: float


@dataclass(frozen=True)
class Cable:
    """Where things are on Arbor's branches: pieces of each compartment, its middle, all boundaries of CVs."""

    pieces: tuple[tuple[Piece, ...], ...]
    centres: tuple[Place, ...]
    boundaries: tuple[Place, ...]


def twigs(geometry: Geometry) -> tuple[Twig, ...]:
    """All frusta, parents first; a section is cut where another one starts from it."""
    made: list[Twig] = []
    last_of: list[dict[float, int]] = []
    for index, section in enumerate(geometry.sections):
        joints = [s.parent_x for s in geometry.sections if s.parent == index]
        start = _joint(last_of[section.parent], section.parent_x) if section.parent >= 0 else -1
        ends: dict[float, int] = {0.0: start}
        for (near, proximal), (far, distal) in pairwise(_cut(section, joints)):
            made.append(Twig(start, proximal, distal, index, near, far))
            start = len(made) - 1
            ends[far] = start
        last_of.append(ends)
    return tuple(made)


def _joint(ends: Mapping[float, int], fraction: float) -> int:
    """The frustum of the parent section that ends where the child starts."""
    return ends[min(ends, key=lambda end: abs(end - fraction))]


def _cut(section: Section, joints: Sequence[float]) -> list[tuple[float, Point]]:
    """The section's points by length fraction, with one more at each joint inside; lengths of zero are left out."""
    lengths = [math.dist(a[:3], b[:3]) for a, b in pairwise(section.points)]
    total = math.fsum(lengths)
    found: list[tuple[float, Point]] = [(0.0, section.points[0])]
    done = 0.0
    for (near, far), length in zip(pairwise(section.points), lengths, strict=True):
        if length == 0.0:
            found[-1] = (found[-1][0], far)
            continue
        begin, done = done, done + length
        for joint in sorted({j for j in joints if begin / total + _SAME < j < done / total - _SAME}):
            share = (joint * total - begin) / length
            x, y, z, d = (a + share * (b - a) for a, b in zip(near, far, strict=True))
            found.append((joint, (x, y, z, d)))
        found.append((done / total, far))
    found[-1] = (1.0, found[-1][1])
    return found


def cable(geometry: Geometry, tree: Sequence[Twig], branches: Sequence[Sequence[int]]) -> Cable:
    """`branches`: the numbers of the frusta of each branch of Arbor, in order."""
    spans = _spans(tree, branches)
    pieces: list[tuple[Piece, ...]] = []
    centres: list[Place] = []
    boundaries: dict[Place, None] = {}
    by_section: dict[int, list[int]] = {}
    for number, twig in enumerate(tree):
        by_section.setdefault(twig.section, []).append(number)
    counts = [section.divisions for section in geometry.sections]
    position = [0] * len(counts)
    for compartment in geometry.compartments:
        k, n = position[compartment.section], counts[compartment.section]
        position[compartment.section] += 1
        own = by_section[compartment.section]
        pieces.append(_pieces(tree, spans, own, k / n, (k + 1) / n))
        centres.append(_place(tree, spans, own, (k + 0.5) / n))
        for fraction in (k / n, (k + 1) / n):
            boundaries |= dict.fromkeys(_places(tree, spans, own, fraction))
    return Cable(tuple(pieces), tuple(centres), tuple(boundaries))


def _spans(tree: Sequence[Twig], branches: Sequence[Sequence[int]]) -> dict[int, Piece]:
    """The part of its branch that each frustum makes up; exactly 0 and 1 at the ends."""
    found: dict[int, Piece] = {}
    for branch, members in enumerate(branches):
        total = math.fsum(tree[m].length_um for m in members)
        done = 0.0
        for member in members:
            start, done = done, done + tree[member].length_um
            found[member] = Piece(branch, start / total, 1.0 if member == members[-1] else done / total)
    return found


def _pieces(
    tree: Sequence[Twig], spans: Mapping[int, Piece], own: Sequence[int], start: float, end: float
) -> tuple[Piece, ...]:
    found: list[Piece] = []
    for number in own:
        near, far = max(start, tree[number].start), min(end, tree[number].end)
        if far - near <= _SAME:
            continue
        piece = Piece(spans[number].branch, _along(tree, spans, number, near), _along(tree, spans, number, far))
        if found and found[-1].branch == piece.branch and found[-1].end == piece.start:
            piece = Piece(piece.branch, found.pop().start, piece.end)
        found.append(piece)
    return tuple(found)


def _along(tree: Sequence[Twig], spans: Mapping[int, Piece], number: int, fraction: float) -> float:
    """A fraction of the section, inside a frustum, as a fraction of the branch."""
    twig, span = tree[number], spans[number]
    if fraction <= twig.start + _SAME:
        return span.start
    if fraction >= twig.end - _SAME:
        return span.end
    return span.start + (fraction - twig.start) / (twig.end - twig.start) * (span.end - span.start)


def _places(tree: Sequence[Twig], spans: Mapping[int, Piece], own: Sequence[int], fraction: float) -> tuple[Place, ...]:
    """A place of a section on every branch that touches it there."""
    touching = [n for n in own if tree[n].start - _SAME <= fraction <= tree[n].end + _SAME]
    return tuple(Place(spans[n].branch, _along(tree, spans, n, fraction)) for n in touching)


def _place(tree: Sequence[Twig], spans: Mapping[int, Piece], own: Sequence[int], fraction: float) -> Place:
    return _places(tree, spans, own, fraction)[0]
