"""Stimuli as envelopes of (time, current) points, linear between them, and a sine's frequency. No simulator in here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nmlopt.experiment.model import Attached, Experiment, Played, Pulse, Ramp, Sine, Stimulus, VoltageClamp


@dataclass(frozen=True, slots=True)
class Clamp:
    """A current clamp at a compartment: ms, nA, kHz, rad. The current is envelope * sin(2 pi f t + phase), or the
    envelope alone where the frequency is 0; nothing flows before its first point."""

    compartment: int
    envelope: tuple[tuple[float, float], ...]
    frequency_kHz: float = 0.0
    phase_rad: float = 0.0


def clamps(experiment: Experiment) -> tuple[Clamp, ...]:
    """The current stimuli of an experiment."""
    return tuple(clamp(s) for s in experiment.stimuli if not isinstance(s, VoltageClamp | Attached))


def labels(experiment: Experiment) -> dict[str, Attached]:
    """The attached inputs of an experiment by the labels that Arbor knows them by."""
    attached = [s for s in experiment.stimuli if isinstance(s, Attached)]
    return {f"input{number}": stimulus for number, stimulus in enumerate(attached)}


def delivered(events_ms: Sequence[float], dt_ms: float) -> tuple[float, ...]:
    """When Arbor is to be given events so that each acts at the step nearest to it, as in NEURON.

    Arbor delivers an event with the step in which it falls: a quarter into the step, no rounding can move it.
    """
    return tuple((max(0, math.ceil(t / dt_ms - 0.5)) + 0.25) * dt_ms for t in events_ms)


def clamp(stimulus: Stimulus) -> Clamp:
    """The clamp of a current stimulus, which steps down to 0 at its end. Raises TypeError for any other stimulus."""
    match stimulus:
        case Pulse(site, delay, duration, amplitude):
            return Clamp(site.compartment, _window(delay, duration, amplitude, amplitude))
        case Ramp(site, delay, duration, start, finish):
            return Clamp(site.compartment, _window(delay, duration, start, finish))
        case Sine(site, delay, duration, amplitude, period, phase):
            frequency = 1.0 / period
            shift = phase - 2.0 * math.pi * math.fmod(delay * frequency, 1.0)
            return Clamp(site.compartment, _window(delay, duration, amplitude, amplitude), frequency, shift)
        case Played(site, times, amplitudes):
            return Clamp(site.compartment, (*zip(times, amplitudes, strict=True), (times[-1], 0.0)))
        case VoltageClamp() | Attached():
            raise TypeError(stimulus)


def _window(delay: float, duration: float, start: float, finish: float) -> tuple[tuple[float, float], ...]:
    end = delay + duration
    return (delay, start), (end, finish), (end, 0.0)
