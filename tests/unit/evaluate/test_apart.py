"""Simulations in a process of their own: what they give, and how they may end."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from fake_backend import fake_cell, fake_experiment
from stepped_backend import SteppedBackend

from nmlopt.backend import Program, RunStatus, Settings
from nmlopt.errors import BackendError, Issue
from nmlopt.evaluate.apart import simulate_apart

VALUES = np.zeros((2, 2))


@dataclass(frozen=True)
class Ending(SteppedBackend):
    """A simulator that ends in a way of its own."""

    how: str = "crash"

    def simulate(self, program, experiments, values):
        if self.how == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.how == "leave":
            os._exit(7)
        if self.how == "refuse":
            raise BackendError(Issue("B001", "not today", "here", "tomorrow"))
        raise ZeroDivisionError("by chance")


def run(backend):
    program = Program(backend.name, fake_cell(), Settings(dt_ms=0.025), "", {}, Path())
    return simulate_apart(backend, program, (fake_experiment(),), VALUES)


def test_recordings_come_back_whole():
    backend = SteppedBackend("one")
    program = Program(backend.name, fake_cell(), Settings(dt_ms=0.025), "", {}, Path())
    (here,) = backend.simulate(program, (fake_experiment(),), VALUES)
    (apart,) = run(backend)
    assert apart.status is RunStatus.OK
    assert apart.traces.keys() == here.traces.keys()
    assert all(np.array_equal(apart.traces[key].y, here.traces[key].y) for key in here.traces)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("crash", "the simulator crashed (SIGSEGV)"),
        ("leave", "the simulator ended its process with code 7"),
        ("fail", "ZeroDivisionError: by chance"),
    ],
)
def test_an_odd_end_is_a_failure_of_every_row(how, said):
    found = run(Ending("one", how=how))
    assert [(r.status, r.detail) for r in found] == [(RunStatus.FAILED, said)] * len(VALUES)


def test_errors_of_ours_are_raised():
    with pytest.raises(BackendError) as error:
        run(Ending("one", how="refuse"))
    assert error.value.issues == (Issue("B001", "not today", "here", "tomorrow"),)
