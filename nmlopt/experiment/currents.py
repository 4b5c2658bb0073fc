"""The current of a stimulus as a function of time, as `experiment.model` defines it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nmlopt.experiment.model import Attached, Played, Pulse, Ramp, Sine, Stimulus, VoltageClamp

Floats = npt.NDArray[np.float64]


def current(stimulus: Stimulus, t_ms: Floats) -> Floats:
    """The current at those times (n,), in nA or plain numbers; 0 where the cell decides it."""
    if isinstance(stimulus, Played):
        return np.interp(t_ms, stimulus.times_ms, stimulus.amplitudes, left=0.0, right=0.0)
    if isinstance(stimulus, VoltageClamp | Attached):
        return np.zeros_like(t_ms)
    since = t_ms - stimulus.delay_ms
    inside = (since >= 0) & (since < stimulus.duration_ms)
    if isinstance(stimulus, Pulse):
        shape: Floats = np.full_like(t_ms, stimulus.amplitude)
    elif isinstance(stimulus, Ramp):
        shape = stimulus.start + (stimulus.finish - stimulus.start) * since / stimulus.duration_ms
    else:
        shape = _sine(stimulus, since)
    return np.where(inside, shape, 0.0)


def _sine(stimulus: Sine, since: Floats) -> Floats:
    return stimulus.amplitude * np.sin(stimulus.phase_rad + 2.0 * np.pi * since / stimulus.period_ms)
