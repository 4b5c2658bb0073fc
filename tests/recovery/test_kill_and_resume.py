"""A fit that is killed again and again, and resumed each time, ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nmlopt.results.store import RunStore

pytestmark = pytest.mark.neuron

FIT = ["--offspring", "8", "--workers", "2", "--seed", "5", "--solutions", "3", "--backend", "neuron", "--no-rescore"]
"""Slow enough that kills come while it searches; tests/cli/test_rescoring.py interrupts what comes after."""


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "nmlopt", *arguments]


def _example(root: Path) -> list[str]:
    folder = root / "examples" / "hh_soma"
    return [str(folder / "model.nml"), str(folder / "targets.json")]


def _contents(folder: Path) -> tuple:
    with RunStore.open(folder) as store:
        table = store.table()
        states = [store.last_state(seed) for seed in store.info.seeds]
    return table.generations, table.x, table.objectives, states


def _kill_tree(process: subprocess.Popen) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _run_and_kill(command: list[str], seconds: float) -> bool:
    """Start the command, kill its whole process tree after a while; whether it had ended by itself."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, start_new_session=True, stdout=quiet, stderr=quiet)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill_tree(process)
        return False
    assert process.returncode in (0, 1)
    return True


def _same(folder: Path, reference: tuple) -> None:
    generations, x, objectives, states = _contents(folder)
    np.testing.assert_array_equal(generations, reference[0])
    np.testing.assert_array_equal(x, reference[1])
    np.testing.assert_array_equal(objectives, reference[2])
    assert states == reference[3]


def _check(root: Path, tmp_path: Path, *, kills: int, generations: int, share: tuple[float, float]) -> None:
    fit = [*FIT, "--generations", str(generations)]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    start = time.monotonic()
    done = subprocess.run(_command("fit", *_example(root), "--out", str(whole), *fit), capture_output=True, text=True)
    seconds = time.monotonic() - start
    assert done.returncode in (0, 1), done.stderr
    reference = _contents(whole)

    rng = random.Random(3)
    command = _command("fit", *_example(root), "--out", str(broken), *fit)
    last = done_kills = 0
    for _ in range(kills):
        if _run_and_kill(command, rng.uniform(*share) * seconds / kills):
            break
        done_kills += 1
        if not (broken / "run.sqlite").exists():
            continue
        with RunStore.open(broken) as store:
            generation = store.progress()[0].generations
        assert generation >= last, "a stored generation was lost"
        last = generation
        command = _command("resume", str(broken))
    assert done_kills == kills, "the fit ended too early to be killed as often as wanted"
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    _same(broken, reference)
    assert (broken / "solutions" / "01" / "model.nml").read_bytes() != b""
    assert (broken / "report.html").exists()


def test_two_kills(root, tmp_path):
    _check(root, tmp_path, kills=2, generations=14, share=(0.3, 0.9))


@pytest.mark.slow
def test_twenty_kills(root, tmp_path):
    _check(root, tmp_path, kills=20, generations=120, share=(0.5, 2.0))
