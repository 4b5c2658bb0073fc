"""Candidates to evaluations in this process: bind, simulate (many at once where that pays), extract, score."""

from __future__ import annotations

import math
import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nmlopt.backend import Floats, Recordings, RunStatus
from nmlopt.errors import NmloptError
from nmlopt.evaluate.model import Evaluation, Problem
from nmlopt.features.extract import extract
from nmlopt.objectives.combine import objectives, target_scores

_JUDGED = Recordings(RunStatus.OK)


def evaluate_batch(problem: Problem, x: Floats) -> tuple[Evaluation, ...]:
    """One evaluation per row of `x` (n, n_free), in order; a row never depends on the others.

    Failures of a simulation or of a feature are statuses of that row. Raises NmloptError for what is wrong with the
    installation and so with every row.
    """
    size = batch_size(problem)
    return tuple(e for start in range(0, len(x), size) for e in evaluate_together(problem, x[start : start + size]))


def batch_size(problem: Problem) -> int:
    """How many candidates go to the simulator in one call."""
    return max(1, problem.backend.offer.batch)


def evaluate_together(
    problem: Problem, x: Floats, before_row: Callable[[float], None] = lambda _: None
) -> Iterator[Evaluation]:
    """The evaluations of `x` (n, n_free), all simulated in one call, one after another as they are judged.

    `before_row` is called before each row is judged, with the CPU seconds that simulating took per row.
    """
    start = _cpu_s()
    simulated = _simulated(problem, x)
    share = (_cpu_s() - start) / max(1, len(x))
    for number, row in enumerate(x):
        before_row(share)
        recordings, simulated[number] = simulated[number], _JUDGED  # freed as soon as they are judged
        yield _judged(problem, row, recordings, share)


def failed(problem: Problem, x: Sequence[float], status: RunStatus, detail: str, cpu_s: float) -> Evaluation:
    """The evaluation of a candidate that gave nothing: every target scores the cap."""
    return _scored(problem, x, Recordings(status, {}, detail), {}, cpu_s)


def rescored(problem: Problem, evaluation: Evaluation) -> Evaluation:
    """The evaluation with scores and objectives by the problem's targets; features are kept."""
    scores = target_scores(problem.scoring, evaluation.features)
    return replace(evaluation, scores=scores, objectives=objectives(problem.scoring, scores))


def _judged(problem: Problem, row: Floats, recordings: Recordings, simulating_cpu_s: float) -> Evaluation:
    start = _cpu_s()
    features: Mapping[str, tuple[float, ...]] = {}
    if recordings.status is RunStatus.OK:
        try:
            features = extract(problem.plan, recordings)
        except Exception as error:  # whatever a feature library does with an odd trace, it is this candidate's failure
            recordings = _failure("the features could not be extracted", error)
    candidate = tuple(float(value) for value in row)
    return _scored(problem, candidate, recordings, features, simulating_cpu_s + _cpu_s() - start)


def _cpu_s() -> float:
    """CPU seconds of this process so far, all threads; time.process_time lags by a tick under a CPU limit (Linux)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _simulated(problem: Problem, x: Floats) -> list[Recordings]:
    """The recordings of each candidate; what goes wrong with one is in their status."""
    if not len(x):
        return []
    values = problem.parameters.values(x)
    found = {row: text for row, text in enumerate(_not_finite(problem, v) for v in values) if text}
    good = [row for row in range(len(x)) if row not in found]
    recordings = dict(zip(good, _together(problem, values[good]), strict=True)) if good else {}
    return [recordings[r] if r in recordings else Recordings(RunStatus.FAILED, {}, found[r]) for r in range(len(x))]


def _not_finite(problem: Problem, values: Floats) -> str:
    """The parameters of one candidate that Infinity or not-a-number comes of; '' if there are none."""
    if np.isfinite(values).all():
        return ""
    slots = zip(problem.parameters.bindings, values.tolist(), strict=True)
    names = dict.fromkeys(binding.parameter or binding.slot.path for binding, v in slots if not math.isfinite(v))
    return f"no finite value for {', '.join(names)}"


def _together(problem: Problem, values: Floats) -> list[Recordings]:
    """The recordings of rows of slot values; where the simulator raises, of their halves, down to the culprit."""
    try:
        return [_checked(r) for r in problem.backend.simulate(problem.program, problem.sampled, values)]
    except NmloptError:
        raise
    except Exception as error:  # a simulator may raise anything for odd numbers
        if len(values) == 1:
            return [_failure("the simulator raised an error", error)]
    half = len(values) // 2
    return [*_together(problem, values[:half]), *_together(problem, values[half:])]


def _checked(recordings: Recordings) -> Recordings:
    """The recordings, or DIVERGED where a backend let a trace pass that is not finite: it would look like silence."""
    for (experiment, output), trace in recordings.traces.items():
        if not np.isfinite(trace.y).all():
            text = f"experiment '{experiment}': recording '{output}' is not finite"
            return Recordings(RunStatus.DIVERGED, {}, text)
    return recordings


def _failure(what: str, error: Exception) -> Recordings:
    return Recordings(RunStatus.FAILED, {}, f"{what}: {type(error).__name__}: {error}")


def _scored(
    problem: Problem,
    x: Sequence[float],
    recordings: Recordings,
    features: Mapping[str, tuple[float, ...]],
    cpu_s: float,
) -> Evaluation:
    scores = target_scores(problem.scoring, features)
    return Evaluation(
        x=tuple(x),
        status=recordings.status,
        features=features,
        scores=scores,
        objectives=objectives(problem.scoring, scores),
        cpu_s=cpu_s,
        detail=recordings.detail,
    )
