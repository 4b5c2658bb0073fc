"""Stimuli as numbers for NEURON's IClamp, SEClamp and Vector.play. No simulator in here.

Edges: an IClamp is tested at mid-step with fixed steps and met exactly by CVODE. Ramps and played currents are
piecewise linear, which Vector.play reproduces exactly; a sine has a generated clamp of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmlopt.backend import Floats
from nmlopt.experiment.model import Attached, Experiment, Played, Pulse, Ramp, Sine, Stimulus, VoltageClamp


@dataclass(frozen=True)
class Current:
    """A current clamp: a constant, a sine, or samples that are linear between them, inside a window; ms and nA."""

    compartment: int
    delay_ms: float
    duration_ms: float
    amplitude: float
    times_ms: Floats | None = None
    amplitudes: Floats | None = None
    period_ms: float = 0.0
    phase_rad: float = 0.0

    @property
    def is_sine(self) -> bool:
        """Whether the amplitude is that of a sine."""
        return self.period_ms > 0.0

    def at(self, t_ms: Floats) -> Floats:
        """The current at the given times."""
        since = t_ms - self.delay_ms
        if self.is_sine:
            values = self.amplitude * np.sin(self.phase_rad + 2.0 * math.pi * since / self.period_ms)
        elif self.times_ms is not None and self.amplitudes is not None:
            values = np.interp(t_ms, self.times_ms, self.amplitudes)
        else:
            values = np.full(len(t_ms), self.amplitude)
        return np.where((since >= 0.0) & (since < self.duration_ms), values, 0.0)


def currents(experiment: Experiment) -> tuple[Current, ...]:
    """The current stimuli of an experiment."""
    return tuple(_current(s) for s in experiment.stimuli if not isinstance(s, VoltageClamp | Attached))


def _current(stimulus: Pulse | Ramp | Sine | Played) -> Current:
    site = stimulus.site.compartment
    match stimulus:
        case Pulse():
            return Current(site, stimulus.delay_ms, stimulus.duration_ms, stimulus.amplitude)
        case Ramp():
            times = np.array([stimulus.delay_ms, stimulus.delay_ms + stimulus.duration_ms])
            values = np.array([stimulus.start, stimulus.finish])
        case Sine():
            window = (stimulus.delay_ms, stimulus.duration_ms)
            return Current(
                site, *window, stimulus.amplitude, period_ms=stimulus.period_ms, phase_rad=stimulus.phase_rad
            )
        case Played():
            times = np.asarray(stimulus.times_ms, dtype=np.float64)
            values = np.asarray(stimulus.amplitudes, dtype=np.float64)
    return Current(site, float(times[0]), float(times[-1] - times[0]), 0.0, times, values)


def whole_steps(duration_ms: float, dt_ms: float) -> int:
    """The number of fixed steps NEURON takes: those that end within the duration, give or take rounding."""
    return math.floor(duration_ms / dt_ms + 1e-6)


def drive_samples(stimuli: Sequence[Stimulus], duration_ms: float, dt_ms: float) -> Floats:
    """The sum of the current stimuli in the middle of each fixed step, in the stimuli's unit; shape (steps,)."""
    steps = max(1, whole_steps(duration_ms, dt_ms))
    middle: Floats = (np.arange(steps, dtype=np.float64) + 0.5) * dt_ms
    total = np.zeros(steps)
    for stimulus in stimuli:
        if not isinstance(stimulus, VoltageClamp | Attached):
            total += _current(stimulus).at(middle)
    return total
