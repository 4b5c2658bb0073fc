"""A morphology as read from a file: unbranched sections in the order in which NEURON would create them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from nmlopt.errors import Issue

Point: TypeAlias = tuple[float, float, float, float]
"""x, y, z, diameter in µm."""

SOMA: Final = 1
AXON: Final = 2
BASAL: Final = 3
APICAL: Final = 4
"""Kinds of sections, numbered as SWC numbers its points; others are dendrites of a kind of their own."""

LARGEST_UM: Final = 1e6
"""No coordinate or width is as large as this."""


@dataclass(frozen=True, slots=True)
class RawSection:
    """An unbranched cable: at least two points, proximal first. It joins section `parent` (-1: none) at `parent_x`.

    Between the place where it joins and its first point nothing is drawn: that gap is no cable.
    """

    kind: int
    points: tuple[Point, ...]
    parent: int
    parent_x: float


@dataclass(frozen=True, slots=True)
class RawMorphology:
    """All sections, parents before children, the root first; `notices` are warnings about what was left out."""

    sections: tuple[RawSection, ...]
    notices: tuple[Issue, ...] = ()


def length(section: RawSection) -> float:
    """Length (µm) along the points."""
    return sum(math.dist(a[:3], b[:3]) for a, b in zip(section.points, section.points[1:], strict=False))


def area(section: RawSection) -> float:
    """Membrane area (µm²): the frusta between the points, without end caps."""
    total = 0.0
    for a, b in zip(section.points, section.points[1:], strict=False):
        slant = math.hypot(math.dist(a[:3], b[:3]), (a[3] - b[3]) / 2)
        total += math.pi / 2 * (a[3] + b[3]) * slant
    return total


def starts(sections: Sequence[RawSection]) -> list[float]:
    """Path length (µm) from the middle of the root section to the 0 end of each; 0 for the root itself."""
    found: list[float] = []
    for section in sections:
        if section.parent < 0:
            found.append(0.0)
        elif sections[section.parent].parent < 0:
            found.append(abs(section.parent_x - 0.5) * length(sections[section.parent]))
        else:
            found.append(found[section.parent] + section.parent_x * length(sections[section.parent]))
    return found


def divisions(length_um: float, longest_um: float) -> int:
    """The number of compartments of a section: 1 + 2 int(L / longest), odd, as BluePyOpt chooses it."""
    return 1 + 2 * int(length_um / longest_um)
