"""Values from made-up traces: against eFEL called by hand, and against formulas."""

from __future__ import annotations

import copy
import warnings

import efel
import numpy as np
import pytest
from fake_backend import TARGETS, fake_cell

from nmlopt.backend import Recordings, RunStatus, Trace
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.features.extract import extract, root_mean_square, spike_times
from nmlopt.features.plan import TraceRequest, make_plan
from nmlopt.ir.model import Site
from nmlopt.spec.models import Targets

FEATURES = ("Spikecount", "AP_amplitude", "mean_frequency", "ISI_values", "AHP_depth", "voltage_base",
            "steady_state_voltage", "AP_begin_voltage", "time_to_first_spike", "AP_duration_half_width")  # fmt: skip
SITE = Site(0, 0.5, 0)


@pytest.fixture(autouse=True)
def efel_as_it_was():
    yield
    efel.reset()


def _spiking(t_ms: np.ndarray, times, height: float = 100.0) -> np.ndarray:
    """A step from -65 to -55 mV between 20 and 150 ms with bumps at `times`."""
    y = np.where((t_ms > 20.0) & (t_ms < 150.0), -55.0, -65.0)
    for time in times:
        y = y + height * np.exp(-(((t_ms - time) / 0.6) ** 2)) - 8.0 * np.exp(-(((t_ms - time - 3.0) / 2.0) ** 2))
    return y


def _fixed() -> np.ndarray:
    return np.arange(0.0, 200.0, 0.025)


def _irregular() -> np.ndarray:
    """Steps like those of a variable-step integrator: from 1 us to 0.2 ms."""
    steps = 10.0 ** np.random.default_rng(3).uniform(-3.0, -0.7, 8000)
    t = np.concatenate([[0.0], np.cumsum(steps)])
    return t[t <= 200.0]


def _by_hand(trace: Trace, names, start=20.0, end=150.0, **settings) -> dict:
    """What eFEL itself says, one feature at a time, from its defaults."""
    found = {}
    for name in names:
        efel.reset()
        for setting, value in settings.items():
            efel.set_setting(setting, value)
        given = {"T": trace.t_ms, "V": trace.y, "stim_start": [start], "stim_end": [end]}
        with warnings.catch_warnings(action="ignore"):
            values = efel.get_feature_values([given], [name], raise_warnings=False)[0][name]
        if values is not None and len(values):
            found[name] = tuple(values)
    efel.reset()
    return found


def _plan(targets: list[dict], *recordings: str, folder=None):
    data = copy.deepcopy(TARGETS)
    data["targets"] = [{"mean": 0.0, "sd": 1.0, "protocol": "step", "recording": "soma", **t} for t in targets]
    outputs = tuple(Output(name, SITE) for name in recordings or ("soma",))
    experiment = Experiment("step", 200.0, 279.0, (Pulse(SITE, 20.0, 130.0, 1.0),), outputs)
    return make_plan(Targets.model_validate(data), fake_cell(), (experiment,), folder)


def _targets(names, prefix="", **more) -> list[dict]:
    return [{"type": "feature", "id": prefix + name, "feature": name, **more} for name in names]


def _recordings(**traces: Trace) -> Recordings:
    return Recordings(RunStatus.OK, {("step", name): trace for name, trace in traces.items()})


@pytest.mark.parametrize("grid", [_fixed, _irregular], ids=["fixed", "irregular"])
@pytest.mark.parametrize("times", [(30.0, 45.5, 61.3, 90.0, 130.0), (70.0,), ()], ids=["five", "one", "silent"])
def test_features_are_those_of_efel(grid, times):
    trace = Trace(grid(), _spiking(grid(), times))
    expected = _by_hand(trace, FEATURES)
    found = extract(_plan(_targets(FEATURES)), _recordings(soma=trace))
    assert found == expected
    assert "voltage_base" in found
    assert ("AP_amplitude" in found) == bool(times)


