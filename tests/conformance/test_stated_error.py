"""Adaptive steps of the native kernel keep to the errors that are stated for each accuracy, and tend to the truth."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import stated_error
from stated_error import CONVERGED, LEVELS, Seen, Stated, against, of_case, of_simulation, spikes_off, stated

from nmlopt.backend import Trace
from nmlopt.exporters import registry
from tests.conformance import backends
from tests.conformance.suite import case_ids, load

ALLOWED = Stated(first_ms=0.1, later_share=0.01, trace_mV=0.1, other_share=0.01)
TIMES = np.array([20.0, 40.0, 120.0])


def test_later_spikes_may_be_off_by_more():
    seen = spikes_off("v", TIMES + np.array([0.05, 0.2, 1.05]), TIMES, ALLOWED)
    assert seen.fault == "" and seen.spikes == 3
    assert (seen.first_ms, seen.largest_ms) == (pytest.approx(0.05), pytest.approx(1.05))
    assert seen.later_share == pytest.approx(0.0095) and seen.of_stated == pytest.approx(1.05 / 1.1)


@pytest.mark.parametrize("off", [[0.11, 0.0, 0.0], [0.0, -0.31, 0.0], [0.0, 0.0, 1.11]])
def test_more_than_that_is_a_fault(off):
    assert "is off by" in spikes_off("v", TIMES + off, TIMES, ALLOWED).fault


def test_another_number_of_spikes_is_a_fault():
    assert spikes_off("v", TIMES[:2], TIMES, ALLOWED).fault == "v: 2 spikes, not 3"
    assert spikes_off("v", TIMES[:0], TIMES[:0], ALLOWED) == Seen()


def rising(t: np.ndarray, *, late_ms: float = 0.0, offset_mV: float = 0.0) -> Trace:
    """One spike at 20 ms on a ramp."""
    spike = 100.0 * np.exp(-(((t - 20.0 - late_ms) / 0.5) ** 2))
    return Trace(t, -70.0 + 0.05 * t + offset_mV + spike)


def test_samples_at_any_moments_are_compared():
    grid = np.linspace(0.0, 40.0, 4001)
    uneven = np.sort(np.concatenate([np.linspace(0.0, 18.0, 10), np.linspace(18.0, 22.0, 401), [30.0, 40.0]]))
    reference = ({"e/v": rising(grid[::2])}, {"e/v": rising(grid)})
    seen = against({"e/v": rising(uneven, late_ms=0.08, offset_mV=0.05)}, reference, ALLOWED)
    assert seen.fault == "" and seen.spikes == 1
    assert seen.first_ms == pytest.approx(0.08, abs=2e-3) and seen.trace_mV == pytest.approx(0.05, abs=1e-3)
    assert "mV where" in against({"e/v": rising(uneven, offset_mV=0.2)}, reference, ALLOWED).fault
    assert "off by" in against({"e/v": rising(uneven, late_ms=0.2)}, reference, ALLOWED).fault


def test_the_reference_is_refined_until_it_has_one_number_of_spikes(monkeypatch, tmp_path):
    """At coarse steps NEURON has a spike more; neither step is taken for the truth then."""
    steps = []

    def voltages(_document, backend, dt_ms, settings=None):
        steps.append((backend, dt_ms))
        t = np.arange(round(60.0 / dt_ms) + 1) * dt_ms
        early = rising(t)
        y = early.y + (100.0 * np.exp(-(((t - 50.0) / 0.5) ** 2)) if backend == "neuron" and dt_ms > 0.009 else 0.0)
        return {"e/v": Trace(t, y)}

    monkeypatch.setattr(stated_error.comparison, "voltages", voltages)
    simulation = SimpleNamespace(step_ms=0.01, duration_ms=60.0, runs=())
    monkeypatch.setattr(stated_error.comparison, "simulation_of", lambda _: simulation)
    seen = of_simulation(SimpleNamespace(), "default", tmp_path / "kept")
    assert seen.spikes == 1 and seen.fault == ""
    assert sorted(steps) == [("native", 0.025), ("neuron", 0.0025), ("neuron", 0.005), ("neuron", 0.01)]


@pytest.mark.parametrize("is_large", [False, True])
def test_accuracies_are_stated_in_order(is_large):
    rows = [stated(level, is_large=is_large) for level in LEVELS if level != CONVERGED]
    for name in Stated.__dataclass_fields__:
        limits = [getattr(row, name) for row in rows]
        assert limits == sorted(limits, reverse=True) and limits[0] > limits[-1] > 0.0, name


FEW = ("105-axial-resistance", "206-gate-instantaneous", "220-user-rate", "404-pool-of-user-code", "501-iaf-tau",
       "507-adex", "509-fitzhugh-nagumo-1969", "609-spike-threshold", "710-current-synapse")  # fmt: skip
"""Those with the largest errors of their kind."""


def marked() -> list[object]:
    return [pytest.param(case, marks=() if case in FEW else pytest.mark.slow) for case in case_ids()]


@pytest.mark.parametrize("case", marked())
def test_conformance_cases_keep_to_what_is_stated(case):
    """At each accuracy, and as dt goes to zero within the case's own tolerance."""
    for level in LEVELS:
        assert of_case(load(case), level).fault == "", level


@pytest.mark.slow
@pytest.mark.neuron
@pytest.mark.parametrize("level", ["default", CONVERGED])
def test_published_simulations_keep_to_what_is_stated(level, shared_data, tmp_path_factory, capsys):
    """Every LEMS file that a published test case names; a departure has its reason in known_differences.toml."""
    references = tmp_path_factory.getbasetemp() / "neuron"  # both levels have the same
    arguments = [str(shared_data / "osb"), "--accuracy", level, "--cases", "*LEMS*", "--json"]
    assert backends.main([*arguments, "--references", str(references)]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert sum(row["status"] == "same" for row in rows) >= 30
    assert {row["status"] for row in rows if row["reason"]} <= {"differs"}


def test_only_the_native_kernel_has_accuracies(capsys):
    assert backends.main(["--accuracy", "fast", "--backends", "neuron"]) == 2
    assert "only the native kernel" in capsys.readouterr().err


def test_an_accuracy_is_judged_and_told(capsys):
    assert backends.main(["--accuracy", "default", "--cases", "501-*", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["backend"], row["accuracy"], row["status"]) == ("native", "default", "same")
    assert row["errors"]["spikes"] == 5 and 0.0 < row["errors"]["of_stated"] < 1.0
    assert registry.load("native").offer.integrators[0] == "adaptive"
