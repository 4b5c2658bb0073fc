"""Worker processes: the same results whatever their number, and every way to die costs one candidate."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_backend import SAID, FakeBackend, Fault, candidates, fake_problem

from nmlopt.backend import RunStatus
from nmlopt.errors import BackendError
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.evaluate.pool import Evaluator

CPU_S = 0.2
WALL_S = 4.0


def _comparable(evaluations):
    return [replace(e, cpu_s=0.0) for e in evaluations]


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _check_faults(faults: list[Fault], workers: int) -> None:
    problem, x = fake_problem(), candidates(*faults)
    done: list[int] = []
    with Evaluator(problem, workers, CPU_S, wall_s=WALL_S) as evaluator:
        found = evaluator.evaluate(x, done.append)
    assert done == list(range(1, len(faults) + 1))
    for row, fault, evaluation in zip(x, faults, found, strict=True):
        status, text = SAID[fault]
        assert (evaluation.status, evaluation.x) == (status, tuple(row)), evaluation
        assert text in evaluation.detail
        if fault is Fault.NONE:
            assert _comparable([evaluation]) == _comparable(evaluate_batch(problem, row[np.newaxis, :]))
        else:
            assert evaluation.objectives == (250.0, 250.0)


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_same_results_in_order_for_any_number_of_workers_and_any_batches(workers):
    problem = fake_problem()
    x = np.column_stack([np.linspace(5.0, 150.0, 50), np.zeros(50)])
    x[7, 1], x[31, 1] = Fault.EXCEPTION, Fault.NAN_TRACE
    reference = _comparable(evaluate_batch(problem, x))
    done: list[int] = []
    with Evaluator(problem, workers) as evaluator:
        whole = evaluator.evaluate(x, done.append)
        parts = [evaluator.evaluate(part) for part in np.split(x, [1, 4, 23])]
    assert _comparable(whole) == reference
    assert _comparable(e for part in parts for e in part) == reference
    assert done == list(range(1, 51))


def test_fifteen_faults():
    one_of_each = [fault for fault in SAID if fault is not Fault.NONE]
    faults = [*one_of_each, Fault.SEGMENTATION_FAULT, Fault.EXIT_0, Fault.NAN_TRACE, Fault.EXCEPTION]
    assert len(faults) == 15
    _check_faults([f for fault in faults for f in (fault, Fault.NONE)], workers=2)


@pytest.mark.slow
def test_a_hundred_faults():
    harmful = [fault for fault in SAID if fault is not Fault.NONE]
    faults = [harmful[i % len(harmful)] for i in range(100)]
    _check_faults([f for fault in faults for f in (fault, Fault.NONE)], workers=3)


def test_workers_count_cpu_seconds_as_this_process_does():
    problem = fake_problem(FakeBackend(samples=4000))
    x = candidates(*[Fault.NONE] * 200)
    here = sum(e.cpu_s for e in evaluate_batch(problem, x))
    with Evaluator(problem, 1) as evaluator:
        there = sum(e.cpu_s for e in evaluator.evaluate(x))
    assert 0.2 * here < there < 5.0 * here


def test_nothing_to_do():
    with Evaluator(fake_problem(), 2) as evaluator:
        assert evaluator.evaluate(np.empty((0, 2))) == ()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("workers", [0, 2])
def test_outside_of_with_it_says_how_to_use_it(workers):
    evaluator = Evaluator(fake_problem(), workers)
    with pytest.raises(RuntimeError, match="with Evaluator"):
        evaluator.evaluate(candidates(Fault.NONE))
    with evaluator:
        pass
    with pytest.raises(RuntimeError, match="with Evaluator"):
        evaluator.evaluate(candidates(Fault.NONE))


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault.EXCEPTION, "error B090: a worker process cannot be set up: ArithmeticError: g must be positive"),
        (Fault.EXIT_3, "error B090: the worker processes cannot start: the worker process ended with exit code 3"),
        (Fault.INSTALLATION, "error B005: the compiled mechanisms are gone"),
    ],
)
def test_workers_that_cannot_be_set_up_are_an_error(fault, text):
    with (
        Evaluator(fake_problem(FakeBackend(start_fault=fault)), 2) as evaluator,
        pytest.raises(BackendError, match=text),
    ):
        evaluator.evaluate(candidates(Fault.NONE))
    assert not multiprocessing.active_children()


def test_a_broken_installation_found_in_a_candidate_is_raised():
    with Evaluator(fake_problem(), 1) as evaluator, pytest.raises(BackendError, match="B005"):
        evaluator.evaluate(candidates(Fault.NONE, Fault.INSTALLATION))


def test_an_interrupt_ends_the_workers_and_the_next_call_has_new_ones():
    def interrupt(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    problem = fake_problem()
    x = candidates(*[Fault.NONE] * 12)
    with Evaluator(problem, 2) as evaluator:
        with pytest.raises(KeyboardInterrupt):
            evaluator.evaluate(x, interrupt)
        assert not multiprocessing.active_children()
        assert _comparable(evaluator.evaluate(x)) == _comparable(evaluate_batch(problem, x))
    assert not multiprocessing.active_children()


def test_a_slow_listener_does_not_make_candidates_overdue():
    def dawdle(done: int) -> None:
        if done == 1:
            time.sleep(1.2)

    with Evaluator(fake_problem(), 2, wall_s=0.8) as evaluator:
        found = evaluator.evaluate(candidates(*[Fault.NONE] * 30), dawdle)
    assert {e.status for e in found} == {RunStatus.OK}


SCRIPT = """
import multiprocessing
from fake_backend import SAID, FakeBackend, Fault, candidates, fake_problem
from nmlopt.evaluate.pool import Evaluator

def tell(done):
    if done == 2:
        print(*[p.pid for p in multiprocessing.active_children()], flush=True)

if __name__ == "__main__":
    with Evaluator(fake_problem(FakeBackend(pause_s=0.1)), 2) as evaluator:
        evaluator.evaluate(candidates(*[Fault.NONE] * 2, *[Fault.BUSY_LOOP] * 20), tell)
"""


def _at_work(folder: Path) -> tuple[subprocess.Popen, list[int]]:
    """A script whose workers are in endless loops, and their process ids."""
    script = folder / "script.py"
    script.write_text(SCRIPT)
    tools = str(Path(sys.modules["fake_backend"].__file__).parent)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": tools},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert len(pids) == 2
    return process, pids


def _gone_within(pids: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(_alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(_alive(pid) for pid in pids)


def test_ctrl_c_ends_workers_that_loop_and_only_the_parent_complains(tmp_path):
    process, pids = _at_work(tmp_path)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    _, errors = process.communicate(timeout=30)
    assert _gone_within(pids, 1.0)
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")


def test_workers_do_not_outlive_a_killed_parent(tmp_path):
    process, pids = _at_work(tmp_path)
    process.kill()
    process.communicate(timeout=30)
    assert _gone_within(pids, 3.0)
