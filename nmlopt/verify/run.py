"""Verification of one cell: every backend at three steps, then every pair."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from nmlopt.backend import Recordings, RunStatus
from nmlopt.errors import BackendError, Issue, NmloptError
from nmlopt.evaluate.apart import simulate_apart
from nmlopt.verify.compare import compare_spikes, compare_targets, compare_traces, pairs
from nmlopt.verify.courses import courses
from nmlopt.verify.model import (
    Entrant,
    Side,
    SideStatus,
    SpikeComparison,
    Subject,
    TargetComparison,
    TraceComparison,
    Verdict,
    Verification,
)
from nmlopt.verify.refine import LEVELS, observed_order, steps_ms
from nmlopt.verify.spikes import is_smooth, trains
from nmlopt.verify.values import values


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done: `done` of `asked` runs are over; the text says what comes."""

    done: int
    asked: int
    text: str


OnStep = Callable[[Step], None]

MOST_HALVINGS: Final = 2
"""Each doubles what has been spent."""


def compare_backends(subject: Subject, entrants: Sequence[Entrant], on_step: OnStep = lambda _: None) -> Verification:
    """Run every entrant and compare every two; what one cannot do is said, and the others go on.

    Where an error of the method hides whether two agree, the steps of both are halved, at most MOST_HALVINGS times.
    """
    asked = LEVELS * len(entrants)
    ran = [_ran(subject, entrant, LEVELS * position, asked, on_step) for position, entrant in enumerate(entrants)]
    found = _compared(subject, [side for side, _ in ran])
    for _ in range(MOST_HALVINGS):
        todo = [k for k, (side, _) in enumerate(ran) if side.name in _undecided(found)]
        if not todo:
            break
        for number, k in enumerate(todo):
            finest_ms = steps_ms(ran[k][0].settings.dt_ms)[-1] / 2.0
            on_step(Step(asked + number, asked + len(todo), f"{entrants[k].name}, dt {finest_ms:g} ms"))
            ran[k] = _halved(subject, entrants[k], *ran[k])
        asked += len(todo)
        found = _compared(subject, [side for side, _ in ran])
    return found


def _compared(subject: Subject, sides: Sequence[Side]) -> Verification:
    found = list(pairs(sides))
    return Verification(
        subject=subject,
        sides=tuple(sides),
        targets=tuple(c for a, b in found for c in compare_targets(subject, a, b)),
        spikes=tuple(c for a, b in found for c in compare_spikes(a, b)),
        traces=tuple(c for a, b in found for c in compare_traces(subject, a, b)),
    )


def _undecided(found: Verification) -> set[str]:
    """The backends that smaller steps may decide about: none where some differ already."""
    if found.verdict is not Verdict.UNDECIDED:
        return set()
    compared: tuple[TargetComparison | SpikeComparison | TraceComparison, ...]
    compared = (*found.targets, *found.spikes, *found.traces)
    return {name for c in compared if c.verdict is Verdict.UNDECIDED for name in c.pair}


def simulate_at(subject: Subject, entrant: Entrant, dt_ms: float) -> Recordings:
    """One run of every protocol in a process of its own: a crash is a failure. Raises NmloptError as `compile` does."""
    return _simulated(subject, entrant, dt_ms)[0]


def _simulated(subject: Subject, entrant: Entrant, dt_ms: float) -> tuple[Recordings, tuple[Issue, ...]]:
    """The run, and what is to be known of its program."""
    program = entrant.backend.compile(subject.cell, replace(entrant.settings, dt_ms=dt_ms))
    return simulate_apart(entrant.backend, program, subject.experiments, subject.values)[0], program.issues


def _ran(
    subject: Subject, entrant: Entrant, done: int, asked: int, on_step: OnStep
) -> tuple[Side, tuple[Recordings, ...]]:
    """What an entrant gives at three steps, and its runs, coarsest first (none where it cannot)."""
    name, settings = entrant.name, entrant.settings
    begin = time.monotonic()
    try:
        version = entrant.backend.version()
    except BackendError as error:
        return Side(name, "", settings, SideStatus.MISSING, error.issues), ()
    issues = entrant.backend.unsupported(subject.cell, subject.experiments)
    if issues:
        return Side(name, version, settings, SideStatus.REFUSED, issues), ()
    runs: list[Recordings] = []
    remarks: tuple[Issue, ...] = ()
    for number, dt_ms in enumerate(steps_ms(settings.dt_ms)):
        on_step(Step(done + number, asked, f"{name}, dt {dt_ms:g} ms"))
        try:
            run, remarks = _simulated(subject, entrant, dt_ms)
        except BackendError as error:
            return Side(name, version, settings, SideStatus.MISSING, error.issues), ()
        except NmloptError as error:
            return Side(name, version, settings, SideStatus.REFUSED, error.issues), ()
        if run.status is not RunStatus.OK:
            detail = f"dt {dt_ms:g} ms: {run.status}: {run.detail}"
            return Side(name, version, settings, SideStatus.FAILED, (), detail), ()
        runs.append(run)
    made = measured(subject, Side(name, version, settings, SideStatus.OK, remarks), runs)
    return replace(made, seconds=time.monotonic() - begin), tuple(runs)


def _halved(
    subject: Subject, entrant: Entrant, side: Side, runs: tuple[Recordings, ...]
) -> tuple[Side, tuple[Recordings, ...]]:
    """The side with all its steps halved, which takes one more run; as it was where that run fails."""
    settings = replace(side.settings, dt_ms=0.5 * side.settings.dt_ms)
    finest_ms = steps_ms(settings.dt_ms)[-1]
    begin = time.monotonic()
    run = simulate_at(subject, entrant, finest_ms)
    if run.status is not RunStatus.OK:
        return side, runs
    runs = (*runs[1:], run)
    made = measured(subject, replace(side, settings=settings), runs)
    return replace(made, seconds=side.seconds + time.monotonic() - begin), runs


def measured(subject: Subject, side: Side, runs: Sequence[Recordings]) -> Side:
    """The side with what its runs, coarsest first, tell."""
    dt_ms = side.settings.dt_ms
    smooth = {e.id: is_smooth(subject.cell, e, dt_ms) for e in subject.experiments}
    found = trains(subject, runs, smooth, steps_ms(dt_ms)[-1])
    return replace(
        side,
        trains=found,
        courses=courses(subject, runs, smooth, found),
        values=values(subject, runs, smooth),
        order=_order(runs, smooth.values()),
        finest=runs[-1],
    )


def _order(runs: Sequence[Recordings], smooth: Iterable[bool]) -> float | None:
    """The order that all traces together show."""
    if not all(smooth):
        return None
    grids = {key: trace.t_ms for key, trace in runs[0].traces.items()}
    return observed_order(
        [
            np.concatenate([np.interp(t_ms, run.traces[key].t_ms, run.traces[key].y) for key, t_ms in grids.items()])
            for run in runs
        ]
    )