def test_all_features_that_a_voltage_gives_are_those_of_one_call_of_efel():
    trace = Trace(_fixed(), _spiking(_fixed(), (30.0, 45.5, 61.3, 90.0, 130.0)))
    alone = {}
    for name in efel.get_feature_names():
        try:
            alone |= {k: v for k, v in _by_hand(trace, [name]).items() if np.isfinite(v).all()}
        except Exception:  # asks for a current or for a second trace
            continue
    assert len(alone) > 130
    given = {"T": trace.t_ms, "V": trace.y, "stim_start": [20.0], "stim_end": [150.0]}
    with warnings.catch_warnings(action="ignore"):
        together = efel.get_feature_values([given], list(alone), raise_warnings=False)[0]
    found = extract(_plan(_targets(alone)), _recordings(soma=trace))
    assert found == {name: tuple(values) for name, values in together.items()}
    # eFEL interpolates again for each feature: the last bit of the voltage differs from that of a call for one alone
    fits = ("deactivation_time_constant", "inactivation_time_constant", "activation_time_constant")
    for name, values in alone.items():
        assert found[name] == pytest.approx(values, rel=1e-2 if name in fits else 1e-9, abs=1e-12), name


def test_several_traces_of_unequal_length_and_grid():
    traces = {
        "soma": Trace(_fixed(), _spiking(_fixed(), (30.0, 60.0, 95.0))),
        "dend": Trace(_irregular(), _spiking(_irregular(), (31.0, 61.0), 60.0)),
        "apic": Trace(_fixed()[:7000], _spiking(_fixed()[:7000], (50.0,))),
    }
    targets = [t for name in traces for t in _targets(FEATURES, f"{name}.", recording=name)]
    found = extract(_plan_of(traces, targets), _recordings(**traces))
    expected = {f"{name}.{k}": v for name, trace in traces.items() for k, v in _by_hand(trace, FEATURES).items()}
    assert found == expected


def _plan_of(traces, targets):
    data = copy.deepcopy(TARGETS)
    data["protocols"][0]["recordings"] = [{"id": name} for name in traces]
    return _plan(targets, *traces)


def test_a_resistance_is_the_deflection_by_the_current():
    trace = Trace(_fixed(), np.where((_fixed() > 20.0) & (_fixed() < 150.0), -75.0, -65.0))
    targets = [
        *_targets(["ohmic_input_resistance"], "with.", efel_settings={"stimulus_current": -0.2}),
        *_targets(["ohmic_input_resistance"], "half.", efel_settings={"stimulus_current": -0.1}),
    ]
    found = extract(_plan(targets), _recordings(soma=trace))
    assert found["with.ohmic_input_resistance"] == pytest.approx((50.0,))  # -10 mV / -0.2 nA, in MOhm
    assert found["half.ohmic_input_resistance"] == pytest.approx((100.0,))


def test_settings_of_one_group_or_call_do_not_reach_another():
    trace = Trace(_fixed(), _spiking(_fixed(), (30.0, 60.0), 100.0) + _spiking(_fixed(), (100.0,), 30.0) + 60.0)
    low, plain = _targets(["Spikecount"], "low.", threshold="-40 mV"), _targets(["Spikecount"], "plain.")
    fine = _targets(
        ["AP_width", "AP_begin_voltage"], "fine.", efel_settings={"interp_step": 0.025, "DerivativeThreshold": 20}
    )
    coarse = _targets(["AP_width", "AP_begin_voltage"], "coarse.")
    expected = {
        **{f"low.{k}": v for k, v in _by_hand(trace, ["Spikecount"], Threshold=-40.0).items()},
        **{f"plain.{k}": v for k, v in _by_hand(trace, ["Spikecount"]).items()},
        **{
            f"fine.{k}": v
            for k, v in _by_hand(
                trace, ["AP_width", "AP_begin_voltage"], interp_step=0.025, DerivativeThreshold=20.0
            ).items()
        },
        **{f"coarse.{k}": v for k, v in _by_hand(trace, ["AP_width", "AP_begin_voltage"]).items()},
    }
    assert expected["low.Spikecount"] != expected["plain.Spikecount"]
    assert expected["fine.AP_begin_voltage"] != expected["coarse.AP_begin_voltage"]
    recordings = _recordings(soma=trace)
    assert extract(_plan([*low, *plain, *fine, *coarse]), recordings) == expected
    assert extract(_plan([*coarse, *fine, *plain, *low]), recordings) == expected
    for targets in (low, plain, fine, coarse):  # call after call, and after somebody else's settings
        efel.set_setting("Threshold", 10.0)
        efel.set_setting("spike_skipf", 0.5)
        found = extract(_plan(targets), recordings)
        assert found == {t["id"]: expected[t["id"]] for t in targets}


