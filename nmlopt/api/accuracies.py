"""What an accuracy of adaptive steps costs and changes, on the document's own values."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from nmlopt.api.problem import Loaded
from nmlopt.api.tighter import at, described, tighter
from nmlopt.backend import Accuracy, Recordings, RunStatus
from nmlopt.evaluate.evaluate import evaluate_together
from nmlopt.evaluate.model import Evaluation, Problem
from nmlopt.features.extract import spike_times
from nmlopt.features.plan import Key
from nmlopt.results.rescored import differences, flips
from nmlopt.verify.model import Subject
from nmlopt.verify.spikes import thresholds


@dataclass(frozen=True, slots=True)
class Level:
    """One accuracy. `cpu_s`: of the simulation. `score_differences`: |difference to the reference| of each target, sd.

    `spikes`: their number in all voltages; `shift_ms`: the largest difference of a spike's time to the reference, None
    where counts differ. `flips`: targets that were found in one of both only. `detail`: why it did not run.
    """

    accuracy: Accuracy
    settings: str
    cpu_s: float
    score_differences: Mapping[str, float]
    spikes: int
    shift_ms: float | None
    flips: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class Accuracies:
    """The levels, and the settings of the reference: the tightest level with half of its steps."""

    reference: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class _Ran:
    evaluation: Evaluation
    spikes: Mapping[Key, tuple[float, ...]]
    cpu_s: float
    detail: str


def compare(loaded: Loaded) -> Accuracies:
    """Every accuracy against the tightest one with half of its steps. The backend has adaptive steps."""
    settings = loaded.problem.program.settings
    finest = at(loaded.problem, tighter(replace(settings, accuracy=Accuracy.TIGHT)))
    truth = _ran(loaded, finest)
    levels = []
    for accuracy in Accuracy:
        problem = at(loaded.problem, replace(settings, accuracy=accuracy))
        levels.append(_level(accuracy, problem, _ran(loaded, problem), truth))
    return Accuracies(described(finest), tuple(levels))


def _ran(loaded: Loaded, problem: Problem) -> _Ran:
    """Features as a fit reads them, and spikes at the recordings' own samples."""
    x = problem.parameters.present()[np.newaxis, :]
    values = problem.parameters.values(x)
    problem.backend.simulate(problem.program, problem.experiments, values[:0])  # loading is not counted
    begin = time.process_time()
    recordings = problem.backend.simulate(problem.program, problem.experiments, values)[0]
    cpu_s = time.process_time() - begin
    evaluation = next(evaluate_together(problem, x))
    subject = Subject(
        loaded.cell, problem.experiments, problem.targets, problem.plan, problem.scoring, values
    )  # fmt: skip
    detail = "" if recordings.status is RunStatus.OK else f"{recordings.status}: {recordings.detail}"
    return _Ran(evaluation, _spikes(subject, recordings), cpu_s, detail)


def _spikes(subject: Subject, recordings: Recordings) -> dict[Key, tuple[float, ...]]:
    found = thresholds(subject)
    return {k: tuple(spike_times(recordings.traces[k], v)) for k, v in found.items() if k in recordings.traces}


def _level(accuracy: Accuracy, problem: Problem, ran: _Ran, truth: _Ran) -> Level:
    lost, gained = flips(truth.evaluation, ran.evaluation)
    return Level(
        accuracy=accuracy,
        settings=described(problem),
        cpu_s=ran.cpu_s,
        score_differences=differences(truth.evaluation, ran.evaluation),
        spikes=sum(map(len, ran.spikes.values())),
        shift_ms=_shift_ms(ran, truth),
        flips=(*lost, *gained),
        detail=ran.detail,
    )


def _shift_ms(ran: _Ran, truth: _Ran) -> float | None:
    if any(len(ran.spikes.get(key, ())) != len(times) for key, times in truth.spikes.items()):
        return None
    shifts = [abs(a - b) for key, times in truth.spikes.items() for a, b in zip(times, ran.spikes[key], strict=True)]
    return max(shifts, default=0.0)
