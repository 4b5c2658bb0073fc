"""Two backends, thing by thing: is what differs more than the numerical error of both and a floor?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from nmlopt.experiment.model import Experiment
from nmlopt.features.plan import Key
from nmlopt.objectives.score import Rule
from nmlopt.verify.courses import aligned
from nmlopt.verify.model import (
    Course,
    Side,
    SideStatus,
    SpikeComparison,
    Subject,
    TargetComparison,
    TraceComparison,
    Train,
    Value,
    Verdict,
)
from nmlopt.verify.refine import Estimate, settled
from nmlopt.verify.tolerances import (
    RESOLVED_MS,
    RESOLVED_SD,
    SCORE_FLOOR_SD,
    SPIKE_FLOOR_MS,
    TRACE_FLOOR_MV,
    TRACE_FLOOR_RELATIVE,
)
from nmlopt.verify.values import unit_sd


def pairs(sides: Sequence[Side]) -> Iterator[tuple[Side, Side]]:
    """Every two backends that ran."""
    return combinations([s for s in sides if s.status is SideStatus.OK], 2)


def compare_targets(subject: Subject, one: Side, other: Side) -> Iterator[TargetComparison]:
    """Every target, validation targets included."""
    rules = dict(subject.scoring.rules)
    for target in subject.targets.targets:
        yield compare_target(target.id, rules[target.id], one, other)


def compare_target(target: str, rule: Rule, one: Side, other: Side) -> TargetComparison:
    """The mean distance of the values, in sd, against the mean of both errors."""
    a, b, pair = one.values[target], other.values[target], (one.name, other.name)
    found = _readable(a, b)
    if found is None:
        verdict, reason = _counted([_size(level) for level in a.levels], [_size(level) for level in b.levels], pair)
        if _size(a.shown[-1]) == _size(b.shown[-1]) is not None and None in (a.levels[-1], b.levels[-1]):
            verdict, reason = Verdict.UNDECIDED, "eFEL finds it in both on its own grid, and not in both on a finer one"
        return TargetComparison(target, pair, None, None, verdict, reason)
    mine, theirs = found
    if not len(mine.value):
        return TargetComparison(target, pair, 0.0, 0.0, Verdict.SAME)
    sd = unit_sd(rule)
    difference = float(np.mean(np.abs(mine.value - theirs.value))) / sd
    error = float(np.mean(mine.error + theirs.error)) / sd
    if difference > error + SCORE_FLOOR_SD:
        return TargetComparison(target, pair, difference, error, Verdict.DIFFERS)
    if error > RESOLVED_SD:
        reason = f"the numerical error is {error:.2g} sd"
        return TargetComparison(target, pair, difference, error, Verdict.UNDECIDED, reason)
    return TargetComparison(target, pair, difference, error, Verdict.SAME)


def _readable(a: Value, b: Value) -> tuple[Estimate, Estimate] | None:
    """Both as read in the same way, the finest that both have; None where their numbers of values differ."""
    for mine, theirs in zip(a.readings, b.readings, strict=True):
        if mine is not None and theirs is not None:
            return (mine, theirs) if len(mine.value) == len(theirs.value) else None
    return None


def _size(level: tuple[float, ...] | None) -> int | None:
    return None if level is None else len(level)


def _counted(a: Sequence[int | None], b: Sequence[int | None], pair: tuple[str, str]) -> tuple[Verdict, str]:
    """What numbers of values at each step say: a number that changes with the step is a matter of the step."""
    if settled(a) and settled(b) and a[-1] == b[-1]:
        return Verdict.SAME, "missing in both" if a[0] is None else ""
    texts = [", ".join("missing" if n is None else str(n) for n in dict.fromkeys(side)) for side in (a, b)]
    reason = f"number of values: {pair[0]} {texts[0]}; {pair[1]} {texts[1]}"
    if (not settled(a) or not settled(b)) and set(a) & set(b):
        return Verdict.UNDECIDED, f"{reason} (it changes with the step)"
    return Verdict.DIFFERS, reason


def compare_spikes(one: Side, other: Side) -> Iterator[SpikeComparison]:
    """Every voltage recording."""
    for key in one.trains:
        yield compare_trains(key, (one.name, other.name), one.trains[key], other.trains[key])


def compare_trains(key: Key, pair: tuple[str, str], a: Train, b: Train) -> SpikeComparison:
    """Spike by spike, in order. Another number of spikes is a difference, unless it changes with the step."""
    counts = (a.counts[-1], b.counts[-1])
    if a.times is None or b.times is None or counts[0] != counts[1]:
        verdict, reason = _counted(a.counts, b.counts, pair)
        return SpikeComparison(key, pair, counts, None, None, verdict, reason.replace("values", "spikes"))
    if not counts[0]:
        return SpikeComparison(key, pair, counts, None, None, Verdict.SAME)
    difference = np.abs(a.times.value - b.times.value)
    error = a.times.error + b.times.error
    worst = int(np.argmax(difference - error))
    found = (float(difference[worst]), float(error[worst]))
    if found[0] > found[1] + SPIKE_FLOOR_MS:
        beyond = np.flatnonzero(difference > error + SPIKE_FLOOR_MS)
        reason = f"from spike {beyond[0] + 1} of {counts[0]} on" if len(beyond) > 1 else f"spike {beyond[0] + 1}"
        return SpikeComparison(key, pair, counts, *found, Verdict.DIFFERS, reason)
    if error.max() > RESOLVED_MS:
        reason = f"the numerical error is {error.max():.2g} ms at spike {int(np.argmax(error)) + 1}"
        return SpikeComparison(key, pair, counts, *found, Verdict.UNDECIDED, reason)
    return SpikeComparison(key, pair, counts, *found, Verdict.SAME)


def compare_courses(
    experiment: Experiment, key: Key, pair: tuple[str, str], a: Course, b: Course, *, is_voltage: bool
) -> TraceComparison:
    """Sample by sample on the first one's coarsest grid, spikes aligned, up to the last that both have.

    What differs only after a spike that may be elsewhere within the numerical error is undecided.
    """
    t_ms = a.t_ms
    there = aligned(experiment, a, b, t_ms)
    mine = [a.estimate.value, a.estimate.error, a.play]
    theirs = [np.interp(there, b.t_ms, x) for x in (b.estimate.value, b.estimate.error, b.play)]
    difference = np.abs(mine[0] - theirs[0])
    allowed = mine[1] + theirs[1] + np.maximum(mine[2], theirs[2])
    allowed += TRACE_FLOOR_MV if is_voltage else TRACE_FLOOR_RELATIVE * float(np.ptp(mine[0]))
    at = int(np.argmax(difference))
    beyond = np.flatnonzero(difference > allowed)
    if len(beyond):
        at = int(np.argmax(difference - allowed))
    first_ms = float(t_ms[beyond[0]]) if len(beyond) else None
    return TraceComparison(
        key,
        pair,
        float(difference[at]),
        float(t_ms[at]),
        float(allowed[at]),
        _course_verdict(first_ms, min(a.known_ms, b.known_ms)),
        first_ms,
    )


def _course_verdict(first_ms: float | None, known_ms: float) -> Verdict:
    if first_ms is None:
        return Verdict.SAME
    return Verdict.DIFFERS if first_ms < known_ms else Verdict.UNDECIDED


def compare_traces(subject: Subject, one: Side, other: Side) -> Iterator[TraceComparison]:
    """Every recording."""
    pair = (one.name, other.name)
    for experiment in subject.experiments:
        for output in experiment.outputs:
            key = (experiment.id, output.id)
            a, b, is_voltage = one.courses[key], other.courses[key], output.variable == "v"
            yield compare_courses(experiment, key, pair, a, b, is_voltage=is_voltage)
