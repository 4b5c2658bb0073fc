"""Replaces a reconstructed axon by two short cylinders, as BluePyOpt's replace_axon does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from nmlopt.errors import Issue, MorphologyError
from nmlopt.importers.morphology_model import AXON, SOMA, Point, RawMorphology, RawSection, divisions, length, starts

STUB_UM: Final = 30.0
"""Length of each of the two cylinders."""
_FAR_UM: Final = 60.0
_DEFAULT_DIAMETER_UM: Final = 1.0


def replace_axon(morphology: RawMorphology, longest_um: float, where: str) -> RawMorphology:
    """The morphology with two cylinders of 30 µm in a row at the end of the soma in place of its axon.

    The first is as wide as the axon's first section in the middle, the second as the first section (in the order of
    the file) whose middle is further than 60 µm from that of the soma; without one both are equal, without an axon
    1 µm wide. The width in the middle is that of a section's middle compartment, hence `longest_um` (see `divisions`).
    The cylinders leave the end of the soma in the direction in which the axon began. Raises MorphologyError M020.
    """
    sections = morphology.sections
    if sections[0].kind != SOMA:
        raise MorphologyError(Issue("M020", "the axon is put on the soma, which this file does not have", where))
    axon = [k for k, section in enumerate(sections) if section.kind == AXON]
    carried = [k for k, section in enumerate(sections) if section.kind != AXON and section.parent in set(axon)]
    if carried:
        x, y, z = sections[carried[0]].points[0][:3]
        message = f"{len(carried)} other sections hang on the axon, the first at ({x:g}, {y:g}, {z:g})"
        raise MorphologyError(Issue("M020", message, where, "leave --replace-axon out, or mend the file"))
    first, second = _widths(sections, axon, longest_um)
    kept = [k for k, section in enumerate(sections) if section.kind != AXON]
    index = {-1: -1, **{old: new for new, old in enumerate(kept)}}
    rest = [RawSection(s.kind, s.points, index[s.parent], s.parent_x) for s in (sections[k] for k in kept)]
    begin = sections[0].points[-1]
    direction = _direction(sections, axon)
    joint, end = (_moved(begin, direction, STUB_UM * k) for k in (1, 2))
    stub = RawSection(AXON, ((*begin[:3], first), (*joint, first)), 0, 1.0)
    tail = RawSection(AXON, ((*joint, second), (*end, second)), len(rest), 1.0)
    return RawMorphology((*rest, stub, tail), morphology.notices)


def _widths(sections: Sequence[RawSection], axon: Sequence[int], longest_um: float) -> tuple[float, float]:
    if not axon:
        return _DEFAULT_DIAMETER_UM, _DEFAULT_DIAMETER_UM
    begin = starts(sections)
    first = width_in_the_middle(sections[axon[0]], longest_um)
    far = (k for k in axon if begin[k] + length(sections[k]) / 2 > _FAR_UM)
    second = next(far, None) if len(axon) > 1 else None
    return first, first if second is None else width_in_the_middle(sections[second], longest_um)


def width_in_the_middle(section: RawSection, longest_um: float) -> float:
    """Mean diameter (µm) over the middle compartment of a section: the `diam` that NEURON gives it."""
    whole = length(section)
    half = whole / divisions(whole, longest_um) / 2
    low, high = whole / 2 - half, whole / 2 + half
    total, at = 0.0, 0.0
    for a, b in zip(section.points, section.points[1:], strict=False):
        step = math.dist(a[:3], b[:3])
        begin, end = max(low, at), min(high, at + step)
        if step > 0 and end > begin:
            middle = ((begin + end) / 2 - at) / step
            total += (end - begin) * (a[3] + middle * (b[3] - a[3]))
        at += step
    return total / (high - low)


def _direction(sections: Sequence[RawSection], axon: Sequence[int]) -> tuple[float, float, float]:
    """From the middle of the soma towards the beginning of the axon; along the soma where there is none."""
    soma = sections[0].points
    middle = tuple((a + b) / 2 for a, b in zip(soma[0], soma[-1], strict=True))
    goals = [sections[axon[0]].points[0], sections[axon[0]].points[-1]] if axon else []
    for a, b in (*((middle, goal) for goal in goals), (soma[0], soma[-1])):
        distance = math.dist(a[:3], b[:3])
        if distance > 0:
            return ((b[0] - a[0]) / distance, (b[1] - a[1]) / distance, (b[2] - a[2]) / distance)
    return (0.0, -1.0, 0.0)


def _moved(point: Point, direction: tuple[float, float, float], by_um: float) -> tuple[float, float, float]:
    x, y, z = (value + by_um * step for value, step in zip(point[:3], direction, strict=True))
    return x, y, z
