"""What has to be taken from the recordings of a problem, worked out once: no parsing in the hot path.

Features and spike times work on the numbers of a recording as they are: mV for 'v', nA for 'i_clamp', SI for an
exposure. Wanted traces are brought to that unit here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nmlopt.backend import Floats
from nmlopt.errors import Issue, TargetsError
from nmlopt.experiment.model import Attached, Experiment, Played, Stimulus, VoltageClamp
from nmlopt.experiment.samples import read_samples
from nmlopt.experiment.sites import output_units
from nmlopt.features.efel_settings import INTERP_STEP, Settings, full_settings, setting_issues, stimulus_current
from nmlopt.ir.model import Cell
from nmlopt.spec.models import FeatureTarget, SpikeTimesTarget, Target, Targets, TraceTarget
from nmlopt.spec.quantities import number
from nmlopt.units import Unit, convert, core_units

Key = tuple[str, str]
"""Experiment id, output id."""


@dataclass(frozen=True, slots=True)
class EfelTrace:
    """One trace given to eFEL: its window in ms, the features to compute, and (target, feature) for each target.

    `stimulus_nA`: the current that resistances are computed with.
    """

    key: Key
    start_ms: float
    end_ms: float
    features: tuple[str, ...]
    wanted: tuple[tuple[str, str], ...]
    stimulus_nA: float | None = None


@dataclass(frozen=True, slots=True)
class EfelGroup:
    """Traces that share all of eFEL's settings, its spike threshold among them."""

    settings: Settings
    traces: tuple[EfelTrace, ...]


@dataclass(frozen=True, slots=True)
class SpikeRequest:
    """Spike times wanted of a trace, by upward crossings of a threshold in mV."""

    target: str
    key: Key
    threshold_mV: float


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """The trace a recording is compared with: times in ms (n,), values in the unit of the recording (n,).

    `scale` takes a difference in the unit of the recording to the unit of the target (and of its sd).
    """

    target: str
    key: Key
    t_ms: Floats
    y: Floats
    scale: float


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """All that is extracted from the recordings of one candidate. Picklable.

    `fast`: features are taken by our own code where it equals eFEL; else all by eFEL.
    """

    groups: tuple[EfelGroup, ...]
    spikes: tuple[SpikeRequest, ...]
    traces: tuple[TraceRequest, ...]
    fast: bool = True


def make_plan(targets: Targets, cell: Cell, experiments: Sequence[Experiment], folder: Path) -> FeaturePlan:
    """The plan for `targets`; files they name are read relative to `folder`.

    Raises TargetsError with all faults: T006, T007, T009 (eFEL's settings), T025 (times outside the protocol), T055
    (files).
    """
    by_id = {experiment.id: experiment for experiment in experiments}
    issues: list[Issue] = []
    features: list[FeatureTarget] = []
    spikes: list[SpikeRequest] = []
    traces: list[TraceRequest] = []
    for i, target in enumerate(targets.targets):
        where = f"$.targets[{i}]"
        if isinstance(target, FeatureTarget):
            issues += setting_issues(target, where)
            features.append(target)
        elif isinstance(target, SpikeTimesTarget):
            spikes.append(SpikeRequest(target.id, _key(target), number(target.threshold, "mV")))
        else:
            try:
                traces.append(_trace(target, cell, by_id[target.protocol], folder, where))
            except TargetsError as error:
                issues += error.issues
    if issues:
        raise TargetsError(issues)
    return FeaturePlan(tuple(_groups(features, by_id)), tuple(spikes), tuple(traces))


def sampled_for(plan: FeaturePlan, experiments: Sequence[Experiment]) -> tuple[Experiment, ...]:
    """The experiments with what the plan reads: those that it reads nothing of are left out, and so are recordings.

    They are told how far apart samples may lie: eFEL looks at whole multiples of `interp_step` and linearly between
    samples; spike times and wanted traces are read between them, so that an experiment with one of these keeps every
    sample. All of a recording is kept, since features look before their windows, too (voltage_base).
    """
    between = {request.key for request in plan.spikes} | {request.key for request in plan.traces}
    steps: dict[Key, set[float]] = {}
    for group in plan.groups:
        for wanted in group.traces:
            steps.setdefault(wanted.key, set()).add(float(dict(group.settings)[INTERP_STEP]))
    found = []
    for experiment in experiments:
        read = tuple(o for o in experiment.outputs if (experiment.id, o.id) in steps.keys() | between)
        keys = {(experiment.id, o.id) for o in read}
        apart = set().union(*(steps.get(key, set()) for key in keys))
        sampling_ms = apart.pop() if len(apart) == 1 and not keys & between else experiment.sampling_ms
        if read:
            found.append(replace(experiment, outputs=read, sampling_ms=sampling_ms))
    return tuple(found)


