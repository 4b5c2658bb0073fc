"""Where a parameter lies between its bounds."""

from __future__ import annotations

import math

EDGE = 0.01  # the part of the range, at either end, that counts as 'at the bound'


def position(lower: float, upper: float, scale: str, value: float) -> float:
    """0 at the lower bound, 1 at the upper one, by the scale of the search; values outside are clipped."""
    if scale == "log10":
        # Bounds of either sign are allowed, as long as both have the same.
        a, b, v = (math.log10(abs(number)) if number else -math.inf for number in (lower, upper, value))
    else:
        a, b, v = lower, upper, value
    if b == a:
        return 0.5
    place = (v - a) / (b - a)
    return min(1.0, max(0.0, place)) if math.isfinite(place) else 0.0


def at_bound(lower: float, upper: float, scale: str, value: float) -> str:
    """'lower' or 'upper' where the value lies within 1 % of the range of that bound, else ''."""
    place = position(lower, upper, scale, value)
    if place <= EDGE:
        return "lower"
    return "upper" if place >= 1.0 - EDGE else ""
