"""Values against targets: how many standard deviations away, as one number per target.

Features: mean over the values of |x_i - mean| / sd (BluePyOpt's rule). Spike times: see `spike_times_score`. Traces:
root mean square difference / sd. A missing value, or a failed simulation, scores the cap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nmlopt.spec.models import FeatureTarget, SpikeTimesTarget, Target
from nmlopt.units import Quantity

TRACE_UNIT = "mV"
UNMATCHED_SD = 10.0
"""What a missing or an extra spike adds, in sd: more than any time shift that still deserves to be called a match."""


def score(target: Target, values: Sequence[float] | None, cap: float) -> float:
    """Distance of the values found from their target in sd, >= 0 and finite; `cap` if there are none to judge."""
    if isinstance(target, SpikeTimesTarget):
        raw = (
            cap
            if values is None
            else spike_times_score(values, _times(target), Quantity.parse(target.sd).to("ms").value)
        )
    elif not values:
        return cap
    elif isinstance(target, FeatureTarget):
        raw = math.fsum(abs(x - target.mean) for x in values) / len(values) / target.sd
    else:
        raw = values[0] / Quantity.parse(target.sd).to(TRACE_UNIT).value
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


def _times(target: SpikeTimesTarget) -> list[float]:
    return [Quantity.parse(text).to("ms").value for text in target.times]
