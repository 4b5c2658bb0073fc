"""When the fast extraction answers, and what it shares; the values themselves are held against eFEL elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from fast_features import KEY, efel_settings

from nmlopt.backend import Trace
from nmlopt.features import extract, fast
from nmlopt.features.efel_settings import feature_names
from nmlopt.features.extract import feature_values
from nmlopt.features.fast_grid import Doubt, Grid
from nmlopt.features.plan import EfelGroup, EfelTrace

T_MS = np.arange(0.0, 100.0, 0.025)
TRACE = Trace(T_MS, -65.0 + 90.0 * np.exp(-(((T_MS - 50.0) / 0.6) ** 2)) + 0.05 * np.sin(T_MS / 7.0))


def _wanted(*names: str, start_ms: float = 20.0, end_ms: float = 80.0) -> EfelTrace:
    return EfelTrace(KEY, start_ms, end_ms, names, tuple((f"of.{name}", name) for name in names))


def test_every_name_is_one_of_efel():
    assert feature_names() >= fast.NAMES
    assert len(fast.NAMES) > 80


def test_values_by_target():
    found = fast.fast_values(_wanted("Spikecount", "time_to_first_spike", "AP2_amp"), efel_settings(), TRACE, {})
    assert found == {"of.Spikecount": (1.0,), "of.time_to_first_spike": (pytest.approx(30.0),)}


@pytest.mark.parametrize(
    ("wanted", "settings"),
    [
        (_wanted("Spikecount", "ISI_log_slope"), efel_settings()),
        (_wanted("voltage_base"), efel_settings(voltage_base_mode="median")),
        (_wanted("voltage_base", start_ms=80.0, end_ms=20.0), efel_settings()),
        (_wanted("AP_amplitude"), efel_settings(DerivativeWindow=0)),
        (_wanted("Spikecount"), efel_settings(interp_step=0.0)),
        (_wanted("Spikecount"), efel_settings(interp_step=200.0)),
    ],
    ids=["a feature not here", "median", "a window turned round", "no derivative", "no step", "too large a step"],
)
def test_what_is_left_to_efel(wanted, settings):
    assert fast.fast_values(wanted, settings, TRACE, {}) is None


def test_a_sample_as_good_as_on_the_threshold_is_left_to_efel():
    y = np.where(T_MS < 50.0, -65.0, -20.0 + 1e-13)
    assert fast.fast_values(_wanted("Spikecount"), efel_settings(), Trace(T_MS, y), {}) is None


def test_a_trace_is_brought_to_a_grid_once(monkeypatch):
    asked = []
    monkeypatch.setattr(fast, "Grid", lambda trace, step_ms: asked.append(step_ms) or Grid(trace, step_ms))
    groups = [EfelGroup(efel_settings(Threshold=level), (_wanted("Spikecount"),)) for level in (-20.0, -40.0)]
    groups.append(EfelGroup(efel_settings(interp_step=0.05), (_wanted("voltage_base"),)))
    feature_values(groups, {KEY: TRACE})
    assert asked == [0.1, 0.05]


def test_efel_is_asked_for_what_is_left_and_for_all_where_it_is_to_be(monkeypatch):
    asked = []
    real = extract.extract_groups
    monkeypatch.setattr(
        extract, "extract_groups", lambda g, t: asked.append([w for x in g for w in x.traces]) or real(g, t)
    )
    quick, slow = _wanted("Spikecount"), _wanted("voltage_base", "ISI_log_slope")
    groups = [EfelGroup(efel_settings(), (quick, slow))]
    fast_and_slow = feature_values(groups, {KEY: TRACE})
    assert asked == [[slow]]
    only_efel = feature_values(groups, {KEY: TRACE}, fast=False)
    assert asked == [[slow], [quick, slow]]
    assert fast_and_slow == only_efel
    assert feature_values([EfelGroup(efel_settings(), (quick,))], {KEY: TRACE}) == {"of.Spikecount": (1.0,)}
    assert len(asked) == 2


@pytest.mark.parametrize("times", ["fixed", "irregular", "coarse"])
def test_the_grid_is_linear_between_samples(times):
    steps = 10.0 ** np.random.default_rng(2).uniform(-3.0, -0.3, 900)
    t = {"fixed": T_MS, "irregular": np.concatenate([[0.0], np.cumsum(steps)]), "coarse": np.arange(0.0, 50.0, 0.7)}[
        times
    ]
    y = np.random.default_rng(3).standard_normal(len(t))
    grid = Grid(Trace(t, y), 0.1)
    assert np.all(np.diff(grid.t) > 0.0)
    assert grid.t[-2] < t[-1] <= grid.t[-1]
    after = np.clip(t.searchsorted(grid.t), 1, len(t) - 1)
    slope = (y[after] - y[after - 1]) / (t[after] - t[after - 1])
    expected = np.where(grid.t > t[-1], y[-1], y[after - 1] + slope * (grid.t - t[after - 1]))
    np.testing.assert_allclose(grid.v, expected, rtol=0, atol=1e-12)
    slopes = Grid(Trace(t, 3.0 * t), 0.1).slopes()
    np.testing.assert_allclose(slopes[:-2], 3.0, rtol=1e-9)  # the end lies beyond


def test_a_trace_of_another_length_than_its_times_is_left_to_efel():
    with pytest.raises(Doubt):
        Grid(Trace(T_MS, np.zeros(5)), 0.1)
