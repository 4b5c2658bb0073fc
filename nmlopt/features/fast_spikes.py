"""Features of the shape of spikes, by eFEL's names and definitions: each gives values of a trace, or raises Missing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nmlopt.backend import Floats
from nmlopt.features.fast_grid import Doubt, Indices
from nmlopt.features.fast_levels import voltage_base
from nmlopt.features.fast_times import Feature, one, peaks_of
from nmlopt.features.fast_trace import FastTrace, Missing, only_lowest


def _heights(trace: FastTrace, least: int = 1) -> Floats:
    peaks_of(trace, least)
    return trace.peak_values


# ---------------------------------------------------------------------------------------------------- heights


def _height_at(index: int, least: int) -> Feature:
    return lambda trace: one(_heights(trace, least)[index])


def _height_change(first: int, second: int, least: int) -> Feature:
    def feature(trace: FastTrace) -> Floats:
        heights = _heights(trace, least)
        return one(heights[second] - heights[first])

    return feature


def _largest_drop(trace: FastTrace) -> Floats:
    heights = _heights(trace, 2)
    return one(float((heights[:-1] - heights[1:]).max()))


def _begins(trace: FastTrace) -> Indices:
    peaks_of(trace)
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
    return lambda trace: one(_amplitudes(trace, least)[index])


def _mean_amplitude(trace: FastTrace) -> Floats:
    return one(float(np.mean(_amplitudes(trace))))


def _amplitude_change(trace: FastTrace) -> Floats:
    amplitudes = _amplitudes(trace, 2)
    if abs(float(amplitudes[0])) <= trace.noise:
        raise Doubt
    return np.asarray((amplitudes[1:] - amplitudes[0]) / amplitudes[0])


def _second_less_first(trace: FastTrace) -> Floats:
    amplitudes = _amplitudes(trace, 2)
    return one(amplitudes[1] - amplitudes[0])


def _above_base(trace: FastTrace) -> Floats:
    return _heights(trace) - voltage_base(trace)


# ---------------------------------------------------------------------------------------------------- begin and width


def _begin_values(trace: FastTrace, least: int = 1) -> Floats:
    begins = _begins(trace)
    if len(begins) < least:
        raise Missing
    return trace.v[begins]


def _begin_at(index: int, least: int) -> Feature:
    return lambda trace: one(_begin_values(trace, least)[index])


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
    peaks, ends = peaks_of(trace), trace.ends
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
    peaks_of(trace)
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
    return lambda trace: one(_depths_from_peak(trace, least)[index])


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
    peaks = peaks_of(trace, 3)
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
    peaks = peaks_of(trace, 2)
    return np.asarray(np.minimum.reduceat(trace.v, peaks)[:-1])


SPIKES: Mapping[str, Feature] = {
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
