"""Candidates that are simulated together: nothing that one of them does shows in another, nor their number or order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from fake_backend import OFFER, SAID, FakeBackend, Fault, LeakyBackend, candidates, fake_problem

from nmlopt.backend import Floats, Program, Recordings, RunStatus
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.evaluate.pool import Evaluator
from nmlopt.experiment.model import Experiment

CPU_S = 0.2
EIGHT = replace(OFFER, batch=8)


@dataclass(frozen=True)
class Counting(FakeBackend):
    """Remembers how many rows each call had."""

    sizes: list[int] = field(default_factory=list, compare=False)

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        self.sizes.append(len(values))
        return super().simulate(program, experiments, values)


@dataclass(frozen=True)
class Cumulative(FakeBackend):
    """Crashes where the rows of a call are more than it has memory for, whichever they are."""

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        if len(values) > 3:
            super().simulate(program, experiments, np.array([[80.0, float(Fault.KILLED)]]))
        return super().simulate(program, experiments, values)


def _comparable(evaluations):
    return [replace(e, cpu_s=0.0) for e in evaluations]


def _alone(x):
    return _comparable(evaluate_batch(fake_problem(), x))


def _check(faults: list[Fault], workers: int, *, batch: int = 8, wall_s: float = 60.0) -> None:
    x = candidates(*faults)
    done: list[int] = []
    problem = fake_problem(FakeBackend(offer=replace(OFFER, batch=batch)))
    with Evaluator(problem, workers, CPU_S, wall_s=wall_s) as evaluator:
        found = evaluator.evaluate(x, done.append)
    assert done == list(range(1, len(faults) + 1))
    good = [row for row, fault in enumerate(faults) if fault is Fault.NONE]
    assert _comparable(found[row] for row in good) == _alone(x[good])
    for row, fault, evaluation in zip(x, faults, found, strict=True):
        status, text = SAID[fault]
        assert (evaluation.status, evaluation.x) == (status, tuple(row)), evaluation
        assert fault is Fault.SLEEP or text in evaluation.detail


def test_a_backend_gets_as_many_rows_as_it_gains_from():
    backend = Counting(offer=EIGHT)
    x = candidates(*[Fault.NONE] * 21)
    assert _comparable(evaluate_batch(fake_problem(backend), x)) == _alone(x)
    assert backend.sizes == [8, 8, 5]


def test_rows_without_finite_values_are_kept_from_the_simulator():
    backend = Counting(offer=EIGHT)
    x = candidates(*[Fault.NONE] * 4)
    x[1, 0] = np.nan
    found = evaluate_batch(fake_problem(backend), x)
    assert [e.status for e in found] == [RunStatus.OK, RunStatus.FAILED, RunStatus.OK, RunStatus.OK]
    assert found[1].detail == "no finite value for height"
    assert backend.sizes == [3]


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@pytest.mark.parametrize("batch", [2, 8, 64])
def test_same_results_in_order_for_any_size_and_any_number_of_workers(workers, batch):
    x = np.column_stack([np.linspace(5.0, 150.0, 50), np.zeros(50)])
    x[7, 1], x[31, 1] = Fault.EXCEPTION, Fault.NAN_TRACE
    shuffled = np.random.default_rng(1).permutation(50)
    done: list[int] = []
    with Evaluator(fake_problem(FakeBackend(offer=replace(OFFER, batch=batch))), workers) as evaluator:
        whole = evaluator.evaluate(x, done.append)
        mixed = evaluator.evaluate(x[shuffled])
    assert _comparable(whole) == _alone(x)
    assert _comparable(mixed) == _alone(x[shuffled])
    assert done == list(range(1, 51))


@pytest.mark.parametrize("workers", [0, 1])
def test_whoever_raises_is_found_among_eight(workers):
    _check([*[Fault.NONE] * 5, Fault.EXCEPTION, Fault.OUT_OF_MEMORY, Fault.NONE], workers)


@pytest.mark.parametrize("place", [0, 3, 7])
def test_whoever_crashes_is_found_among_eight(place):
    faults = [Fault.NONE] * 8
    faults[place] = Fault.SEGMENTATION_FAULT
    _check(faults, workers=1)


def test_every_way_to_die_in_batches_of_eight():
    deadly = [Fault.EXIT_0, Fault.BUSY_LOOP, Fault.NAN_TRACE]
    _check([f for fault in deadly for f in (Fault.NONE, fault, Fault.NONE, Fault.NONE)], workers=2)


def test_whoever_hangs_is_found_by_the_wall_clock():
    _check([Fault.NONE, Fault.NONE, Fault.SLEEP, Fault.NONE], workers=1, wall_s=0.7)


def test_all_eight_crash():
    _check([Fault.EXIT_3] * 8, workers=2)


@pytest.mark.parametrize("backend", [LeakyBackend(offer=EIGHT), Cumulative(offer=EIGHT)], ids=["leaky", "cumulative"])
def test_what_only_many_rows_together_cause_is_no_rows_failure(backend):
    x = np.column_stack([np.linspace(5.0, 150.0, 20), np.zeros(20)])
    with Evaluator(fake_problem(backend), 2) as evaluator:
        assert _comparable(evaluator.evaluate(x)) == _alone(x)


def test_a_limit_is_that_of_each_candidate_not_of_the_batch():
    """Eight that use a quarter of the limit each, together more than a candidate may, are not overdue."""
    backend = Spending(offer=EIGHT)
    with Evaluator(fake_problem(backend), 1, timeout_s=0.4) as evaluator:
        found = evaluator.evaluate(candidates(*[Fault.NONE] * 8))
    assert {e.status for e in found} == {RunStatus.OK}
    assert sum(e.cpu_s for e in found) > 0.7


@dataclass(frozen=True)
class Spending(FakeBackend):
    """Uses 0.1 s of CPU time in each candidate."""

    def _candidate(self, experiments: Sequence[Experiment], height: float, number: float) -> Recordings:
        spend(0.1)
        return super()._candidate(experiments, height, number)


def spend(cpu_s: float) -> None:
    """Use CPU time."""
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        pass