def test_windows_reach_efel():
    trace = Trace(_fixed(), _spiking(_fixed(), (30.0, 60.0, 95.0)))
    names = ["Spikecount_stimint", "voltage_base", "time_to_first_spike"]
    window = {"start": "50 ms", "end": "70 ms"}
    found = extract(_plan([*_targets(names, "w.", window=window), *_targets(names)]), _recordings(soma=trace))
    expected = {**_by_hand(trace, names), **{f"w.{k}": v for k, v in _by_hand(trace, names, 50.0, 70.0).items()}}
    assert found == expected
    assert found["w.Spikecount_stimint"] != found["Spikecount_stimint"]


def test_a_grid_that_the_backend_changes_in_place_is_seen():
    t_ms = _fixed()
    plan = _plan(_targets(["time_to_first_spike"]))
    y = _spiking(t_ms, (60.0,))
    first = extract(plan, _recordings(soma=Trace(t_ms, y)))
    t_ms *= 0.9
    second = extract(plan, _recordings(soma=Trace(t_ms, y)))
    assert second == _by_hand(Trace(t_ms, y), ["time_to_first_spike"])
    assert second != first


def test_spike_times_lie_on_the_line_between_samples():
    t_ms = np.array([0.0, 1.0, 3.0, 3.5, 4.0, 6.0])
    trace = Trace(t_ms, np.array([-60.0, -30.0, 10.0, -70.0, -20.0, 20.0]))
    # from -30 at 1 ms to 10 at 3 ms it meets -20 a quarter of the way; the sample on -20 at 4 ms is where it leaves
    np.testing.assert_allclose(spike_times(trace, -20.0), [1.5, 4.0], rtol=0, atol=1e-15)
    assert spike_times(Trace(t_ms, np.full(6, 30.0)), -20.0).size == 0
    assert spike_times(Trace(t_ms, np.array([-60.0, -20.0, -60.0, -20.0, -60.0, -60.0])), -20.0).size == 0
    assert spike_times(Trace(np.empty(0), np.empty(0)), -20.0).size == 0


def test_spike_times_of_a_target_use_its_threshold():
    trace = Trace(_irregular(), _spiking(_irregular(), (40.0, 80.0)))
    wanted = {"type": "spike_times", "protocol": "step", "recording": "soma", "times": []}
    data = copy.deepcopy(TARGETS)
    data["targets"] = [
        {**wanted, "id": "a"},
        {**wanted, "id": "b", "threshold": "30 mV"},
        {**wanted, "id": "c", "threshold": "0.1 V"},
    ]
    experiment = Experiment("step", 200.0, 279.0, (), (Output("soma", SITE),))
    plan = make_plan(Targets.model_validate(data), fake_cell(), (experiment,), None)
    found = extract(plan, _recordings(soma=trace))
    # -55 + 100 exp(-((t-40)/0.6)^2) = -20: half a millisecond before the bump's top
    assert found["a"] == pytest.approx((39.385, 79.385), abs=0.02)
    assert found["b"] == pytest.approx((39.76, 79.76), abs=0.05)
    assert found["c"] == ()


def test_root_mean_square_is_taken_at_the_wanted_times_in_the_unit_of_the_target():
    trace = Trace(np.array([0.0, 1.0, 3.0]), np.array([0.0, 10.0, 30.0]))
    wanted = TraceRequest(
        "t", ("step", "soma"), np.array([0.5, 2.0, 3.0]), np.array([5.0 - 3.0, 20.0, 30.0 + 4.0]), 1e-3
    )
    assert root_mean_square(trace, wanted) == pytest.approx(1e-3 * np.sqrt((9.0 + 0.0 + 16.0) / 3.0), rel=1e-14)


def test_a_current_compared_in_another_unit(tmp_path):
    (tmp_path / "wanted.csv").write_text("0 100\n50 100\n100 100\n")
    target = {"type": "trace", "id": "i", "protocol": "step", "recording": "soma", "file": "wanted.csv"}
    data = copy.deepcopy(TARGETS)
    data["targets"] = [{**target, "unit": "pA", "sd": "10 pA"}]
    experiment = Experiment("step", 200.0, 279.0, (), (Output("soma", SITE, "i_clamp"),))
    plan = make_plan(Targets.model_validate(data), fake_cell(), (experiment,), tmp_path)
    recorded = Trace(np.array([0.0, 200.0]), np.array([0.13, 0.13]))  # nA: 30 pA off
    assert extract(plan, _recordings(soma=recorded))["i"] == pytest.approx((30.0,), rel=1e-12)
