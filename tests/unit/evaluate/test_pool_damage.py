"""What one candidate leaves behind in a worker, and a stopped machine, are not held against another candidate."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import fake_backend
import numpy as np
import pytest
from fake_backend import Fault, LeakyBackend, candidates, fake_problem

from nmlopt.backend import RunStatus
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.evaluate.pool import Evaluator


def _comparable(evaluations):
    return [replace(e, cpu_s=0.0) for e in evaluations]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_crash_of_a_worn_out_process_is_not_the_candidates(workers):
    x = np.column_stack([np.linspace(5.0, 150.0, 30), np.zeros(30)])
    done: list[int] = []
    with Evaluator(fake_problem(LeakyBackend()), workers) as evaluator:
        found = evaluator.evaluate(x, done.append)
    assert _comparable(found) == _comparable(evaluate_batch(fake_problem(), x))
    assert done == list(range(1, 31))


@pytest.mark.parametrize("workers", [1, 2])
def test_crashes_side_by_side_are_each_found_in_a_new_process(workers):
    faults = [Fault.NONE, *[Fault.SEGMENTATION_FAULT] * 4, Fault.NONE, Fault.EXIT_0]
    with Evaluator(fake_problem(), workers) as evaluator:
        found = evaluator.evaluate(candidates(*faults))
    assert [e.status for e in found] == [RunStatus.CRASHED if fault else RunStatus.OK for fault in faults]


def _script(folder: Path, text: str) -> subprocess.Popen:
    script = folder / "script.py"
    script.write_text(text)
    return subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(Path(fake_backend.__file__).parent)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


TALKATIVE = """
import os
from fake_backend import FakeBackend, Fault, candidates, fake_problem
from nmlopt.evaluate.pool import Evaluator

class TalkativeBackend(FakeBackend):
    def _candidate(self, *arguments):
        os.write(1, b"a complaint of compiled code")
        return super()._candidate(*arguments)

if __name__ == "__main__":
    with Evaluator(fake_problem(TalkativeBackend()), 1) as evaluator:
        print(*[e.status for e in evaluator.evaluate(candidates(Fault.NONE))])
"""


def test_standard_output_belongs_to_the_parent(tmp_path):
    assert _script(tmp_path, TALKATIVE).communicate(timeout=60)[0] == "ok\n"


SCRIPT = """
from fake_backend import FakeBackend, Fault, candidates, fake_problem
from nmlopt.evaluate.pool import Evaluator

def tell(done):
    if done == 2:
        print("at work", flush=True)

if __name__ == "__main__":
    with Evaluator(fake_problem(FakeBackend(pause_s=0.2)), 2, wall_s=3.0) as evaluator:
        print(sorted({e.status.value for e in evaluator.evaluate(candidates(*[Fault.NONE] * 12), tell)}))
"""


def test_time_in_which_everything_was_stopped_does_not_count(tmp_path):
    process = _script(tmp_path, SCRIPT)
    assert process.stdout.readline() == "at work\n"
    os.killpg(process.pid, signal.SIGSTOP)  # Ctrl-Z
    time.sleep(4.0)
    os.killpg(process.pid, signal.SIGCONT)  # fg
    assert process.communicate(timeout=60)[0] == "['ok']\n"
