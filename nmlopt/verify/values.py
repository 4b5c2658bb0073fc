"""Features and scores of one backend's runs, with their numerical error.

eFEL reads a trace on a grid of 0.1 ms: it rounds the times of spikes to it and cuts off their peaks. That error does
not shrink with the step, and would hide small differences or feign them. So features are compared as read on a grid
finer than the smallest step, to which the traces are brought by cubic interpolation; what is left of the rounding is
measured by reading every second sample only. Scores are shown as the targets define them, from the smallest step.
Where a rule of eFEL finds nothing there (the begin of a spike at the edge of a stimulus: it wants the slope to rise
through a threshold within some samples), coarser grids are tried, and at last the target's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.interpolate import CubicSpline

from nmlopt.backend import Recordings, RunStatus, Trace
from nmlopt.features.extract import extract
from nmlopt.features.plan import EfelGroup, FeaturePlan, Key
from nmlopt.objectives.score import Rule, SpikeTimesRule, score
from nmlopt.verify.model import Subject, Value
from nmlopt.verify.refine import Estimate, estimate, settled

_PER_STEP = (8, 1, 0.25)
"""Samples per smallest step that features are read from: most finely, and as second and third choice."""
_MOST_SAMPLES = 400_000
_GRID = "interp_step"

Found = Mapping[str, tuple[float, ...]]
Levels = tuple[tuple[float, ...] | None, ...]


def values(subject: Subject, runs: Sequence[Recordings], smooth: Mapping[str, bool]) -> dict[str, Value]:
    """Every target's values and score."""
    plain = [extract(subject.plan, run) for run in runs]
    halved = extract(_at_half_grid(subject.plan), runs[-1])
    read = [_fine(subject.plan, runs, smooth, per_step) for per_step in _PER_STEP]
    rules, cap = dict(subject.scoring.rules), subject.scoring.cap
    found = {}
    for target in subject.targets.targets:
        rule, is_smooth = rules[target.id], smooth[target.protocol]
        shown = _levels(plain, target.id)
        readings = [_estimate(_levels(fine, target.id), spread.get(target.id, 0.0), is_smooth) for fine, spread in read]
        readings.append(_estimate(shown, _moved(shown[-1], halved.get(target.id)), is_smooth))
        made = next((reading for reading in readings if reading is not None), None)
        error = None if made is None else float(np.mean(made.error)) / unit_sd(rule) if len(made.error) else 0.0
        levels = _levels(read[0][0], target.id)
        found[target.id] = Value(shown, levels, tuple(readings), score(rule, shown[-1], cap), error)
    return found


def _levels(found: Sequence[Found], target: str) -> Levels:
    return tuple(f.get(target) for f in found)


def unit_sd(rule: Rule) -> float:
    """One sd of a target, in the unit of its values."""
    return rule.sd_ms if isinstance(rule, SpikeTimesRule) else rule.sd


def _estimate(levels: Levels, spread: float, smooth: bool) -> Estimate | None:
    if (
        math.isinf(spread)
        or levels[-1] is None
        or not settled([None if level is None else len(level) for level in levels])
    ):
        return None
    made = estimate([np.array(level or ()) for level in levels], smooth=smooth)
    return Estimate(made.value, made.error + spread)


def _at_half_grid(plan: FeaturePlan) -> FeaturePlan:
    """The plan with every grid of eFEL halved: how far values move is what the grid rounds away."""
    groups = tuple(
        replace(g, settings=tuple((n, 0.5 * float(v) if n == _GRID else v) for n, v in g.settings)) for g in plan.groups
    )
    return replace(plan, groups=groups)


def _fine(
    plan: FeaturePlan, runs: Sequence[Recordings], smooth: Mapping[str, bool], per_step: float
) -> tuple[list[Found], dict[str, float]]:
    """The values of every target at each step, read finely; how far reading half of the samples moves them."""
    rest = replace(plan, groups=())
    found: list[dict[str, tuple[float, ...]]] = [dict(extract(rest, run)) for run in runs]
    spread: dict[str, float] = {}
    for group in plan.groups:
        steps = {t.key: _step_ms(group, runs[-1].traces[t.key], per_step) for t in group.traces}
        step_ms = max(steps.values())
        keys = list(steps)
        made = [{key: _refined(run.traces[key], step_ms, smooth=smooth[key[0]]) for key in keys} for run in runs]
        for level, traces in zip(found, made, strict=True):
            level |= _read(group, traces, step_ms)
        for phase in (0, 1):
            half = {key: Trace(t.t_ms[phase::2], t.y[phase::2]) for key, t in made[-1].items()}
            other = _read(group, half, 2.0 * step_ms)
            for name in {target for trace in group.traces for target, _ in trace.wanted}:
                moved = _moved(found[-1].get(name), other.get(name))
                spread[name] = max(spread.get(name, 0.0), moved)
    return list(found), spread


def _step_ms(group: EfelGroup, trace: Trace, per_step: float) -> float:
    """The grid on which the traces of a group are read."""
    asked = float(dict(group.settings)[_GRID])
    finest = float(np.median(np.diff(trace.t_ms))) / per_step
    return min(asked, max(finest, float(trace.t_ms[-1]) / _MOST_SAMPLES))


def _refined(trace: Trace, step_ms: float, *, smooth: bool) -> Trace:
    """The trace on a finer grid; straight between samples where it may jump."""
    t_ms = np.arange(trace.t_ms[0], trace.t_ms[-1] + 0.5 * step_ms, step_ms)
    t_ms = t_ms[t_ms <= trace.t_ms[-1]]
    y = CubicSpline(trace.t_ms, trace.y)(t_ms) if smooth else np.interp(t_ms, trace.t_ms, trace.y)
    return Trace(t_ms, np.asarray(y, dtype=np.float64))


def _read(group: EfelGroup, traces: Mapping[Key, Trace], step_ms: float) -> Found:
    settings = tuple((name, step_ms if name == _GRID else value) for name, value in group.settings)
    return extract(FeaturePlan((replace(group, settings=settings),), (), ()), Recordings(RunStatus.OK, traces))


def _moved(one: tuple[float, ...] | None, other: tuple[float, ...] | None) -> float:
    if one is None and other is None:
        return 0.0
    if one is None or other is None or len(one) != len(other):
        return math.inf
    return max((abs(a - b) for a, b in zip(one, other, strict=True)), default=0.0)
