"""Candidates to evaluations in this process: bind, simulate, extract, score."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from nmlopt.backend import Floats, Recordings, RunStatus
from nmlopt.evaluate.model import Evaluation, Problem
from nmlopt.features.extract import extract
from nmlopt.objectives.combine import objectives
from nmlopt.objectives.score import score


def evaluate_batch(problem: Problem, x: Floats) -> tuple[Evaluation, ...]:
    """One evaluation per row of `x` (n, n_free), in order; a row never depends on the others.

    Failures of a simulation or of a feature are statuses of that row.
    """
    return tuple(_evaluate(problem, row) for row in x)


def failed(problem: Problem, x: Sequence[float], status: RunStatus, detail: str, cpu_s: float) -> Evaluation:
    """The evaluation of a candidate that gave nothing: every target scores the cap."""
    return _scored(problem, x, Recordings(status, {}, detail), {}, cpu_s)


def _evaluate(problem: Problem, row: Floats) -> Evaluation:
    start = time.process_time()
    candidate = tuple(float(value) for value in row)
    values = problem.parameters.values(row[np.newaxis, :])
    recordings = problem.backend.simulate(problem.program, problem.experiments, values)[0]
    features: Mapping[str, tuple[float, ...]] = {}
    if recordings.status is RunStatus.OK:
        try:
            features = extract(problem.plan, recordings)
        except Exception as error:  # whatever a feature library does with an odd trace, it is this candidate's failure
            text = f"the features could not be extracted: {type(error).__name__}: {error}"
            recordings = Recordings(RunStatus.FAILED, {}, text)
    return _scored(problem, candidate, recordings, features, time.process_time() - start)


def _scored(
    problem: Problem,
    x: Sequence[float],
    recordings: Recordings,
    features: Mapping[str, tuple[float, ...]],
    cpu_s: float,
) -> Evaluation:
    targets = problem.targets
    scores = {t.id: score(t, features.get(t.id), targets.cap) for t in targets.targets}
    return Evaluation(
        x=tuple(x),
        status=recordings.status,
        features=features,
        scores=scores,
        objectives=objectives(targets, scores),
        cpu_s=cpu_s,
        detail=recordings.detail,
    )
