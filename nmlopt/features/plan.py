"""What has to be taken from the recordings of a problem, worked out once: no parsing in the hot path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmlopt.backend import Floats
from nmlopt.experiment.model import Experiment, Played, Stimulus, VoltageClamp
from nmlopt.experiment.samples import read_samples
from nmlopt.spec.models import FeatureTarget, SpikeTimesTarget, Targets, TraceTarget
from nmlopt.units import Quantity

Key = tuple[str, str]
"""Experiment id, output id."""


@dataclass(frozen=True, slots=True)
class EfelTrace:
    """One trace given to eFEL: its window in ms, and which feature serves which target."""

    key: Key
    start_ms: float
    end_ms: float
    wanted: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EfelGroup:
    """Traces that share eFEL's settings (its spike threshold among them) and so one call."""

    settings: tuple[tuple[str, float | int | str], ...]
    features: tuple[str, ...]
    traces: tuple[EfelTrace, ...]


@dataclass(frozen=True, slots=True)
class SpikeRequest:
    """Spike times wanted of a trace, by upward crossings of a threshold in mV."""

    target: str
    key: Key
    threshold_mV: float


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """The trace a recording is compared with: times in ms (n,), values in the unit of the recording (n,)."""

    target: str
    key: Key
    t_ms: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """All that is extracted from the recordings of one candidate. Picklable."""

    groups: tuple[EfelGroup, ...]
    spikes: tuple[SpikeRequest, ...]
    traces: tuple[TraceRequest, ...]


def make_plan(targets: Targets, experiments: Sequence[Experiment], folder: Path) -> FeaturePlan:
    """The plan for `targets`; files they name are read relative to `folder`. Raises TargetsError T055."""
    by_id = {experiment.id: experiment for experiment in experiments}
    features = [t for t in targets.targets if isinstance(t, FeatureTarget)]
    return FeaturePlan(
        groups=_groups(features, by_id),
        spikes=tuple(
            SpikeRequest(t.id, (t.protocol, t.recording), _value(t.threshold, "mV"))
            for t in targets.targets
            if isinstance(t, SpikeTimesTarget)
        ),
        traces=tuple(_trace(t, folder) for t in targets.targets if isinstance(t, TraceTarget)),
    )


def stimulus_window(experiment: Experiment) -> tuple[float, float]:
    """Begin and end in ms of the longest stimulus; the whole protocol where there is none."""
    spans = [_span(stimulus) for stimulus in experiment.stimuli]
    if not spans:
        return 0.0, experiment.duration_ms
    start, end = max(spans, key=lambda span: span[1] - span[0])
    return start, min(end, experiment.duration_ms)


def _groups(features: Sequence[FeatureTarget], experiments: dict[str, Experiment]) -> tuple[EfelGroup, ...]:
    grouped: dict[tuple[tuple[str, float | int | str], ...], dict[tuple[Key, float, float], list[FeatureTarget]]] = {}
    for target in features:
        settings = {"Threshold": _value(target.threshold, "mV"), **target.efel_settings}
        window = _window(target, experiments[target.protocol])
        place = grouped.setdefault(tuple(sorted(settings.items())), {})
        place.setdefault(((target.protocol, target.recording), *window), []).append(target)
    return tuple(
        EfelGroup(
            settings=settings,
            features=tuple(dict.fromkeys(t.feature for wanted in traces.values() for t in wanted)),
            traces=tuple(
                EfelTrace(key, start, end, tuple((t.id, t.feature) for t in wanted))
                for (key, start, end), wanted in traces.items()
            ),
        )
        for settings, traces in grouped.items()
    )


def _window(target: FeatureTarget | TraceTarget, experiment: Experiment) -> tuple[float, float]:
    if target.window is None:
        return stimulus_window(experiment)
    return _value(target.window.start, "ms"), _value(target.window.end, "ms")


def _trace(target: TraceTarget, folder: Path) -> TraceRequest:
    times, values = read_samples(folder, target.file, f"target {target.id}")
    t_ms = np.array([Quantity(t, target.time_unit).to("ms").value for t in times])
    y = np.array([Quantity(v, target.unit).to("mV").value for v in values])
    if target.window is not None:
        start, end = _value(target.window.start, "ms"), _value(target.window.end, "ms")
        inside = (t_ms >= start) & (t_ms <= end)
        t_ms, y = t_ms[inside], y[inside]
    return TraceRequest(target.id, (target.protocol, target.recording), t_ms, y)


def _span(stimulus: Stimulus) -> tuple[float, float]:
    if isinstance(stimulus, Played):
        return stimulus.times_ms[0], stimulus.times_ms[-1]
    if isinstance(stimulus, VoltageClamp):
        return 0.0, sum(duration for duration, _ in stimulus.levels)
    return stimulus.delay_ms, stimulus.delay_ms + stimulus.duration_ms


def _value(text: str, unit: str) -> float:
    return Quantity.parse(text).to(unit).value
