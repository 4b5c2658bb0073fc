"""Stimuli as numbers for NEURON's IClamp, SEClamp and Vector.play. No simulator in here.

Edges: an IClamp is tested at mid-step with fixed steps and met exactly by CVODE. Ramps and played currents are
piecewise linear, which Vector.play reproduces exactly; a sine is sampled finely enough to be linear between samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmlopt.backend import Floats
from nmlopt.experiment.model import Experiment, Output, Played, Pulse, Ramp, Sine, Stimulus, VoltageClamp

_SINE_SAMPLES_PER_PERIOD = 2000
"""Linear interpolation then errs by (2 pi / 2000)^2 / 8 of the amplitude, 1.2e-6."""


@dataclass(frozen=True)
class Current:
    """A current clamp: a constant, or samples that are linear between them, inside a window; ms and nA."""

    compartment: int
    delay_ms: float
    duration_ms: float
    amplitude: float
    times_ms: Floats | None = None
    amplitudes: Floats | None = None


@dataclass(frozen=True)
class Clamp:
    """A voltage clamp: (start, target) steps, its end, ms and mV and Mohm."""

    compartment: int
    series_resistance_Mohm: float
    end_ms: float
    times_ms: Floats
    targets_mV: Floats


def currents(experiment: Experiment) -> tuple[Current, ...]:
    """The current stimuli of an experiment."""
    return tuple(_current(s) for s in experiment.stimuli if not isinstance(s, VoltageClamp))


def clamps(experiment: Experiment) -> tuple[Clamp, ...]:
    """The voltage clamps of an experiment."""
    return tuple(_clamp(s) for s in experiment.stimuli if isinstance(s, VoltageClamp))


def _current(stimulus: Pulse | Ramp | Sine | Played) -> Current:
    site = stimulus.site.compartment
    match stimulus:
        case Pulse():
            return Current(site, stimulus.delay_ms, stimulus.duration_ms, stimulus.amplitude)
        case Ramp():
            times = np.array([stimulus.delay_ms, stimulus.delay_ms + stimulus.duration_ms])
            values = np.array([stimulus.start, stimulus.finish])
        case Sine():
            count = max(2, math.ceil(stimulus.duration_ms / stimulus.period_ms * _SINE_SAMPLES_PER_PERIOD) + 1)
            since = np.linspace(0.0, stimulus.duration_ms, count)
            times = stimulus.delay_ms + since
            values = stimulus.amplitude * np.sin(stimulus.phase_rad + 2.0 * math.pi * since / stimulus.period_ms)
        case Played():
            times = np.asarray(stimulus.times_ms, dtype=np.float64)
            values = np.asarray(stimulus.amplitudes, dtype=np.float64)
    return Current(site, float(times[0]), float(times[-1] - times[0]), 0.0, times, values)


def _clamp(stimulus: VoltageClamp) -> Clamp:
    durations = np.array([duration for duration, _ in stimulus.levels])
    starts = np.concatenate(([0.0], np.cumsum(durations)[:-1]))
    targets = np.array([target for _, target in stimulus.levels])
    return Clamp(
        stimulus.site.compartment, stimulus.series_resistance_Mohm, float(durations.sum()), starts, targets
    )  # fmt: skip


def clamp_current(clamp: Clamp, t_ms: Floats, v_mV: Floats) -> Floats:
    """(target - v) / R in nA at the times of a trace, 0 after the last level: exact at the sample, not a step late."""
    level = np.searchsorted(clamp.times_ms, t_ms, side="right") - 1
    current = (clamp.targets_mV[level] - v_mV) / clamp.series_resistance_Mohm
    return np.where(t_ms < clamp.end_ms, current, 0.0)


def clamp_of(experiment: Experiment, output: Output) -> Clamp:
    """The clamp whose current an output asks for: the one at its compartment, else the only one."""
    found = clamps(experiment)
    here = [c for c in found if c.compartment == output.site.compartment]
    return (here or list(found))[0]


def drive_samples(stimuli: Sequence[Stimulus], duration_ms: float, dt_ms: float) -> Floats:
    """The sum of the current stimuli in the middle of each fixed step, in the stimuli's unit; shape (steps,)."""
    steps = max(1, round(duration_ms / dt_ms))
    middle = (np.arange(steps) + 0.5) * dt_ms
    total = np.zeros(steps)
    for stimulus in stimuli:
        if isinstance(stimulus, VoltageClamp):
            continue
        current = _current(stimulus)
        inside = (middle >= current.delay_ms) & (middle < current.delay_ms + current.duration_ms)
        if current.times_ms is None or current.amplitudes is None:
            total += np.where(inside, current.amplitude, 0.0)
        else:
            total += np.where(inside, np.interp(middle, current.times_ms, current.amplitudes), 0.0)
    return total
