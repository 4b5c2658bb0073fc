"""Features of levels below the threshold, by eFEL's names and definitions (Subthreshold); sums are made as it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nmlopt.backend import Floats
from nmlopt.features.fast_grid import Doubt
from nmlopt.features.fast_trace import FastTrace, Missing

_DECAY_FROM_MS, _DECAY_TO_MS = 1.0, 10.0
"""After the stimulus: where eFEL measures the decay."""
_FITTED = 1e6
"""Distances this many times the noise have logarithms that are good to more than 1e-9."""


def _mean(values: Floats) -> float:
    """One after another, as eFEL adds: differences of means are features too, and may be small."""
    return float(np.add.accumulate(values)[-1]) / len(values)


def voltage_base(trace: FastTrace) -> float:
    """Mean of the last tenth of the time before the stimulus, by default."""
    start_ms = trace.start_ms * trace.rules.base_from
    end_ms = trace.start_ms * trace.rules.base_to
    if start_ms >= end_ms:
        raise Missing
    first = trace.first_at(start_ms)
    first = 0 if first == trace.n else first
    end = _first_over(trace, end_ms)
    end = trace.n if end < 2 else end  # eFEL does not look at the first sample
    if first >= end:
        raise Doubt
    return _mean(trace.v[first:end])


def _first_over(trace: FastTrace, time_ms: float) -> int:
    """The first point that is later than that time by the precision or more; n if there is none."""
    precision = trace.rules.precision
    end = trace.first_at(time_ms + precision)
    while end < trace.n and trace.t[end] - time_ms < precision:
        end += 1
    while end > 0 and trace.t[end - 1] - time_ms >= precision:
        end -= 1
    return end


def _at_stimulus_end(trace: FastTrace) -> float:
    """Mean of the last tenth of the stimulus."""
    first = trace.first_at(trace.end_ms - 0.1 * (trace.end_ms - trace.start_ms))
    end = trace.first_at(trace.end_ms)
    if first > end:
        raise Doubt
    if first == end:
        raise Missing
    return _mean(trace.v[first:end])


def _after_stimulus(trace: FastTrace) -> float:
    """Mean from the end of the stimulus on."""
    first = trace.first_after(trace.end_ms)
    if first == trace.n:
        raise Missing
    if first == 0:
        raise Doubt
    return _mean(trace.v[first:][::-1])


def _long_after_stimulus(trace: FastTrace) -> float:
    """Mean of the second and third quarter of the time after the stimulus, with one point more."""
    rest = float(trace.t[-1]) - trace.end_ms
    first = trace.first_at(trace.end_ms + rest * 0.25)
    end = min(trace.first_after(trace.end_ms + rest * 0.75) + 1, trace.n)
    if first >= end:
        raise Missing
    return _mean(trace.v[first:end])


def _deflection(trace: FastTrace) -> float:
    """Mean of five points shortly before the end of the stimulus less the mean before it."""
    after = trace.first_after(trace.end_ms)
    before = min(trace.first_at(trace.start_ms), after + 1)
    after = 0 if after == trace.n else after
    if before == 0 or after < 10:
        raise Missing
    return _mean(trace.v[after - 10 : after - 5]) - _mean(trace.v[:before])


def _deflection_begin(trace: FastTrace) -> float:
    """Mean of the tenth of the stimulus from its twentieth on, less the mean before it."""
    length = trace.end_ms - trace.start_ms
    first_ms = trace.start_ms + length * 0.05
    first, end = trace.first_after(first_ms), trace.first_after(first_ms + length * 0.1)
    if trace.start == 0 or first >= end:
        raise Doubt
    return _mean(trace.v[first:end]) - _mean(trace.v[: trace.start])


def _in_stimulus(trace: FastTrace) -> Floats:
    last_ms = float(trace.t[-1])
    if trace.start_ms > last_ms:
        raise Missing
    first, end = trace.start, trace.first_at(min(trace.end_ms, last_ms))
    if first >= end:
        raise Doubt
    return trace.v[first:end]


def _maximum(trace: FastTrace) -> float:
    return float(_in_stimulus(trace).max())


def _minimum(trace: FastTrace) -> float:
    return float(_in_stimulus(trace).min())


def _end_less_base(trace: FastTrace) -> float:
    return _at_stimulus_end(trace) - voltage_base(trace)


def _sag(trace: FastTrace) -> float:
    """Level at the end of the stimulus less the minimum in it, of a stimulus that hyperpolarises."""
    lowest, end, change = _minimum(trace), _at_stimulus_end(trace), _end_less_base(trace)
    if abs(change) <= trace.noise:
        raise Doubt
    if change > 0.0:
        raise Missing
    return end - lowest


def _fall(trace: FastTrace) -> float:
    """From the base to the minimum."""
    fall = voltage_base(trace) - _minimum(trace)
    if abs(fall) <= trace.noise:
        raise Doubt
    return fall


def _sag_ratio1(trace: FastTrace) -> float:
    return _sag(trace) / _fall(trace)


def _sag_ratio2(trace: FastTrace) -> float:
    return -_end_less_base(trace) / _fall(trace)


def _by_current(deflection: Callable[[FastTrace], float]) -> Callable[[FastTrace], float]:
    def resistance(trace: FastTrace) -> float:
        change = deflection(trace)
        if trace.stimulus_nA is None or trace.stimulus_nA == 0.0:
            raise Missing
        return change / trace.stimulus_nA

    return resistance


def _decay_time_constant(trace: FastTrace) -> float:
    """Of a straight line through the logarithm of the distance from the value at the begin of the stimulus."""
    first, end = trace.first_at(trace.end_ms + _DECAY_FROM_MS), trace.first_at(trace.end_ms + _DECAY_TO_MS)
    if trace.start == trace.n or end - first < 2:
        raise Doubt
    distance = np.abs(trace.v[first:end] - trace.v[trace.start])
    if float(distance.min()) <= _FITTED * trace.noise:
        raise Doubt
    x, y, count = trace.t[first:end], np.log(distance), end - first
    sum_x, sum_y, sum_xx, sum_xy = (float(np.add.accumulate(z)[-1]) for z in (x, y, x * x, x * y))
    slope = (count * sum_xy - sum_x * sum_y) / (count * sum_xx - sum_x * sum_x)
    if abs(slope) <= _FITTED * trace.noise:
        raise Doubt
    return abs(-1.0 / slope)


LEVELS: Mapping[str, Callable[[FastTrace], float]] = {
    "voltage_base": voltage_base,
    "steady_state_voltage": _after_stimulus,
    "steady_state_voltage_stimend": _at_stimulus_end,
    "voltage_after_stim": _long_after_stimulus,
    "voltage_deflection": _deflection,
    "voltage_deflection_begin": _deflection_begin,
    "voltage_deflection_vb_ssse": _end_less_base,
    "maximum_voltage": _maximum,
    "minimum_voltage": _minimum,
    "maximum_voltage_from_voltagebase": lambda trace: _maximum(trace) - voltage_base(trace),
    "sag_amplitude": _sag,
    "sag_ratio1": _sag_ratio1,
    "sag_ratio2": _sag_ratio2,
    "ohmic_input_resistance": _by_current(_deflection),
    "ohmic_input_resistance_vb_ssse": _by_current(_end_less_base),
    "decay_time_constant_after_stim": _decay_time_constant,
}
"""By eFEL's names."""
