"""The table of backends: how two traces are compared, what is counted, what a known reason changes."""

from __future__ import annotations

from types import SimpleNamespace

import backend_comparison as comparison
import numpy as np
import pytest

from nmlopt.backend import Trace
from nmlopt.exporters import registry
from tests.conformance import backends
from tests.conformance.backends import Row, counts, main

ALLOWED = {"extrapolated_ms": 0.05, "trace_mV": 0.005}


def spiking(dt_ms: float, *, late_per_step: float = 0.0, late_ms: float = 0.0, offset_mV: float = 0.0) -> dict:
    """Spikes at 20 and 40 ms on a trace that rises to them from 10 ms on."""
    t = np.arange(round(60.0 / dt_ms) + 1) * dt_ms
    late = late_ms + late_per_step * dt_ms
    y = -70.0 + offset_mV + 0.05 * np.clip(t - 10.0, 0.0, None)
    for at in (20.0, 40.0):
        y += 100.0 * np.exp(-(((t - at - late) / 0.5) ** 2))
    return {"e/v": Trace(t, y)}


def both(**how):
    return spiking(0.02, **how), spiking(0.01, **how)


def test_schemes_that_tend_to_the_same_are_the_same():
    found = comparison.compared(both(late_per_step=5.0), both(late_per_step=-5.0), ALLOWED)
    assert (found.spikes, found.fault) == (2, "")
    assert found.apart_ms < 1e-3


def test_spikes_that_stay_apart_differ():
    found = comparison.compared(both(late_ms=0.2), both(), ALLOWED)
    assert found.apart_ms == pytest.approx(0.2, abs=1e-3)
    assert "of 2 0.19" in found.fault


def test_a_trace_that_is_off_below_threshold_differs():
    found = comparison.compared(both(offset_mV=0.02), both(), ALLOWED)
    assert found.apart_mV == pytest.approx(0.02, rel=1e-6)
    assert "mV apart before the first spike" in found.fault


def test_spikes_of_other_compartments_are_not_below_threshold():
    """A dendrite in which a spike fades is compared until the spike; what another experiment does says nothing."""

    def pair(offset_mV):
        made = []
        for side in both():
            trace = side["e/v"]
            y = np.where(trace.t_ms > 19.0, offset_mV, 0.0) - 70.0
            made.append({**side, "e/far": Trace(trace.t_ms, y), "other/far": Trace(trace.t_ms, 0.0 * y - 70.0)})
        return tuple(made)

    assert comparison.compared(pair(1.0), pair(0.0), ALLOWED).fault == ""
    alone = [tuple({"e/far": side["e/far"]} for side in pair(mV)) for mV in (1.0, 0.0)]
    assert "mV apart" in comparison.compared(*alone, ALLOWED).fault


def test_other_numbers_of_spikes_differ():
    silent = tuple({"e/v": Trace(side["e/v"].t_ms, np.full_like(side["e/v"].y, -70.0))} for side in both())
    assert "[0, 0] spikes, [2, 2] in neuron" in comparison.compared(silent, both(), ALLOWED).fault


@pytest.fixture
def simulated(monkeypatch):
    """Simulations of a step of 0.01 ms that two functions of the step stand for; the steps at which they are run."""
    steps = []

    def use(mine, theirs):
        def voltages(_document, backend, dt_ms):
            steps.append((backend, dt_ms))
            return (theirs if backend == comparison.REFERENCE else mine)(dt_ms)

        monkeypatch.setattr(comparison, "voltages", voltages)
        monkeypatch.setattr(comparison, "simulation_of", lambda _: SimpleNamespace(step_ms=0.01, duration_ms=60.0))
        return steps

    return use


DOCUMENT = SimpleNamespace()


def test_where_they_differ_the_coarser_one_is_refined(simulated, tmp_path):
    """An error of second order: 0.075 ms at first, a quarter of it after each halving."""
    steps = simulated(spiking, lambda dt: spiking(dt, late_ms=1500.0 * dt**2))
    found = comparison.against_reference(DOCUMENT, "lems", tmp_path / "a")
    assert found.fault == "" and 0.01 < found.apart_ms < 0.05
    assert sorted(steps) == sorted((b, dt) for b in ("lems", "neuron") for dt in (0.01, 0.005, 0.0025))
    steps.clear()
    assert comparison.against_reference(DOCUMENT, "lems", tmp_path / "a") == found
    assert {backend for backend, _ in steps} == {"lems"}  # the others were kept


def test_what_does_not_vanish_with_the_step_differs(simulated, tmp_path):
    steps = simulated(spiking, lambda dt: spiking(dt, late_ms=0.2))
    assert "apart" in comparison.against_reference(DOCUMENT, "lems", tmp_path / "a").fault
    assert min(dt for _, dt in steps) == 0.01 / 2 ** (comparison.REFINEMENTS + 1)


def test_traces_are_kept_as_they_are(tmp_path):
    comparison.save(tmp_path / "held.npz", spiking(0.02))
    kept, made = comparison.load(tmp_path / "held.npz"), spiking(0.02)
    assert np.array_equal(kept["e/v"].y, made["e/v"].y) and np.array_equal(kept["e/v"].t_ms, made["e/v"].t_ms)


def test_every_backend_has_tolerances():
    for name in registry.names():
        if name != comparison.REFERENCE:
            assert {"extrapolated_ms", "trace_mV"} <= comparison.tolerances(name).keys(), name


def test_counts_tell_known_differences_from_others(monkeypatch, tmp_path):
    known = tmp_path / "known.toml"
    known.write_text('[arbor]\n"3*" = "a reason"\n', encoding="utf-8")
    monkeypatch.setattr(backends, "KNOWN", known)
    rows = [
        Row("published", "1", "compartments", "arbor", "same"),
        Row("published", "2", "compartments", "arbor", "differs"),
        backends._explained(Row("published", "3", "point cell", "arbor", "differs")),
        backends._explained(Row("published", "3", "point cell", "arbor", "refused")),
    ]
    assert [row.reason for row in rows] == ["", "", "a reason", ""]
    found = counts(rows)["published"]["arbor"]
    assert found["all"] == {"same": 1, "differs": 1, "differs, known": 1, "refused": 1}
    assert found["point cell"] == {"differs, known": 1, "refused": 1}


def test_departures_of_a_case_are_reasons():
    row = backends._explained(Row("conformance", "208-ks-forward-reverse", "single compartment", "lems", "differs"))
    assert "first state" in row.reason


def test_an_unknown_backend_is_refused(capsys):
    assert main(["--backends", "neuorn"]) == 2
    assert "neuorn" in capsys.readouterr().err


@pytest.mark.neuron
def test_a_case_is_run_kept_and_not_run_again(tmp_path, capsys):
    keep = tmp_path / "seen.jsonl"
    arguments = ["--backends", "neuron", "--cases", "101-*", "--keep", str(keep)]
    assert main(arguments) == 0
    assert "1 cases: 1 same" in capsys.readouterr().out
    before = keep.read_text(encoding="utf-8")
    assert main(arguments) == 0
    assert keep.read_text(encoding="utf-8") == before
