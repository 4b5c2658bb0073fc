"""The plan of what is extracted: groups, windows, settings, units of wanted traces."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
from fake_backend import SITE, TARGETS, fake_cell, fake_experiment

from nmlopt.errors import TargetsError
from nmlopt.experiment.model import Experiment, Output, Played, Pulse, Sine, VoltageClamp
from nmlopt.features.plan import EfelTrace, make_plan, sampled_for, stimulus_window
from nmlopt.spec.models import Targets

EXPOSURE = "ca/concentration"


def _feature(name: str, feature: str = "Spikecount", **more) -> dict:
    place = {"protocol": "step", "recording": "soma"}
    return {"type": "feature", "id": name, "feature": feature, "mean": 1.0, "sd": 1.0, **place, **more}


def _trace(unit: str, sd: str, **more) -> dict:
    place = {"protocol": "step", "recording": "soma", "file": "wanted.csv"}
    return {"type": "trace", "id": "wanted", "unit": unit, "sd": sd, **place, **more}


def _plan(*targets: dict, variable: str = "v", folder=None):
    data = copy.deepcopy(TARGETS)
    data["targets"] = list(targets)
    experiment = fake_experiment()
    experiment = Experiment("step", 100.0, 279.0, experiment.stimuli, (Output("soma", SITE, variable),))
    return make_plan(Targets.model_validate(data), fake_cell(), (experiment,), folder)


def _experiment(*stimuli) -> Experiment:
    return Experiment("step", 100.0, 279.0, stimuli, ())


def test_targets_of_one_recording_window_and_setting_share_a_call():
    plan = _plan(_feature("a"), _feature("b", "AP_amplitude"), _feature("c"))
    assert len(plan.groups) == 1
    wanted = (("a", "Spikecount"), ("b", "AP_amplitude"), ("c", "Spikecount"))
    assert plan.groups[0].traces == (EfelTrace(("step", "soma"), 20.0, 80.0, ("Spikecount", "AP_amplitude"), wanted),)


def test_thresholds_and_settings_make_groups_and_windows_make_traces():
    window = {"start": "0.01 s", "end": "30 ms"}
    plan = _plan(
        _feature("a"),
        _feature("b", threshold="-0.03 V"),
        _feature("c", window=window),
        _feature("d", efel_settings={"interp_step": 0.05}),
        _feature("e", threshold="-20 mV"),
        _feature("f", efel_settings={"Threshold": -30}),
    )
    found = [[[name for name, _ in trace.wanted] for trace in group.traces] for group in plan.groups]
    assert found == [[["a", "e"], ["c"]], [["b", "f"]], [["d"]]]
    assert (plan.groups[0].traces[1].start_ms, plan.groups[0].traces[1].end_ms) == (10.0, 30.0)


def test_a_stimulus_current_goes_with_its_trace_and_is_asked_for_where_needed():
    resistance = "ohmic_input_resistance"
    plan = _plan(_feature("a"), _feature("b", resistance, efel_settings={"stimulus_current": -0.1}))
    assert [(trace.stimulus_nA, trace.wanted) for trace in plan.groups[0].traces] == [
        (None, (("a", "Spikecount"),)),
        (-0.1, (("b", resistance),)),
    ]
    assert "stimulus_current" not in dict(plan.groups[0].settings)
    with pytest.raises(TargetsError) as caught:
        _plan(_feature("a", resistance), _feature("b", resistance, efel_settings={"stimulus_current": "0.1 nA"}))
    assert [(i.code, i.where) for i in caught.value.issues] == [
        ("T006", "$.targets[0]"),
        ("T009", "$.targets[1].efel_settings.stimulus_current"),
    ]


def test_a_group_says_all_settings_in_the_types_of_efel():
    settings = dict(
        _plan(_feature("a", efel_settings={"strict_stiminterval": 1, "DerivativeWindow": 5})).groups[0].settings
    )
    assert settings["Threshold"] == -20.0
    assert settings["strict_stiminterval"] is True
    assert settings["DerivativeWindow"] == 5
    assert settings["interp_step"] == 0.1
    assert "dependencyfile_path" not in settings


def test_settings_that_efel_cannot_use_are_all_reported():
    wrong = {"Thresold": -30, "interp_step": "small", "DerivativeWindow": 2.5, "voltage_base_mode": 1,
             "dependencyfile_path": "/etc/passwd", "ignore_first_ISI": 2}  # fmt: skip
    with pytest.raises(TargetsError) as caught:
        _plan(_feature("a"), _feature("b", efel_settings=wrong))
    found = {issue.where.rpartition(".")[2]: issue for issue in caught.value.issues}
    assert {name: issue.code for name, issue in found.items()} == {
        "Thresold": "T007",
        "interp_step": "T009",
        "DerivativeWindow": "T009",
        "voltage_base_mode": "T009",
        "dependencyfile_path": "T007",
        "ignore_first_ISI": "T009",
    }
    assert found["Thresold"].where == "$.targets[1].efel_settings.Thresold"
    assert "'Threshold'" in found["Thresold"].hint


@pytest.mark.parametrize(
    ("stimuli", "window"),
    [
        ((), (0.0, 100.0)),
        ((Pulse(SITE, 10.0, 5.0, 1.0), Pulse(SITE, 30.0, 40.0, 1.0), Sine(SITE, 80.0, 10.0, 1.0, 1.0, 0.0)), (30, 70)),
        ((Pulse(SITE, 90.0, 500.0, 1.0), Pulse(SITE, 10.0, 20.0, 1.0)), (10.0, 30.0)),
        ((Pulse(SITE, 20.0, 1e9, 1.0),), (20.0, 100.0)),
        ((Pulse(SITE, 100.0, 50.0, 1.0),), (0.0, 100.0)),
        ((Pulse(SITE, 50.0, 0.0, 1.0),), (0.0, 100.0)),
        ((Played(SITE, (5.0, 6.0, 60.0), (0.0, 1.0, 0.0)),), (5.0, 60.0)),
        ((VoltageClamp(SITE, 0.01, ((10.0, -65.0), (20.0, 0.0))),), (0.0, 30.0)),
    ],
    ids=["none", "longest", "longest within the protocol", "cut", "after the end", "no length", "played", "clamp"],
)
def test_the_window_is_that_of_the_longest_stimulus(stimuli, window):
    assert stimulus_window(_experiment(*stimuli)) == window


@pytest.mark.parametrize(
    ("variable", "unit", "sd", "recorded", "scale"),
    [
        ("v", "mV", "1 mV", 2.0, 1.0),
        ("v", "V", "1 mV", 2000.0, 1e-3),
        ("i_clamp", "pA", "5 pA", 0.002, 1000.0),
        ("i_clamp", "nA", "5 pA", 2.0, 1.0),
        (EXPOSURE, "mM", "0.1 mM", 2.0, 1.0),
        (EXPOSURE, "nA", "1 nA", 2e-9, 1e9),
        (EXPOSURE, "", "0.1", 2.0, 1.0),
        (EXPOSURE, "degC", "1 K", 275.15, 1.0),
    ],
)
def test_a_wanted_trace_is_brought_to_the_unit_of_the_recording(tmp_path, variable, unit, sd, recorded, scale):
    (tmp_path / "wanted.csv").write_text("time,value\n0.001,2\n0.002,4\n")
    request = _plan(_trace(unit, sd, time_unit="s"), variable=variable, folder=tmp_path).traces[0]
    assert request.t_ms.tolist() == [1.0, 2.0]
    assert request.y[0] == pytest.approx(recorded, rel=1e-15)
    assert request.scale == pytest.approx(scale, rel=1e-12)


def test_the_window_of_a_wanted_trace_takes_its_ends_in(tmp_path):
    (tmp_path / "wanted.csv").write_text("\n".join(f"{t} {t}" for t in range(-5, 200)))
    window = {"start": "10 ms", "end": "12 ms"}
    request = _plan(_trace("mV", "1 mV", window=window), folder=tmp_path).traces[0]
    np.testing.assert_array_equal(request.t_ms, [10.0, 11.0, 12.0])


@pytest.mark.parametrize(
    ("window", "code", "text"),
    [
        (None, "T025", "from -5 to 199 ms, the protocol from 0 to 100 ms"),
        ({"start": "10.2 ms", "end": "10.8 ms"}, "T055", "no sample in the window"),
    ],
)
def test_samples_that_cannot_be_compared_are_refused(tmp_path, window, code, text):
    (tmp_path / "wanted.csv").write_text("\n".join(f"{t} {t}" for t in range(-5, 200)))
    with pytest.raises(TargetsError, match=text) as caught:
        _plan(_trace("mV", "1 mV", window=window), folder=tmp_path)
    assert caught.value.issues[0].code == code


SPIKES = {"type": "spike_times", "id": "s", "protocol": "step", "recording": "soma", "times": ["30 ms"], "sd": "1 ms"}


@pytest.mark.parametrize(
    ("targets", "sampling_ms"),
    [
        ([_feature("a"), _feature("b", threshold="0 mV")], 0.1),
        ([_feature("a", efel_settings={"interp_step": 0.05})], 0.05),
        ([_feature("a"), _feature("b", efel_settings={"interp_step": 0.05})], 0.0),
        ([_feature("a"), SPIKES], 0.0),
    ],
    ids=["features", "their own step", "two steps", "spike times"],
)
def test_samples_are_needed_where_features_look(targets, sampling_ms):
    plan, experiment = _plan(*targets), replace(_experiment(), outputs=(Output("soma", SITE),))
    (sampled,) = sampled_for(plan, (experiment,))
    assert sampled == replace(experiment, sampling_ms=sampling_ms)


def test_what_no_target_reads_is_neither_recorded_nor_run():
    plan, soma = _plan(_feature("a")), Output("soma", SITE)
    experiment = replace(_experiment(), outputs=(Output("far", SITE), soma, Output("m", SITE, "na/m")))
    unread = replace(experiment, id="nobody asks", outputs=(soma,))
    assert sampled_for(plan, (unread, experiment)) == (replace(experiment, outputs=(soma,), sampling_ms=0.1),)
