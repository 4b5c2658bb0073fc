"""Spikes of one backend's runs, and where runs change smoothly with the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nmlopt.backend import Recordings
from nmlopt.experiment.model import Attached, Experiment, Played, Stimulus, VoltageClamp
from nmlopt.features.extract import spike_times
from nmlopt.features.plan import Key
from nmlopt.ir.assignments import in_effect
from nmlopt.ir.model import Cell, MechanismKind, Site
from nmlopt.lems.evaluate import evaluate
from nmlopt.spec.models import SpikeTimesTarget
from nmlopt.spec.quantities import number
from nmlopt.verify.model import Subject, Train
from nmlopt.verify.refine import Estimate, estimate, settled

_ON_GRID = 1e-6


def is_smooth(cell: Cell, experiment: Experiment, dt_ms: float) -> bool:
    """Whether a run changes smoothly with the step: no resets, and every edge of a stimulus at the end of a step."""
    for mechanism in cell.mechanisms:
        if mechanism.kind is MechanismKind.POINT_CELL and (mechanism.dynamics.conditions or mechanism.dynamics.regimes):
            return False
    steps = np.array([t for stimulus in experiment.stimuli for t in edges(stimulus)]) / dt_ms
    return bool(np.all(np.abs(steps - np.round(steps)) < _ON_GRID))


def edges(stimulus: Stimulus) -> tuple[float, ...]:
    """When a stimulus jumps, ms."""
    if isinstance(stimulus, Played):
        return ()  # continuous but at its ends
    if isinstance(stimulus, Attached):
        return stimulus.events_ms
    if isinstance(stimulus, VoltageClamp):
        return tuple(np.cumsum([duration for duration, _ in stimulus.levels]))
    return (stimulus.delay_ms, stimulus.delay_ms + stimulus.duration_ms)


def thresholds(subject: Subject) -> dict[Key, float]:
    """The voltage (mV) whose upward crossing is a spike, by recording of a voltage.

    That of a spike-times target on the recording, else the document's spikeThresh there, else 0 mV.
    """
    asked = {
        (t.protocol, t.recording): number(t.threshold, "mV")
        for t in subject.targets.targets
        if isinstance(t, SpikeTimesTarget)
    }
    return {
        (e.id, o.id): asked.get((e.id, o.id), _stated(subject, o.site))
        for e in subject.experiments
        for o in e.outputs
        if o.variable == "v"
    }


def _stated(subject: Subject, site: Site) -> float:
    slots = [s.unit.to_si(v) for s, v in zip(subject.cell.slots, subject.values[0].tolist(), strict=True)]
    for assignment in in_effect(subject.cell.spike_threshold):
        if site.compartment in assignment.compartments:
            return 1e3 * float(evaluate(assignment.value, {}, slots))
    return 0.0


def trains(
    subject: Subject, runs: Sequence[Recordings], smooth: Mapping[str, bool], finest_ms: float
) -> dict[Key, Train]:
    """The spikes of every voltage recording."""
    found = {}
    for key, threshold in thresholds(subject).items():
        times = [spike_times(run.traces[key], threshold) for run in runs]
        counts = tuple(len(t) for t in times)
        is_smooth = smooth[key[0]]
        made = estimate(times, smooth=is_smooth) if settled(counts) else None
        if made is not None and not is_smooth:
            made = Estimate(made.value, made.error + finest_ms)  # what happens between two steps happens at one
        found[key] = Train(counts, made, tuple(times))
    return found
