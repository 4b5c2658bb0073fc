"""Stimuli as samples and clamp currents, against their formulas."""

from __future__ import annotations

import numpy as np

from nmlopt.experiment.model import Experiment, Played, Pulse, Ramp, Sine, VoltageClamp
from nmlopt.experiment.voltage_clamps import clamp_current, clamps
from nmlopt.exporters.neuron.stimuli import drive_samples
from nmlopt.ir.model import Site

SITE = Site(0, 0.5, 0)


def test_samples_are_taken_in_the_middle_of_the_steps():
    stimuli = (Pulse(SITE, 1.0, 2.0, 0.5), Ramp(SITE, 4.0, 2.0, 0.0, 1.0))
    samples = drive_samples(stimuli, 8.0, 1.0)
    assert samples.tolist() == [0.0, 0.5, 0.5, 0.0, 0.25, 0.75, 0.0, 0.0]


def test_sine_and_played():
    middle = np.arange(40) * 0.25 + 0.125
    sine = drive_samples((Sine(SITE, 2.0, 5.0, 2.0, 4.0, 0.3),), 10.0, 0.25)
    inside = (middle >= 2.0) & (middle < 7.0)
    assert np.allclose(sine, np.where(inside, 2.0 * np.sin(0.3 + np.pi / 2.0 * (middle - 2.0)), 0.0), atol=1e-14)
    played = drive_samples((Played(SITE, (1.0, 2.0, 4.0), (0.0, 1.0, -1.0)),), 10.0, 0.25)
    assert played[middle < 1.0].max() == 0.0
    assert played[middle > 4.0].min() == 0.0
    assert played[np.flatnonzero(middle == 2.125)[0]] == 1.0 - 2.0 * 0.125 / 2.0


def test_clamp_current_follows_its_levels():
    experiment = Experiment("e", 10.0, 300.0, (VoltageClamp(SITE, 2.0, ((3.0, -60.0), (4.0, 0.0))),), ())
    t = np.array([0.0, 2.9, 3.0, 6.9, 7.0, 9.0])
    v = np.full(6, -65.0)
    assert clamp_current(clamps(experiment)[0], t, v).tolist() == [2.5, 2.5, 32.5, 32.5, 0.0, 0.0]
