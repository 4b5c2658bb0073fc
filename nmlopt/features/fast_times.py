"""Features of when spikes are, by eFEL's names and definitions: each gives values of a trace, or raises Missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nmlopt.backend import Floats
from nmlopt.features.fast_grid import Indices
from nmlopt.features.fast_trace import FastTrace, Missing

Feature = Callable[[FastTrace], Floats]


def one(value: float) -> Floats:
    """A feature of one value."""
    return np.array([value], dtype=np.float64)


def peaks_of(trace: FastTrace, least: int = 1) -> Indices:
    """Raises Missing if there are fewer than `least`."""
    if len(trace.peaks) < least:
        raise Missing
    return trace.peaks


def _times(trace: FastTrace, least: int = 1) -> Floats:
    peaks_of(trace, least)
    return trace.peak_times


def _in_stimulus(trace: FastTrace) -> Floats:
    times = _times(trace)
    return times[(times >= trace.start_ms) & (times <= trace.end_ms)]


# ---------------------------------------------------------------------------------------------------- counts and times


def _spike_count(trace: FastTrace) -> Floats:
    return one(len(trace.peaks))


def _spike_count_stimulus(trace: FastTrace) -> Floats:
    return one(len(_in_stimulus(trace)) if len(trace.peaks) else 0)


def _mean_frequency(trace: FastTrace) -> Floats:
    """Spikes by the time from the begin of the stimulus to the last of them; 0 where all are outside."""
    times = _in_stimulus(trace)
    span = (float(times[-1]) if len(times) else 0.0) - trace.start_ms
    if span == 0.0:
        raise Missing
    return one(len(times) * 1000.0 / span)


def _time_to(index: int, least: int) -> Feature:
    return lambda trace: one(_times(trace, least)[index] - trace.start_ms)


def _inverse_time_to_first(trace: FastTrace) -> Floats:
    return _inverse(_times(trace)[:1] - trace.start_ms)


def _number_initial_spikes(trace: FastTrace) -> Floats:
    share = trace.rules.initial_share
    times = _times(trace)
    if not 0.0 <= share < 1.0:
        raise Missing
    until = trace.start_ms + (trace.end_ms - trace.start_ms) * share
    return one(int(times.searchsorted(until)) - int(times.searchsorted(trace.start_ms)))


# ---------------------------------------------------------------------------------------------------- intervals


def _intervals(trace: FastTrace) -> Floats:
    return np.diff(_times(trace, 2))


def _later_intervals(trace: FastTrace) -> Floats:
    """Without the first where the settings say so."""
    return _intervals(trace)[1:] if trace.rules.ignore_first else _intervals(trace)


def _inverse(times_ms: Floats) -> Floats:
    if not times_ms.all():
        raise Missing
    return np.asarray(1000.0 / times_ms)


def _inverse_interval(index: int, least: int) -> Feature:
    def feature(trace: FastTrace) -> Floats:
        intervals = _intervals(trace)
        if len(intervals) < least:
            raise Missing
        return _inverse(intervals[index : index + 1 or None])

    return feature


def _variation(trace: FastTrace) -> Floats:
    intervals = _later_intervals(trace)
    if len(intervals) < 2:
        raise Missing
    return one(float(np.std(intervals, ddof=1)) / float(np.mean(intervals)))


def _irregularity(trace: FastTrace) -> Floats:
    changes = np.abs(np.diff(_later_intervals(trace)))
    if not len(changes):
        raise Missing
    return one(float(np.mean(changes)))


def _single_burst_ratio(trace: FastTrace) -> Floats:
    intervals = _later_intervals(trace)
    if len(intervals) < 2:
        raise Missing
    return one(float(intervals[0]) / float(np.mean(intervals)))


def _adaptation(times: Floats) -> Floats:
    """Mean of the relative changes from interval to interval."""
    intervals = np.diff(times)
    return one(float(np.mean((intervals[1:] - intervals[:-1]) / (intervals[1:] + intervals[:-1]))))


def _adaptation_index(trace: FastTrace) -> Floats:
    rules = trace.rules
    times = _in_stimulus(trace)
    if not 0.0 <= rules.skip_share < 1.0:
        raise Missing
    times = times[max(min(int(len(times) * rules.skip_share + 0.5), rules.skip_most), 0) :]
    if len(times) < 4:
        raise Missing
    return _adaptation(times)


def _adaptation_index2(trace: FastTrace) -> Floats:
    times = _in_stimulus(trace)
    if len(times) < 4:
        raise Missing
    return _adaptation(times[1:])


TIMES: Mapping[str, Feature] = {
    "spike_count": _spike_count,
    "Spikecount": _spike_count,
    "spike_count_stimint": _spike_count_stimulus,
    "Spikecount_stimint": _spike_count_stimulus,
    "mean_frequency": _mean_frequency,
    "peak_time": _times,
    "time_to_first_spike": _time_to(0, 1),
    "time_to_second_spike": _time_to(1, 2),
    "time_to_last_spike": _time_to(-1, 1),
    "inv_time_to_first_spike": _inverse_time_to_first,
    "number_initial_spikes": _number_initial_spikes,
    "all_ISI_values": _intervals,
    "ISIs": _intervals,
    "ISI_values": _later_intervals,
    "doublet_ISI": lambda trace: _intervals(trace)[:1],
    "inv_ISI_values": lambda trace: _inverse(_intervals(trace)),
    "inv_first_ISI": _inverse_interval(0, 1),
    "inv_second_ISI": _inverse_interval(1, 2),
    "inv_third_ISI": _inverse_interval(2, 3),
    "inv_fourth_ISI": _inverse_interval(3, 4),
    "inv_fifth_ISI": _inverse_interval(4, 5),
    "inv_last_ISI": _inverse_interval(-1, 1),
    "ISI_CV": _variation,
    "irregularity_index": _irregularity,
    "single_burst_ratio": _single_burst_ratio,
    "adaptation_index": _adaptation_index,
    "adaptation_index2": _adaptation_index2,
}
"""By eFEL's names."""
