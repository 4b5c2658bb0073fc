"""Verification of one cell: every backend at three steps, then every pair."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nmlopt.backend import Recordings, RunStatus
from nmlopt.errors import BackendError, NmloptError
from nmlopt.verify.compare import compare_spikes, compare_targets, compare_traces, pairs
from nmlopt.verify.courses import courses
from nmlopt.verify.model import Entrant, Side, SideStatus, Subject, Verification
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


def compare_backends(subject: Subject, entrants: Sequence[Entrant], on_step: OnStep = lambda _: None) -> Verification:
    """Run every entrant and compare every two; what one cannot do is said, and the others go on."""
    asked = LEVELS * len(entrants)
    sides = []
    for position, entrant in enumerate(entrants):
        sides.append(_side(subject, entrant, LEVELS * position, asked, on_step))
    found = list(pairs(sides))
    return Verification(
        subject=subject,
        sides=tuple(sides),
        targets=tuple(c for a, b in found for c in compare_targets(subject, a, b)),
        spikes=tuple(c for a, b in found for c in compare_spikes(a, b)),
        traces=tuple(c for a, b in found for c in compare_traces(subject, a, b)),
    )


def simulate_at(subject: Subject, entrant: Entrant, dt_ms: float) -> Recordings:
    """One run of every protocol. Raises NmloptError as `compile` does; what a simulator raises is a failure."""
    program = entrant.backend.compile(subject.cell, replace(entrant.settings, dt_ms=dt_ms))
    try:
        return entrant.backend.simulate(program, subject.experiments, subject.values)[0]
    except NmloptError:
        raise
    except Exception as error:  # a simulator may raise anything for odd numbers
        return Recordings(RunStatus.FAILED, {}, f"{type(error).__name__}: {error}")


def _side(subject: Subject, entrant: Entrant, done: int, asked: int, on_step: OnStep) -> Side:
    name, settings = entrant.name, entrant.settings
    begin = time.monotonic()
    try:
        version = entrant.backend.version()
    except BackendError as error:
        return Side(name, "", settings, SideStatus.MISSING, error.issues)
    issues = entrant.backend.unsupported(subject.cell, subject.experiments)
    if issues:
        return Side(name, version, settings, SideStatus.REFUSED, issues)
    runs: list[Recordings] = []
    for number, dt_ms in enumerate(steps_ms(settings.dt_ms)):
        on_step(Step(done + number, asked, f"{name}, dt {dt_ms:g} ms"))
        try:
            run = simulate_at(subject, entrant, dt_ms)
        except BackendError as error:
            return Side(name, version, settings, SideStatus.MISSING, error.issues)
        except NmloptError as error:
            return Side(name, version, settings, SideStatus.REFUSED, error.issues)
        if run.status is not RunStatus.OK:
            detail = f"dt {dt_ms:g} ms: {run.status}: {run.detail}"
            return Side(name, version, settings, SideStatus.FAILED, (), detail)
        runs.append(run)
    made = measured(subject, Side(name, version, settings, SideStatus.OK), runs)
    return replace(made, seconds=time.monotonic() - begin)


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
