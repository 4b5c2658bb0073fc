"""The fast features against eFEL on made-up traces: the same values, or the same absence, or no answer."""

from __future__ import annotations

import numpy as np
import pytest
from fast_features import absent, differences, efel_settings, unanswered
from hypothesis import given, settings
from hypothesis import strategies as st

from nmlopt.backend import Trace
from nmlopt.features.fast import NAMES

SOME_SETTINGS = {
    "interp_step": [0.025, 0.05, 0.2],
    "strict_stiminterval": [True],
    "Threshold": [-55.0, -40.0, 0.0],
    "DerivativeThreshold": [5.0, 20.0],
    "DownDerivativeThreshold": [-5.0, -20.0],
    "DerivativeWindow": [1, 2, 5],
    "ignore_first_ISI": [False],
    "sahp_start": [0.0, 2.0, 20.0],
    "spike_skipf": [0.0, 0.5],
    "max_spike_skip": [0, 5],
    "initial_perc": [0.0, 0.5],
    "voltage_base_start_perc": [0.0, 0.5, 1.0],
}


@st.composite
def times(draw) -> np.ndarray:
    """Sample times in ms: equal steps or those of a variable step, from 1 to some thousands."""
    duration = draw(st.sampled_from([0.05, 1.0, 20.0, 80.0, 133.7]))
    if draw(st.booleans()):
        return np.arange(0.0, duration, draw(st.sampled_from([0.025, 0.07, 0.1, 0.25])))
    steps = 10.0 ** np.random.default_rng(draw(st.integers(0, 10**6))).uniform(-3.0, -0.3, int(20 * duration) + 1)
    found = np.concatenate([[0.0], np.cumsum(steps)])
    return found[found <= duration]


@st.composite
def cases(draw) -> tuple[Trace, float, float]:
    """A trace with a stimulus window, and spikes anywhere: at both borders, before and after the stimulus, none."""
    t = draw(times())
    end = float(t[-1])
    first, last = sorted(draw(st.tuples(st.floats(-0.1, 1.1), st.floats(-0.1, 1.1))))
    start_ms, end_ms = (round(max(share * end, 0.0), draw(st.sampled_from([1, 9]))) for share in (first, last))
    y = np.where((t > start_ms) & (t < end_ms), draw(st.floats(-90.0, -45.0)), -65.0)
    spike = st.tuples(st.floats(-0.02, 1.02), st.floats(20.0, 120.0), st.floats(0.3, 1.5), st.floats(0.0, 12.0))
    for place, height, width, after in draw(st.lists(spike, max_size=9)):
        y += height * np.exp(-(((t - place * end) / width) ** 2)) - after * np.exp(
            -(((t - place * end) / 2 - 1.5) ** 2)
        )
    noise = np.random.default_rng(draw(st.integers(0, 10**6))).standard_normal(len(t))
    y += draw(st.sampled_from([0.0, 0.0, 1e-3, 0.3])) * noise
    shape = draw(st.sampled_from(["as it is", "as it is", "as it is", "rounded", "clipped", "small"]))
    shaped = {"rounded": np.round(y), "clipped": np.clip(y, -70.0, 0.0), "small": 1e-3 * y}
    return Trace(t, shaped.get(shape, y)), start_ms, end_ms


@given(
    case=cases(),
    asked=st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in SOME_SETTINGS.items()}),
)
@settings(max_examples=150, deadline=None)
def test_values_and_absences_are_those_of_efel(case, asked):
    trace, start_ms, end_ms = case
    assert differences(trace, start_ms, end_ms, efel_settings(**asked)) == {}


def _bumps(t: np.ndarray, places, height: float = 95.0) -> np.ndarray:
    """A step from -65 to -56 mV from 20 to 150 ms, rippled so that nothing is flat, with spikes at `places`."""
    y = np.where((t > 20.0) & (t < 150.0), -56.0, -65.0) + 0.05 * np.sin(t / 7.0)
    for place in places:
        y += height * np.exp(-(((t - place) / 0.6) ** 2)) - 8.0 * np.exp(-(((t - place - 3.0) / 2.0) ** 2))
    return y


T_MS = np.arange(0.0, 200.0, 0.025)
PLACES = {
    "many": (30.0, 37.5, 61.3, 90.0, 111.0, 130.0),
    "one": (70.0,),
    "none": (),
    "before the stimulus": (10.0, 70.0, 90.0),
    "after the stimulus": (70.0, 90.0, 160.0),
    "only outside": (10.0, 170.0),
    "at both borders": (0.3, 70.0, 199.7),
    "begun before the trace": (0.0, 70.0),
    "not over at its end": (70.0, 200.0),
    "at the edges of the stimulus": (20.0, 150.0),
}


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("strict", [False, True], ids=["lax", "strict"])
def test_spikes_wherever_they_are(places, strict):
    trace = Trace(T_MS, _bumps(T_MS, places))
    assert differences(trace, 20.0, 150.0, efel_settings(strict_stiminterval=strict)) == {}


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_of_such_traces_nothing_is_left_to_efel(places):
    """Otherwise equality would be worth nothing."""
    trace = Trace(T_MS, _bumps(T_MS, places))
    assert unanswered(trace, 20.0, 150.0, efel_settings()) == frozenset()


