"""Candidates to evaluations in this process: bind, simulate, extract, score."""

from __future__ import annotations

import math
import resource
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nmlopt.backend import Floats, Recordings, RunStatus
from nmlopt.errors import NmloptError
from nmlopt.evaluate.model import Evaluation, Problem
from nmlopt.features.extract import extract
from nmlopt.objectives.combine import objectives, target_scores


def evaluate_batch(problem: Problem, x: Floats) -> tuple[Evaluation, ...]:
    """One evaluation per row of `x` (n, n_free), in order; a row never depends on the others.

    Failures of a simulation or of a feature are statuses of that row. Raises NmloptError for what is wrong with the
    installation and so with every row.
    """
    return tuple(_evaluate(problem, row) for row in x)


def failed(problem: Problem, x: Sequence[float], status: RunStatus, detail: str, cpu_s: float) -> Evaluation:
    """The evaluation of a candidate that gave nothing: every target scores the cap."""
    return _scored(problem, x, Recordings(status, {}, detail), {}, cpu_s)


def rescored(problem: Problem, evaluation: Evaluation) -> Evaluation:
    """The evaluation with scores and objectives by the problem's targets; features are kept."""
    scores = target_scores(problem.scoring, evaluation.features)
    return replace(evaluation, scores=scores, objectives=objectives(problem.scoring, scores))


def _evaluate(problem: Problem, row: Floats) -> Evaluation:
    start = _cpu_s()
    recordings = _simulate(problem, row)
    features: Mapping[str, tuple[float, ...]] = {}
    if recordings.status is RunStatus.OK:
        try:
            features = extract(problem.plan, recordings)
        except Exception as error:  # whatever a feature library does with an odd trace, it is this candidate's failure
            recordings = _failure("the features could not be extracted", error)
    candidate = tuple(float(value) for value in row)
    return _scored(problem, candidate, recordings, features, _cpu_s() - start)


def _cpu_s() -> float:
    """CPU seconds of this process so far, all threads; time.process_time lags by a tick under a CPU limit (Linux)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _simulate(problem: Problem, row: Floats) -> Recordings:
    """The recordings of one candidate; what goes wrong with it is in their status."""
    values = problem.parameters.values(row[np.newaxis, :])
    if not np.isfinite(values).all():
        slots = zip(problem.parameters.bindings, values[0].tolist(), strict=True)
        names = dict.fromkeys(binding.parameter or binding.slot.path for binding, v in slots if not math.isfinite(v))
        return Recordings(RunStatus.FAILED, {}, f"no finite value for {', '.join(names)}")
    try:
        recordings = problem.backend.simulate(problem.program, problem.experiments, values)[0]
    except NmloptError:
        raise
    except Exception as error:  # a simulator may raise anything for odd numbers
        return _failure("the simulator raised an error", error)
    return _checked(recordings)


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