def stimulus_window(experiment: Experiment) -> tuple[float, float]:
    """Begin and end in ms of the longest stimulus within the protocol; the whole protocol where there is none."""
    whole = (0.0, experiment.duration_ms)
    spans = [_span(stimulus) for stimulus in experiment.stimuli]
    inside = [(max(start, whole[0]), min(end, whole[1])) for start, end in spans]
    return max((span for span in inside if span[1] > span[0]), key=lambda span: span[1] - span[0], default=whole)


def _groups(features: Iterable[FeatureTarget], experiments: Mapping[str, Experiment]) -> Iterator[EfelGroup]:
    """One group for each set of settings, one trace in it for each recording, window and current; in their order."""
    grouped: dict[Settings, dict[tuple[Key, float, float, float | None], list[FeatureTarget]]] = {}
    for target in features:
        place = grouped.setdefault(full_settings(target), {})
        start_ms, end_ms = _window(target, experiments[target.protocol])
        place.setdefault((_key(target), start_ms, end_ms, stimulus_current(target)), []).append(target)
    for settings, traces in grouped.items():
        yield EfelGroup(settings, tuple(_efel_trace(*place, wanted) for place, wanted in traces.items()))


def _efel_trace(
    key: Key, start_ms: float, end_ms: float, stimulus_nA: float | None, wanted: Sequence[FeatureTarget]
) -> EfelTrace:
    features = tuple(dict.fromkeys(target.feature for target in wanted))
    names = tuple((target.id, target.feature) for target in wanted)
    return EfelTrace(key, start_ms, end_ms, features, names, stimulus_nA)


def _window(target: FeatureTarget, experiment: Experiment) -> tuple[float, float]:
    if target.window is None:
        return stimulus_window(experiment)
    return number(target.window.start, "ms"), number(target.window.end, "ms")


def _trace(target: TraceTarget, cell: Cell, experiment: Experiment, folder: Path, where: str) -> TraceRequest:
    times, values = read_samples(folder, target.file, f"{where}.file")
    unit, recorded = core_units().unit(target.unit), _recorded_unit(target, cell, experiment)
    t_ms = _converted(times, core_units().unit(target.time_unit), core_units().unit("ms"))
    y = _converted(values, unit, recorded)
    if target.window is not None:
        start, end = number(target.window.start, "ms"), number(target.window.end, "ms")
        inside = (t_ms >= start) & (t_ms <= end)
        t_ms, y = t_ms[inside], y[inside]
    if not len(t_ms):
        message = f"'{target.file}' has no sample in the window"
        raise TargetsError(Issue("T055", message, f"{where}.window", "widen the window"))
    if t_ms[0] < 0 or t_ms[-1] > experiment.duration_ms:
        message = (
            f"the samples of '{target.file}' go from {t_ms[0]:g} to {t_ms[-1]:g} ms, "
            f"the protocol from 0 to {experiment.duration_ms:g} ms"
        )
        raise TargetsError(Issue("T025", message, f"{where}.file", 'add a "window" for the part that counts'))
    scale = convert(1.0, recorded, unit) - convert(0.0, recorded, unit)
    return TraceRequest(target.id, _key(target), t_ms, y, scale)


def _recorded_unit(target: TraceTarget, cell: Cell, experiment: Experiment) -> Unit:
    """The unit of the recording; SI of the dimension of the target's unit for an exposure."""
    output = next(output for output in experiment.outputs if output.id == target.recording)
    symbol = output_units(cell, output)
    return core_units().unit(symbol) if symbol else Unit("", core_units().unit(target.unit).exponents)


def _converted(values: Iterable[float], here: Unit, there: Unit) -> Floats:
    return np.array([convert(value, here, there) for value in values], dtype=np.float64)


def _key(target: Target) -> Key:
    return target.protocol, target.recording


def _span(stimulus: Stimulus) -> tuple[float, float]:
    if isinstance(stimulus, Played):
        return stimulus.times_ms[0], stimulus.times_ms[-1]
    if isinstance(stimulus, Attached):  # its equations may act from the first event, or always
        return (stimulus.events_ms[0] if stimulus.events_ms else 0.0), math.inf
    if isinstance(stimulus, VoltageClamp):
        return 0.0, sum(duration for duration, _ in stimulus.levels)
    return stimulus.delay_ms, stimulus.delay_ms + stimulus.duration_ms