def test_many_spikes_have_every_feature():
    trace = Trace(T_MS, _bumps(T_MS, PLACES["many"]))
    only_below = {"sag_amplitude", "sag_ratio1"}  # of a stimulus that hyperpolarises
    assert absent(trace, 20.0, 150.0, efel_settings()) == only_below
    hyperpolarised = Trace(T_MS, _bumps(T_MS, ()) - 15.0 * ((T_MS > 20.0) & (T_MS < 150.0)))
    assert not only_below & absent(hyperpolarised, 20.0, 150.0, efel_settings())


SHORT_MS = np.arange(0.0, 20.0, 0.1)
NEAR = (4.0, 8.0, 12.0)


@pytest.mark.parametrize("strict", [False, True], ids=["lax", "strict"])
def test_a_window_that_begins_anywhere_in_a_spike(strict):
    trace, settings = (
        Trace(SHORT_MS, _bumps(SHORT_MS + 20.0, np.add(NEAR, 20.0))),
        efel_settings(strict_stiminterval=strict),
    )
    found = {begin: differences(trace, begin / 10, 18.0, settings) for begin in range(61, 121, 2)}
    assert {begin: wrong for begin, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("strict", [False, True], ids=["lax", "strict"])
def test_a_window_that_ends_anywhere_in_a_spike(strict):
    trace, settings = (
        Trace(SHORT_MS, _bumps(SHORT_MS + 20.0, np.add(NEAR, 20.0))),
        efel_settings(strict_stiminterval=strict),
    )
    found = {end: differences(trace, 2.0, end / 10, settings) for end in range(61, 121, 2)}
    assert {end: wrong for end, wrong in found.items() if wrong} == {}


def test_a_trace_that_ends_anywhere_in_a_spike():
    y = _bumps(SHORT_MS + 20.0, np.add(NEAR, 20.0))
    found = {n: differences(Trace(SHORT_MS[:n], y[:n]), 2.0, 18.0, efel_settings()) for n in range(75, 125)}
    assert {n: wrong for n, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("slow_from_ms", [-1.0, 0.0, 3.9, 4.0, 4.1])
def test_intervals_shorter_than_the_begin_of_the_slow_ahp(slow_from_ms):
    trace = Trace(SHORT_MS, _bumps(SHORT_MS + 20.0, np.add(NEAR, 20.0)))
    assert differences(trace, 2.0, 18.0, efel_settings(sahp_start=slow_from_ms)) == {}


FLAT = {
    "flat": np.full(len(T_MS), -65.0),
    "on the threshold": np.full(len(T_MS), -20.0),
    "above the threshold": np.full(len(T_MS), 10.0),
    "up and never down": np.where(T_MS < 70.0, -65.0, 10.0),
    "down and never up": np.where(T_MS < 70.0, 10.0, -65.0),
    "plateaus on top": np.minimum(_bumps(T_MS, PLACES["many"]), 0.0),
    "plateaus below": np.maximum(_bumps(T_MS, PLACES["many"]), -60.0),
    "whole numbers": np.round(_bumps(T_MS, PLACES["many"])),
    "touches the threshold": np.where(np.abs(T_MS - 70.0) < 0.01, -20.0, -65.0),
    "a square": np.where(np.abs(T_MS - 70.0) < 1.0, 20.0, -65.0),
}


@pytest.mark.parametrize("y", FLAT.values(), ids=FLAT)
def test_equal_samples(y):
    assert differences(Trace(T_MS, y), 20.0, 150.0, efel_settings()) == {}


@pytest.mark.parametrize("count", [3, 4, 5, 6, 9, 12])
def test_very_short_traces(count):
    t = 0.1 * np.arange(count)
    assert differences(Trace(t, _bumps(t, [0.2])), 0.1, 0.3, efel_settings()) == {}


@pytest.mark.parametrize("count", [1, 2])
def test_traces_too_short_to_interpolate_are_left_to_efel(count):
    t = 0.1 * np.arange(count)
    assert unanswered(Trace(t, _bumps(t, [0.2])), 0.1, 0.3, efel_settings()) == NAMES


def test_repeated_times_are_left_to_efel():
    t = np.insert(T_MS, 800, T_MS[800])
    assert unanswered(Trace(t, _bumps(t, [70.0])), 20.0, 150.0, efel_settings()) == NAMES


@pytest.mark.parametrize("window", [(0.0, 150.0), (150.0, 150.0), (150.0, 20.0), (190.0, 250.0), (210.0, 250.0)])
def test_windows_that_make_little_sense(window):
    trace = Trace(T_MS, _bumps(T_MS, PLACES["many"]))
    assert differences(trace, *window, efel_settings()) == {}
