"""What Arbor refuses, by code and name, without Arbor; and stimuli as envelopes."""

from __future__ import annotations

import math

import pytest

from nmlopt.backend import Integrator, Numerics, Settings, refused_settings
from nmlopt.document.read import read
from nmlopt.experiment.model import Attached, Experiment, Output, Played, Pulse, Ramp, Sine, VoltageClamp
from nmlopt.exporters.arbor.backend import ArborBackend
from nmlopt.exporters.arbor.stimuli import clamp
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

SITE = Site(0, 0.5, 3)


def _codes(issues):
    return [issue.code for issue in issues]


def test_a_cell_with_compartments_and_pulses_is_accepted(root):
    cell = lower(read(root / "examples" / "ball_and_stick" / "model.nml"))
    experiment = Experiment("e", 10.0, 279.0, (Pulse(SITE, 1.0, 2.0, 0.1),), (Output("soma", SITE),))
    assert ArborBackend().unsupported(cell, (experiment,)) == ()


def test_a_point_cell_is_refused_by_name(root):
    cell = lower(read(root / "examples" / "izhikevich" / "model.nml"))
    (issue,) = ArborBackend().unsupported(cell, ())
    assert issue.code == "B043"
    assert "izhikevich" in issue.message
    assert "neuron" in issue.hint


def test_inputs_that_were_not_compiled_in_and_recordings_that_do_not_exist_are_refused(root):
    cell = lower(read(root / "examples" / "hh_soma" / "model.nml"))
    stimuli = (VoltageClamp(SITE, 1.0, ((10.0, -40.0),)), Attached(SITE, "syn", "syn0"))
    outputs = (Output("gate", SITE, "nowhere/m/q"), Output("far", SITE, "na/m/q"), Output("v", SITE))
    experiment = Experiment("e", 10.0, 279.0, stimuli, outputs)
    assert _codes(ArborBackend().unsupported(cell, (experiment,))) == ["B037", "B034", "B035"]


def test_settings_without_a_counterpart_are_all_named():
    settings = Settings(numerics=Numerics.JNEUROML, integrator=Integrator.CVODE, tables=True)
    assert _codes(refused_settings(ArborBackend(), settings)) == ["B040", "B041", "B042"]
    assert refused_settings(ArborBackend(), Settings()) == ()


def test_windows_end_in_a_step_down_to_zero():
    assert clamp(Pulse(SITE, 5.0, 10.0, 0.2)).envelope == ((5.0, 0.2), (15.0, 0.2), (15.0, 0.0))
    assert clamp(Ramp(SITE, 5.0, 10.0, 0.1, 0.3)).envelope == ((5.0, 0.1), (15.0, 0.3), (15.0, 0.0))
    played = Played(SITE, (1.0, 2.0, 4.0), (0.0, 0.5, 0.25))
    assert clamp(played).envelope == ((1.0, 0.0), (2.0, 0.5), (4.0, 0.25), (4.0, 0.0))


@pytest.mark.parametrize("t", [7.5, 9.0, 31.25])
def test_a_sine_starts_its_phase_at_its_delay(t):
    made = clamp(Sine(SITE, 7.5, 40.0, 0.3, 12.0, 0.4))
    assert made.compartment == 3
    wave = math.sin(2.0 * math.pi * made.frequency_kHz * t + made.phase_rad)
    assert wave == pytest.approx(math.sin(0.4 + 2.0 * math.pi * (t - 7.5) / 12.0), abs=1e-12)
