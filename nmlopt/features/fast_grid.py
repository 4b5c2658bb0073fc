"""eFEL's grid: the time points on which it looks at a trace, and the trace brought there.

eFEL interpolates linearly at steps of `interp_step`, from the first sample to the last or just beyond it, where it
takes the last value. It adds the step up, so the rounding errors of the sum are part of the grid, here too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import final

import numpy as np
import numpy.typing as npt

from nmlopt.backend import Floats, Trace

Indices = npt.NDArray[np.intp]


class Doubt(Exception):
    """The fast extraction cannot promise eFEL's answer for this trace: eFEL is to be asked."""


@final
class Grid:
    """A trace on the grid with a step in ms: times `t` and values `v`, both (n,), n >= 3; not to be written to.

    Raises Doubt for times that do not increase and for traces too short to tell.
    """

    def __init__(self, trace: Trace, step_ms: float) -> None:
        t_ms = trace.t_ms
        if len(t_ms) < 3 or len(t_ms) != len(trace.y) or not (t_ms[1:] > t_ms[:-1]).all():
            raise Doubt
        self.step_ms = step_ms
        self._axis = (float(t_ms[0]), float(t_ms[-1]), step_ms)
        self.t = _points(*self._axis)
        if len(self.t) < 3 or self.t[-2] >= t_ms[-1]:
            raise Doubt
        self.v: Floats = np.interp(self.t, t_ms, trace.y)

    def slopes(self) -> Floats:
        """Central differences per ms, one-sided at both ends (n,)."""
        v = self.v
        found: Floats = np.empty_like(v)
        np.subtract(v[2:], v[:-2], out=found[1:-1])
        found[0] = v[1] - v[0]
        found[-1] = v[-1] - v[-2]
        found /= _spans(*self._axis)
        return found


@lru_cache(maxsize=32)
def _points(first: float, last: float, step: float) -> Floats:
    """The points of the grid: candidates mostly share them."""
    count = int(np.ceil((last - first) / step))
    steps = np.full(count + 1, step)
    steps[0] = first
    points: Floats = np.add.accumulate(steps)
    return points if count == 0 or points[count - 1] < last else points[:count]


@lru_cache(maxsize=32)
def _spans(first: float, last: float, step: float) -> Floats:
    """Between the two points whose values make a central difference, or one at the ends."""
    t = _points(first, last, step)
    return np.concatenate(([t[1] - t[0]], t[2:] - t[:-2], [t[-1] - t[-2]]))
