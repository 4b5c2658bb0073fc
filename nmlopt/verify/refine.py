"""What a number tends to as the step goes to zero, and how well that is known.

Three runs, with steps h, h/2 and h/4, give a number Q three times. If Q(h) = Q0 + c h + O(h²), as it is with implicit
and forward Euler, cnexp and staggered steps, then 2 Q(h/4) - Q(h/2) has an error of second order only (Richardson
1911), and its distance from 2 Q(h/2) - Q(h) is three times that error: a bound. It is one for methods of second order
as well (then the distance is 3 times the error, too). Where the changes do not shrink as they should, or the equations
jump (resets of point cells, stimuli that begin between two steps), nothing is extrapolated: the number is that of the
smallest step, and its error as large as the changes seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmlopt.backend import Floats
from nmlopt.verify.tolerances import OBSERVED_RATIOS

LEVELS = 3
"""Runs per backend: h, h/2, h/4."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Numbers at a step of zero (n,), and a bound of their error (n,), in their unit."""

    value: Floats
    error: Floats


def steps_ms(dt_ms: float) -> tuple[float, ...]:
    """The steps of the runs, coarsest first."""
    return tuple(dt_ms / 2**k for k in range(LEVELS))


def estimate(levels: Sequence[Floats], *, smooth: bool = True) -> Estimate:
    """The estimate from the numbers (n,) at h, h/2 and h/4. `smooth` False: nothing is extrapolated.

    The coarsest run may lack numbers (nan, or fewer of them): what there is of the others is taken then.
    """
    third = np.asarray(levels[2], dtype=np.float64)
    first, second = (_padded(level, len(third)) for level in levels[:2])
    d1, d2 = first - second, second - third
    low, high = OBSERVED_RATIOS
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = d1 / d2
    shrinks = smooth & (ratio >= low) & (ratio <= high)
    value = np.where(shrinks, third - d2, third)
    error = np.where(shrinks, np.abs(d1 - 2.0 * d2), np.fmax(np.abs(d1), 2.0 * np.abs(d2)))
    return Estimate(value, error)


def settled(counts: Sequence[int | None]) -> bool:
    """Whether a number of things no longer changes with the step: that of the two finest runs is the same."""
    return counts[-1] == counts[-2]


def observed_order(levels: Sequence[Floats]) -> float | None:
    """The order that the changes of all numbers show together, log2 of their ratio; None where nothing changes."""
    first, second, third = (np.asarray(level, dtype=np.float64) for level in levels)
    d1, d2 = float(np.abs(first - second).sum()), float(np.abs(second - third).sum())
    return math.log2(d1 / d2) if d1 > 0 and d2 > 0 else None


def _padded(level: Floats, length: int) -> Floats:
    found = np.full(length, np.nan)
    common = min(length, len(level))
    found[:common] = level[:common]
    return found
