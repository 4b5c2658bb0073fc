"""What no simulator could use is taken out of a morphology, as NEURON's Import3d does, and said."""

from __future__ import annotations

from collections.abc import Sequence

from nmlopt.errors import Issue, Severity
from nmlopt.importers.morphology_model import Point, RawMorphology, RawSection


def tidy(morphology: RawMorphology, where: str) -> RawMorphology:
    """Without sections that have no length, and without points that repeat the one before.

    What hung on such a section hangs where it hung itself. A point that repeats only the place, not the diameter, is a
    jump in diameter and stays.
    """
    notices = list(morphology.notices)
    new_index: dict[int, int] = {}
    moved: dict[int, tuple[int, float]] = {}
    kept: list[RawSection] = []
    for k, section in enumerate(morphology.sections):
        parent, x = section.parent, section.parent_x
        while parent in moved:
            parent, x = moved[parent]
        if section.parent >= 0 and not _has_length(section.points):
            moved[k] = (parent, x)
            x0, y0, z0 = section.points[0][:3]
            message = f"a section of no length at ({x0:g}, {y0:g}, {z0:g}) is left out"
            notices.append(Issue("M010", message, where, severity=Severity.WARNING))
            continue
        new_index[k] = len(kept)
        kept.append(RawSection(section.kind, _without_repeats(section.points), new_index.get(parent, -1), x))
    return RawMorphology(tuple(kept), tuple(notices))


def _has_length(points: Sequence[Point]) -> bool:
    return any(point[:3] != points[0][:3] for point in points[1:])


def _without_repeats(points: Sequence[Point]) -> tuple[Point, ...]:
    return tuple(p for k, p in enumerate(points) if k == 0 or p != points[k - 1])
