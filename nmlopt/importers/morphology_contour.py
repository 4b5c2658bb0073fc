"""A soma drawn as an outline, made a stack of frusta.

The construction is that of NEURON's Import3d (contourcenter and contour2centroid in its hoc files), so that areas
agree: the outline is resampled, its widths across its main axis are measured at 21 places along that axis, and each
width is taken for a diameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nmlopt.errors import Issue, MorphologyError
from nmlopt.importers.morphology_model import Point

Array: TypeAlias = NDArray[np.float64]

_SAMPLES: Final = 101
_DISCS: Final = 21
_EQUAL: Final = 1e-11
"""Numbers closer than this are equal to NEURON's hoc."""


def stack(outline: Sequence[Sequence[float]], where: str) -> tuple[Point, ...]:
    """The frusta (points with diameters, in µm) of an outline of at least three points (x, y, z).

    The stack is ordered along the main axis, in the direction in which the largest coordinate of the axis is positive.
    Raises MorphologyError M007 for an outline without extent.
    """
    points = _resampled(np.asarray(outline, dtype=np.float64))
    middle = points.mean(axis=0)
    centred = points - middle
    values, vectors = np.linalg.eigh(centred.T @ centred)
    major = vectors[:, int(np.argmax(values))]
    if major[np.argmax(np.abs(major))] < 0:
        major = -major
    order = np.argsort(values)
    minor = np.array([*vectors[:2, order[1]], 0.0])
    width = np.linalg.norm(minor)
    if not width > 1e-6:
        hint = "draw the soma as an outline in the x-y plane"
        raise MorphologyError(Issue("M007", "the outline of the soma is no area in x and y", where, hint))
    return _discs(centred @ major, centred @ (minor / width), middle, major, where)


def _resampled(outline: Array) -> Array:
    """Points at equal distances, measured in x and y, from the first point of the outline to its last."""
    steps = np.linalg.norm(np.diff(outline[:, :2], axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.arange(_SAMPLES) * (along[-1] / (_SAMPLES - 1))
    return np.stack([np.interp(at, along, outline[:, k]) for k in range(3)], axis=1)


def _discs(along: Array, across: Array, middle: Array, major: Array, where: str) -> tuple[Point, ...]:
    far = int(np.argmax(along))
    along, across = np.roll(along, -far), np.roll(across, -far)
    near = int(np.argmin(along))
    one = _rising(along[:near][::-1], across[:near][::-1])
    other = _rising(along[near:], across[near:])
    places = np.sort(np.concatenate([one[0], other[0]]))
    if len(places) < 4 or not places[-2] > places[1]:
        raise MorphologyError(Issue("M007", "the outline of the soma has no extent", where))
    at = np.linspace(places[1], places[-2], _DISCS)
    widths = np.abs(np.interp(at, *one) - np.interp(at, *other))
    widths[0] = (widths[0] + widths[1]) / 2  # no ends of width 0
    widths[-1] = (widths[-1] + widths[-2]) / 2
    centres = middle + np.outer(at, major)
    rows = np.column_stack([centres, widths]).tolist()
    return tuple((x, y, z, width) for x, y, z, width in rows)


def _rising(along: Array, across: Array) -> tuple[Array, Array]:
    """One side of the outline, without the points that go back along the axis."""
    a, b = list(along), list(across)
    j = len(a) - 1
    while j > 0:
        if a[j] <= a[j - 1] + _EQUAL:
            del a[j], b[j]
            if j == len(a):
                j -= 1
        else:
            j -= 1
    return np.array(a), np.array(b)
