"""Features of spikes, by eFEL's names and definitions: each takes a trace and gives its values, or raises Missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nmlopt.backend import Floats
from nmlopt.features.fast_grid import Doubt, Indices
from nmlopt.features.fast_levels import voltage_base
from nmlopt.features.fast_trace import FastTrace, Missing, only_lowest

Feature = Callable[[FastTrace], Floats]


def _one(value: float) -> Floats:
    return np.array([value], dtype=np.float64)


def _peaks(trace: FastTrace, least: int = 1) -> Indices:
    if len(trace.peaks) < least:
        raise Missing
    return trace.peaks


def _times(trace: FastTrace, least: int = 1) -> Floats:
    _peaks(trace, least)
    return trace.peak_times


def _heights(trace: FastTrace, least: int = 1) -> Floats:
    _peaks(trace, least)
    return trace.peak_values


def _in_stimulus(trace: FastTrace) -> Floats:
    times = _times(trace)
    return times[(times >= trace.start_ms) & (times <= trace.end_ms)]


# ---------------------------------------------------------------------------------------------------- counts and times


def _spike_count(trace: FastTrace) -> Floats:
    return _one(len(trace.peaks))


def _spike_count_stimulus(trace: FastTrace) -> Floats:
    return _one(len(_in_stimulus(trace)) if len(trace.peaks) else 0)


def _mean_frequency(trace: FastTrace) -> Floats:
    """Spikes by the time from the begin of the stimulus to the last of them; 0 where all are outside."""
    times = _in_stimulus(trace)
    span = (float(times[-1]) if len(times) else 0.0) - trace.start_ms
    if span == 0.0:
        raise Missing
    return _one(len(times) * 1000.0 / span)


def _time_to(index: int, least: int) -> Feature:
    return lambda trace: _one(_times(trace, least)[index] - trace.start_ms)


def _inverse_time_to_first(trace: FastTrace) -> Floats:
    return _inverse(_times(trace)[:1] - trace.start_ms)


def _number_initial_spikes(trace: FastTrace) -> Floats:
    share = trace.rules.initial_share
    times = _times(trace)
    if not 0.0 <= share < 1.0:
        raise Missing
    until = trace.start_ms + (trace.end_ms - trace.start_ms) * share
    return _one(int(times.searchsorted(until)) - int(times.searchsorted(trace.start_ms)))


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
    return _one(float(np.std(intervals, ddof=1)) / float(np.mean(intervals)))


def _irregularity(trace: FastTrace) -> Floats:
    changes = np.abs(np.diff(_later_intervals(trace)))
    if not len(changes):
        raise Missing
    return _one(float(np.mean(changes)))


def _single_burst_ratio(trace: FastTrace) -> Floats:
    intervals = _later_intervals(trace)
    if len(intervals) < 2:
        raise Missing
    return _one(float(intervals[0]) / float(np.mean(intervals)))


def _adaptation(times: Floats) -> Floats:
    """Mean of the relative changes from interval to interval."""
    intervals = np.diff(times)
    return _one(float(np.mean((intervals[1:] - intervals[:-1]) / (intervals[1:] + intervals[:-1]))))


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


# ---------------------------------------------------------------------------------------------------- heights


def _height_at(index: int, least: int) -> Feature:
    return lambda trace: _one(_heights(trace, least)[index])


def _height_change(first: int, second: int, least: int) -> Feature:
    def feature(trace: FastTrace) -> Floats:
        heights = _heights(trace, least)
        return _one(heights[second] - heights[first])

    return feature


def _largest_drop(trace: FastTrace) -> Floats:
    heights = _heights(trace, 2)
    return _one(float((heights[:-1] - heights[1:]).max()))


def _begins(trace: FastTrace) -> Indices:
    _peaks(trace)
    if not len(trace.begins):
        raise Missing
    return trace.begins


def _amplitudes(trace: FastTrace, least: int = 1) -> Floats:
    """Peak less the value where the spike begins, of the peaks in the stimulus."""
    begins = _begins(trace)
    times, heights = trace.peak_times, trace.peak_values
    heights = heights[(times >= trace.start_ms) & (times <= trace.end_ms)]
    if len(heights) > len(begins) or len(heights) < least:
        raise Missing
    return heights - trace.v[begins[: len(heights)]]


def _amplitude_at(index: int, least: int) -> Feature:
    return lambda trace: _one(_amplitudes(trace, least)[index])


def _mean_amplitude(trace: FastTrace) -> Floats:
    return _one(float(np.mean(_amplitudes(trace))))


def _amplitude_change(trace: FastTrace) -> Floats:
    amplitudes = _amplitudes(trace, 2)
    if abs(float(amplitudes[0])) <= trace.noise:
        raise Doubt
    return np.asarray((amplitudes[1:] - amplitudes[0]) / amplitudes[0])


def _second_less_first(trace: FastTrace) -> Floats:
    amplitudes = _amplitudes(trace, 2)
    return _one(amplitudes[1] - amplitudes[0])


def _above_base(trace: FastTrace) -> Floats:
    return _heights(trace) - voltage_base(trace)


# ---------------------------------------------------------------------------------------------------- begin and width


def _begin_values(trace: FastTrace, least: int = 1) -> Floats:
    begins = _begins(trace)
    if len(begins) < least:
        raise Missing
    return trace.v[begins]


def _begin_at(index: int, least: int) -> Feature:
    return lambda trace: _one(_begin_values(trace, least)[index])


def _begin_times(trace: FastTrace) -> Floats:
    return trace.t[_begins(trace)]


def _half_widths(trace: FastTrace) -> Floats:
    _begins(trace)
    rise, fall = trace.half_width_indices
    return trace.t[fall] - trace.t[rise]


def _durations(trace: FastTrace) -> Floats:
    begins, ends = _begins(trace), trace.ends
    count = min(len(begins), len(ends))
    if not count:
        raise Missing
    return trace.t[ends[:count]] - trace.t[begins[:count]]


def _rise_rates(trace: FastTrace) -> Floats:
    begins, peaks = _begins(trace), trace.peaks
    count = min(len(begins), len(peaks))
    peaks = peaks[peaks > begins[0]]
    if len(peaks) < count:
        raise Doubt
    return _rate(trace, begins[:count], peaks[:count])


def _fall_rates(trace: FastTrace) -> Floats:
    peaks, ends = _peaks(trace), trace.ends
    count = min(len(ends), len(peaks))
    if not count:
        raise Missing
    peaks = peaks[trace.peak_times > trace.start_ms]
    if len(peaks) < count:
        raise Doubt
    return _rate(trace, peaks[:count], ends[:count])


def _rate(trace: FastTrace, first: Indices, last: Indices) -> Floats:
    if (first == last).any():
        raise Doubt
    return np.asarray((trace.v[last] - trace.v[first]) / (trace.t[last] - trace.t[first]))


def _widths(trace: FastTrace) -> Floats:
    """Time above the threshold between one minimum and the next; 0 where it is not crossed."""
    lows = _minima(trace)
    first = 0
    if trace.rules.strict:
        first = trace.start
        lows = lows[(lows > first) & (lows < trace.first_at(trace.end_ms))]
        if not len(lows):
            raise Missing
    begins = np.append(first, lows[:-1])
    up, down = (np.append(crossings, trace.n) for crossings in trace.crossings)
    onset = np.where(trace.v[begins] > trace.rules.threshold, begins, up[up.searchsorted(begins)])
    onset = np.minimum(onset, lows)
    over = np.minimum(down[down.searchsorted(onset, side="right")], lows)
    return np.asarray(trace.t[over] - trace.t[onset])


def _minima(trace: FastTrace) -> Indices:
    _peaks(trace)
    if not len(trace.minima):
        raise Missing
    return trace.minima


# ---------------------------------------------------------------------------------------------------- after the spike


def _minimum_values(trace: FastTrace) -> Floats:
    return trace.v[_minima(trace)]


def _minimum_depths(trace: FastTrace) -> Floats:
    base = voltage_base(trace)
    return _minimum_values(trace) - base


def _depth_changes(trace: FastTrace) -> Floats:
    depths = _minimum_depths(trace)
    if len(depths) < 2:
        raise Missing
    return np.diff(depths)


def _depths_from_peak(trace: FastTrace, least: int = 1) -> Floats:
    lows = _minima(trace)
    if len(lows) < least:
        raise Missing
    return trace.peak_values[: len(lows)] - trace.v[lows]


def _depth_from_peak_at(index: int, least: int) -> Feature:
    return lambda trace: _one(_depths_from_peak(trace, least)[index])


def _times_from_peak(trace: FastTrace) -> Floats:
    lows = _minima(trace)
    return trace.t[lows] - trace.peak_times[: len(lows)]


def _fast_ahp(trace: FastTrace) -> Floats:
    """Value where each spike but the last begins, less the minimum after it."""
    begins = _begins(trace)[:-1]
    lows = _minima(trace)[: len(begins)]
    if not len(begins):
        raise Missing
    if len(lows) < len(begins):
        raise Doubt
    return trace.v[begins] - trace.v[lows]


def _slow_minima(trace: FastTrace) -> Indices:
    """The lowest point between each peak but the first and the next, from some ms after the peak on."""
    peaks = _peaks(trace, 3)
    first, last = peaks[1:-1], peaks[2:]
    begin = trace.t.searchsorted(trace.t[first] + trace.rules.slow_ahp_ms)
    begin = np.minimum(np.maximum(begin, first), last)
    found = last.copy()  # of an interval that is too short
    long = begin < last
    if long.any():
        found[long] = only_lowest(trace.v, begin[long], last[long], trace.noise)
    return found


def _slow_depths_abs(trace: FastTrace) -> Floats:
    return trace.v[_slow_minima(trace)]


def _slow_depths(trace: FastTrace) -> Floats:
    base = voltage_base(trace)
    return _slow_depths_abs(trace) - base


def _slow_times(trace: FastTrace) -> Floats:
    """As a share of the interval."""
    times = trace.t[_slow_minima(trace)]
    peaks = trace.peak_times
    return np.asarray((times - peaks[1:-1]) / (peaks[2:] - peaks[1:-1]))


def _lowest_between(trace: FastTrace) -> Floats:
    peaks = _peaks(trace, 2)
    return np.asarray(np.minimum.reduceat(trace.v, peaks)[:-1])


SPIKES: Mapping[str, Feature] = {
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
    "peak_voltage": _heights,
    "AP_height": _heights,
    "AP1_peak": _height_at(0, 1),
    "AP2_peak": _height_at(1, 2),
    "AP2_AP1_peak_diff": _height_change(0, 1, 2),
    "amp_drop_first_second": _height_change(1, 0, 2),
    "amp_drop_first_last": _height_change(-1, 0, 2),
    "amp_drop_second_last": _height_change(-1, 1, 3),
    "max_amp_difference": _largest_drop,
    "AP_amplitude": _amplitudes,
    "mean_AP_amplitude": _mean_amplitude,
    "AP1_amp": _amplitude_at(0, 1),
    "AP2_amp": _amplitude_at(1, 2),
    "APlast_amp": _amplitude_at(-1, 1),
    "AP2_AP1_diff": _second_less_first,
    "AP_amplitude_change": _amplitude_change,
    "AP_amplitude_diff": lambda trace: np.diff(_amplitudes(trace, 2)),
    "AP_amplitude_from_voltagebase": _above_base,
    "AP_begin_voltage": _begin_values,
    "AP1_begin_voltage": _begin_at(0, 1),
    "AP2_begin_voltage": _begin_at(1, 2),
    "AP_begin_time": _begin_times,
    "AP_duration_half_width": _half_widths,
    "AP_duration": _durations,
    "AP_rise_rate": _rise_rates,
    "AP_fall_rate": _fall_rates,
    "AP_width": _widths,
    "min_AHP_values": _minimum_values,
    "AHP_depth_abs": _minimum_values,
    "AHP_depth": _minimum_depths,
    "AHP_depth_diff": _depth_changes,
    "AHP_depth_from_peak": _depths_from_peak,
    "AHP1_depth_from_peak": _depth_from_peak_at(0, 1),
    "AHP2_depth_from_peak": _depth_from_peak_at(1, 2),
    "AHP_time_from_peak": _times_from_peak,
    "fast_AHP": _fast_ahp,
    "AHP_depth_abs_slow": _slow_depths_abs,
    "AHP_depth_slow": _slow_depths,
    "AHP_slow_time": _slow_times,
    "min_voltage_between_spikes": _lowest_between,
}
"""By eFEL's names."""
