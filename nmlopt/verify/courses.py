"""Recordings at a step of zero.

A spike that comes a little later at a smaller step makes a large difference of voltage at one moment, which shrinks in
no order. So before anything is extrapolated, the time axis of every run is stretched between its spikes until they fall
on those of the smallest step; what is compared is the shape, and the times of spikes are judged by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from nmlopt.backend import Floats, Recordings, Trace
from nmlopt.experiment.model import Experiment
from nmlopt.features.plan import Key
from nmlopt.verify.model import Course, Subject, Train
from nmlopt.verify.refine import Estimate, estimate
from nmlopt.verify.spikes import edges
from nmlopt.verify.tolerances import RESOLVED_MS, SPIKE_FLOOR_MS

_NEIGHBOURS = 9
"""Samples whose worst error counts for each: errors pass through zero where traces cross."""
_CHANCE = 0.25
"""At least this share of the last change is a trace's error: what three runs show passes through zero by chance."""


def courses(
    subject: Subject, runs: Sequence[Recordings], smooth: Mapping[str, bool], trains: Mapping[Key, Train]
) -> dict[Key, Course]:
    """Every recording, on the grid of the coarsest run."""
    found = {}
    for experiment in subject.experiments:
        for output in experiment.outputs:
            key = (experiment.id, output.id)
            train = trains.get(key) or leading(experiment, trains)
            traces = [run.traces[key] for run in runs]
            found[key] = course(experiment, traces, train, smooth=smooth[experiment.id])
    return found


def leading(experiment: Experiment, trains: Mapping[Key, Train]) -> Train | None:
    """The spikes by which a recording that is no voltage is aligned: those of the first voltage recording."""
    return next((trains[experiment.id, o.id] for o in experiment.outputs if (experiment.id, o.id) in trains), None)


def course(experiment: Experiment, traces: Sequence[Trace], train: Train | None, *, smooth: bool) -> Course:
    """One recording from its runs, coarsest first."""
    t_ms, finest = traces[0].t_ms, traces[-1]
    fixed = fixed_times(experiment)
    own = train.spikes if train is not None else tuple(np.empty(0) for _ in traces)
    knots = [(_knots(fixed, spikes, own[-1])) for spikes in own]
    levels = [
        np.interp(np.interp(t_ms, there, here), trace.t_ms, trace.y)
        for trace, (here, there) in zip(traces, knots, strict=True)
    ]
    made = estimate(levels, smooth=smooth)
    play_ms = SPIKE_FLOOR_MS
    if not smooth:
        late = float(train.times.error.max(initial=0.0)) if train is not None and train.times is not None else 0.0
        play_ms += late + float(t_ms[1] - t_ms[0])
    error = maximum_filter1d(np.maximum(made.error, _CHANCE * np.abs(levels[-1] - levels[-2])), _NEIGHBOURS)
    known_ms = _known_ms(train, own) if train is not None else math.inf
    play = _play(t_ms, finest, play_ms)
    for begin_ms, end_ms, shift_ms in _out_of_phase(fixed, train, own[-1]):
        there = (t_ms >= begin_ms) & (t_ms <= end_ms)
        play[there] = _play(t_ms[there], finest, play_ms + shift_ms)
    return Course(t_ms, Estimate(made.value, error), play, finest, own[-1], known_ms)


def aligned(experiment: Experiment, one: Course, other: Course, t_ms: Floats) -> Floats:
    """Times of `other` (n,) that belong to the times of `one`, by their spikes in order."""
    here, there = _knots(fixed_times(experiment), other.spikes, one.spikes)
    return np.asarray(np.interp(t_ms, there, here), dtype=np.float64)


def _out_of_phase(fixed: Floats, train: Train | None, own: Floats) -> Iterator[tuple[float, float, float]]:
    """(begin, end, shift) in ms of what lies around edges: edges cut spikes off at another phase in every run.

    From the last spike before an edge to the first one after it; `shift` is how far the last one of the smallest step
    lies from where it belongs. Traces cannot be aligned by spikes and by edges at once there.
    """
    if train is None or train.times is None:
        return
    for edge_ms in fixed[1:-1].tolist():
        last = int(np.searchsorted(own, edge_ms)) - 1
        if last >= 0:
            end_ms = float(own[last + 1]) if last + 1 < len(own) else float(fixed[-1])
            yield float(own[last]), end_ms, abs(float(train.times.value[last] - own[last]))


def _known_ms(train: Train, own: Sequence[Floats]) -> float:
    """When the first spike comes that may be elsewhere, or may not be."""
    if train.times is None:
        common = min(train.counts)
        return min((float(spikes[common]) for spikes in own if len(spikes) > common), default=0.0)
    doubtful = train.times.error > RESOLVED_MS
    return float((train.times.value - train.times.error)[doubtful].min(initial=math.inf))


def fixed_times(experiment: Experiment) -> Floats:
    """Times that no run can move: begin, end, edges of stimuli."""
    jumps = [t for stimulus in experiment.stimuli for t in edges(stimulus) if 0 < t < experiment.duration_ms]
    return np.array(sorted({0.0, experiment.duration_ms, *jumps}))


def _knots(fixed: Floats, spikes: Floats, onto: Floats) -> tuple[Floats, Floats]:
    """Times of a run and where they are moved to, ascending; spikes that would change places with an edge stay out."""
    common = min(len(spikes), len(onto))
    here, there = [*fixed], [*fixed]
    for a, b in zip(spikes[:common].tolist(), onto[:common].tolist(), strict=True):
        if np.searchsorted(fixed, a) == np.searchsorted(fixed, b):
            here.append(a)
            there.append(b)
    return np.array(sorted(here)), np.array(sorted(there))


def _play(t_ms: Floats, trace: Trace, play_ms: float) -> Floats:
    """How far a trace moves within that time on either side."""
    step = float(np.median(np.diff(trace.t_ms)))
    width = 2 * max(1, math.ceil(play_ms / step)) + 1
    high, low = maximum_filter1d(trace.y, width), minimum_filter1d(trace.y, width)
    return np.asarray(np.interp(t_ms, trace.t_ms, np.maximum(high - trace.y, trace.y - low)), dtype=np.float64)
