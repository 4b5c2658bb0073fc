"""Values against targets: how many standard deviations away, as one number per target.

Features: mean over the values of |x_i - mean| / sd (BluePyOpt's rule). Spike times: see `spike_times_score`. Traces:
root mean square difference / sd. A missing value, or a failed simulation, scores the cap.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nmlopt.spec.models import FeatureTarget, SpikeTimesTarget, Target
from nmlopt.units import Quantity

UNMATCHED_SD = 10.0
"""What a missing or an extra spike adds, in sd: more than any time shift that still deserves to be called a match."""


@dataclass(frozen=True, slots=True)
class FeatureRule:
    """Wanted mean and sd of a feature, in the library's unit."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class SpikeTimesRule:
    """Wanted spike times and their sd, in ms."""

    times_ms: tuple[float, ...]
    sd_ms: float


@dataclass(frozen=True, slots=True)
class TraceRule:
    """The sd of a sample of a trace, in the unit of the target."""

    sd: float


Rule: TypeAlias = FeatureRule | SpikeTimesRule | TraceRule


def make_rule(target: Target) -> Rule:
    """How `target` is judged, as numbers: quantities are read here, once, and never again."""
    if isinstance(target, FeatureTarget):
        return FeatureRule(target.mean, target.sd)
    if isinstance(target, SpikeTimesTarget):
        return SpikeTimesRule(tuple(_number(time, "ms") for time in target.times), _number(target.sd, "ms"))
    return TraceRule(_number(target.sd, target.unit))


def score(rule: Rule, values: Sequence[float] | None, cap: float) -> float:
    """Distance of the values found from what is wanted, in sd, >= 0 and finite; `cap` if there is nothing to judge.

    Only spike times can be judged when there are none (`values` empty); None is a missing value.
    """
    if values is None:
        return cap
    if isinstance(rule, SpikeTimesRule):
        raw = spike_times_score(values, rule.times_ms, rule.sd_ms)
    elif not values:
        return cap
    elif isinstance(rule, FeatureRule):
        raw = total(abs(x - rule.mean) for x in values) / len(values) / rule.sd
    else:
        raw = abs(values[0]) / rule.sd
    return raw if math.isfinite(raw) else cap


def spike_times_score(found: Sequence[float], wanted: Sequence[float], sd_ms: float) -> float:
    """Mean over the spikes of the shift in sd, matched in order; each spike without a partner counts UNMATCHED_SD.

    0 exactly if all times agree; also 0 if no spike is wanted and none found.
    """
    count = max(len(found), len(wanted))
    if count == 0:
        return 0.0
    shifts = [min(abs(f - w) / sd_ms, UNMATCHED_SD) for f, w in zip(found, wanted, strict=False)]
    return (math.fsum(shifts) + UNMATCHED_SD * abs(len(found) - len(wanted))) / count


def total(numbers: Iterable[float]) -> float:
    """The sum of numbers >= 0, rounded once, whatever their order; inf where it overflows, nan if one of them is."""
    try:
        return math.fsum(numbers)
    except OverflowError:
        return math.inf


def _number(text: str, unit: str) -> float:
    return Quantity.parse(text).to(unit).value
