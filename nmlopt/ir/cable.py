"""Lengths and membrane areas of a cable given as a polyline of points with diameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from nmlopt.ir.segments import Point


def arc_lengths(points: Sequence[Point]) -> list[float]:
    """Distance (µm) of every point from the first, along the polyline."""
    arcs = [0.0]
    for a, b in pairwise(points):
        arcs.append(arcs[-1] + math.dist(a[:3], b[:3]))
    return arcs


def frustum_area(length: float, d1: float, d2: float) -> float:
    """Lateral area of a frustum; a ring for length 0: pi (r1 + r2) sqrt(length² + (r1 - r2)²)."""
    return math.pi * 0.5 * (d1 + d2) * math.hypot(length, 0.5 * (d1 - d2))


def compartment_areas(points: Sequence[Point], divisions: int) -> list[float]:
    """Membrane area (µm²) of each of `divisions` compartments of equal length.

    The polyline is clipped to the compartment. A jump of diameter between two points at one place counts as the ring
    that it is, as in NEURON; it belongs to the compartment distal of it.
    """
    arcs = arc_lengths(points)
    total = arcs[-1]
    areas = [0.0] * divisions
    for (start, end), (a, b) in zip(pairwise(arcs), pairwise(points), strict=True):
        k = min(int(start / total * divisions), divisions - 1)
        if start == end:
            areas[k] += frustum_area(0.0, a[3], b[3])
            continue
        slope = (b[3] - a[3]) / (end - start)
        while True:
            low = max(start, total * k / divisions)
            high = end if k == divisions - 1 else min(end, total * (k + 1) / divisions)
            if high > low:
                areas[k] += frustum_area(high - low, a[3] + slope * (low - start), a[3] + slope * (high - start))
            k += 1
            if high >= end or k == divisions:
                break
    return areas
