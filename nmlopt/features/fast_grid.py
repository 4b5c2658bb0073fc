"""eFEL's grid: the time points on which it looks at a trace, and the trace brought there.

eFEL interpolates linearly at steps of `interp_step`, from the first sample to the last or just beyond it, where it
takes the last value. It adds the step up, so the rounding errors of the sum are part of the grid, here too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, final

import numpy as np
import numpy.typing as npt

from nmlopt.backend import Floats, Trace

Indices = npt.NDArray[np.intp]


class Doubt(Exception):
    """The fast extraction cannot promise eFEL's answer for this trace: eFEL is to be asked."""


@final
class Grid:
    """The grid of `t_ms` with a step in ms: `t` (n,), n >= 3; reusable for every trace sampled at `t_ms`.

    Raises Doubt for times that do not increase and for traces too short to tell.
    """

    _kept: ClassVar[dict[tuple[int, float], Grid]] = {}
    _MOST_KEPT: ClassVar[int] = 32

    def __init__(self, t_ms: Floats, step_ms: float) -> None:
        gaps = t_ms[1:] - t_ms[:-1]
        if len(t_ms) < 3 or not (gaps > 0.0).all():
            raise Doubt
        self.step_ms = step_ms
        self._given = t_ms.copy()
        self._axis = (float(t_ms[0]), float(t_ms[-1]), step_ms)
        self.t = _points(*self._axis)
        if len(self.t) < 3 or self.t[-2] >= t_ms[-1]:
            raise Doubt
        self._ends_beyond = bool(self.t[-1] > t_ms[-1])
        self._before = _before(t_ms, self.t, step_ms)
        self._into = self.t - t_ms.take(self._before)
        # slopes are taken where there are fewer: between samples, or at points
        self._between = len(t_ms) < len(self.t)
        self._after = self._before[:0] if self._between else self._before + 1
        self._gaps = gaps if self._between else gaps.take(self._before)

    @classmethod
    def of(cls, t_ms: Floats, step_ms: float) -> Grid:
        """The grid, taken from the last ones where the times are the same: candidates mostly share them."""
        key = (len(t_ms), step_ms)
        kept = cls._kept.get(key)
        if kept is not None and np.array_equal(kept._given, t_ms):
            return kept
        made = cls(t_ms, step_ms)
        if len(cls._kept) >= cls._MOST_KEPT:
            cls._kept.clear()
        cls._kept[key] = made
        return made

    def values(self, trace: Trace) -> Floats:
        """The trace on the grid (n,)."""
        y = trace.y
        if len(y) != len(self._given):
            raise Doubt
        left = y.take(self._before)
        if self._between:
            found: Floats = ((y[1:] - y[:-1]) / self._gaps).take(self._before)
        else:
            found = y.take(self._after)
            found -= left
            found /= self._gaps
        found *= self._into
        found += left
        if self._ends_beyond:
            found[-1] = y[-1]
        return found

    def slopes(self, values: Floats) -> Floats:
        """Central differences of values on the grid per ms, one-sided at both ends (n,)."""
        found: Floats = np.empty_like(values)
        np.subtract(values[2:], values[:-2], out=found[1:-1])
        found[0] = values[1] - values[0]
        found[-1] = values[-1] - values[-2]
        found /= _spans(*self._axis)
        return found


@lru_cache(maxsize=32)
def _points(first: float, last: float, step: float) -> Floats:
    """The points of the grid; not to be written to."""
    count = int(np.ceil((last - first) / step))
    steps = np.full(count + 1, step)
    steps[0] = first
    points: Floats = np.add.accumulate(steps)
    return points if count == 0 or points[count - 1] < last else points[:count]


@lru_cache(maxsize=32)
def _spans(first: float, last: float, step: float) -> Floats:
    """Between the two points whose values make a central difference, or one at the ends; not to be written to."""
    t = _points(first, last, step)
    return np.concatenate(([t[1] - t[0]], t[2:] - t[:-2], [t[-1] - t[-2]]))


def _before(t_ms: Floats, points: Floats, step_ms: float) -> Indices:
    """The sample before each point (n,); of a point on a sample it is the one before that sample.

    A binary search for each would cost more than all features: points lie at equal steps, but for rounding.
    """
    inner = t_ms[1:-1]
    later = ((inner - t_ms[0]) / step_ms).astype(np.intp)  # to become: the first point later than each sample
    for _ in range(2):
        np.minimum(later, len(points) - 1, out=later)
        later += points.take(later) <= inner
    if (points.take(later - 1) > inner).any() or (np.append(points, np.inf).take(later) <= inner).any():
        raise Doubt
    return np.repeat(np.arange(len(inner) + 1), np.diff(later, prepend=0, append=len(points)))
