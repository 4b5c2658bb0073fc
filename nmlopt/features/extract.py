"""Recordings to numbers: eFEL features, spike times, distances between traces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from nmlopt.backend import Floats, Recordings, Trace
from nmlopt.features.efel_features import extract_groups
from nmlopt.features.efel_settings import feature_units, setting_names
from nmlopt.features.fast import Gridded, fast_values
from nmlopt.features.plan import EfelGroup, FeaturePlan, Key, TraceRequest, make_plan

__all__ = [
    "extract",
    "feature_units",
    "feature_values",
    "make_plan",
    "root_mean_square",
    "setting_names",
    "spike_times",
]


def extract(plan: FeaturePlan, recordings: Recordings) -> dict[str, tuple[float, ...]]:
    """Values by target id: of a feature its values, of spike times the times in ms, of a trace the rms distance.

    A feature that cannot be found has no entry.
    """
    values = feature_values(plan.groups, recordings.traces, plan.fast)
    for request in plan.spikes:
        times = spike_times(recordings.traces[request.key], request.threshold_mV)
        values[request.target] = tuple(times.tolist())
    for wanted in plan.traces:
        values[wanted.target] = (root_mean_square(recordings.traces[wanted.key], wanted),)
    return values


def feature_values(
    groups: Iterable[EfelGroup], traces: Mapping[Key, Trace], fast: bool = True
) -> dict[str, tuple[float, ...]]:
    """Values of eFEL's features by target id: on arrays where that is as good (`fast`), from eFEL where it is not."""
    if not fast:
        return extract_groups(groups, traces)
    values: dict[str, tuple[float, ...]] = {}
    gridded: Gridded = {}
    left: list[EfelGroup] = []
    for group in groups:
        slow = []
        for wanted in group.traces:
            found = fast_values(wanted, group.settings, traces[wanted.key], gridded)
            if found is None:
                slow.append(wanted)
            else:
                values |= found
        if slow:
            left.append(EfelGroup(group.settings, tuple(slow)))
    return values | extract_groups(left, traces) if left else values


def spike_times(trace: Trace, threshold_mV: float) -> Floats:
    """Times (ms) at which the trace crosses the threshold upwards, linear between samples.

    A sample on the threshold is still below: a trace that touches it gives no spike, one that starts above neither.
    """
    v, t = trace.y, trace.t_ms
    i = np.flatnonzero((v[:-1] <= threshold_mV) & (v[1:] > threshold_mV))
    return np.asarray(t[i] + (threshold_mV - v[i]) / (v[i + 1] - v[i]) * (t[i + 1] - t[i]), dtype=np.float64)


def root_mean_square(trace: Trace, wanted: TraceRequest) -> float:
    """Root of the mean square difference at the time points of the wanted trace, in the unit of its target.

    The recording is taken as linear between its samples.
    """
    difference = (np.interp(wanted.t_ms, trace.t_ms, trace.y) - wanted.y) * wanted.scale
    return float(np.sqrt(np.mean(difference * difference)))
