"""Voltage clamps as steps of a target behind a resistance, and the current they give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmlopt.experiment.model import Experiment, Output, VoltageClamp

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Clamp:
    """A voltage clamp: (start, target) steps, its end, ms and mV and Mohm."""

    compartment: int
    series_resistance_Mohm: float
    end_ms: float
    times_ms: Floats
    targets_mV: Floats


def clamps(experiment: Experiment) -> tuple[Clamp, ...]:
    """The voltage clamps of an experiment."""
    return tuple(_clamp(s) for s in experiment.stimuli if isinstance(s, VoltageClamp))


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
