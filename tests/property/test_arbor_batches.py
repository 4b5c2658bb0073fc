"""Arbor's batches: a candidate is the same, bit for bit, alone, among 64, in any order and on any number of threads."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from law import experiment, run, same

from nmlopt.backend import Program, Settings
from nmlopt.document.paths import listing
from nmlopt.document.read import read
from nmlopt.errors import UnsupportedError
from nmlopt.experiment.model import Experiment
from nmlopt.exporters import registry
from nmlopt.ir.lower import lower

pytestmark = pytest.mark.arbor

SUBJECTS = {
    "ball_and_stick": ("examples/ball_and_stick/model.nml", None),
    "traubs": ("tests/data/elements/calcium.nml", "traubs"),
}


def _program(root: Path, name: str, settings: Settings) -> tuple[Program, tuple[Experiment, ...]]:
    model, component = SUBJECTS[name]
    document = read(root / model)
    densities = [a for a in listing(document) if a.path.endswith("/condDensity")]
    free = [a for a in densities if component is None or component in a.path][:4]
    program = registry.load("arbor").compile(lower(document, free, component=component), settings)
    return program, (experiment(program.cell, 0.2 if component is None else 0.02, 20.0),)


def _rows(program: Program, count: int) -> list[list[float]]:
    drawn = np.random.default_rng(3)
    return [[slot.default * drawn.uniform(0.7, 1.3) for slot in program.slots] for _ in range(count)]


@pytest.mark.parametrize("name", SUBJECTS)
def test_alone_among_64_shuffled_and_on_threads(name: str, root: Path) -> None:
    program, experiments = _program(root, name, Settings())
    assert program.slots
    rows = _rows(program, 64)
    together = run(program, experiments, rows)
    assert len({r.traces["e", "0"].y.tobytes() for r in together}) == 64
    for number in (0, 17, 63):
        same(run(program, experiments, [rows[number]])[0], together[number], f"{number} alone")
    order = np.random.default_rng(4).permutation(64).tolist()
    for number, found in zip(order, run(program, experiments, [rows[i] for i in order]), strict=True):
        same(found, together[number], f"{number} shuffled")
    first, _, third = run(program, experiments, [rows[5], rows[6], rows[5]])
    same(first, together[5], "A of A, B, A")
    same(third, together[5], "the second A of A, B, A")
    threaded, _ = _program(root, name, Settings(threads=3))
    for number, found in enumerate(run(threaded, experiments, rows[:10])):
        same(found, together[number], f"{number} on three threads")


def test_one_that_diverges_leaves_the_others_alone(root: Path) -> None:
    program, experiments = _program(root, "ball_and_stick", Settings())
    rows = _rows(program, 8)
    alone = run(program, experiments, rows)
    rows[3] = [-1e3 * value for value in rows[3]]
    found = run(program, experiments, rows)
    assert found[3].status == "diverged"
    for number in (0, 1, 2, 4, 5, 6, 7):
        same(found[number], alone[number], f"{number} beside a candidate that diverges")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="optional data: memory is read from /proc")
def test_memory_stays_flat(root: Path) -> None:
    """60 batches; benchmarks/arbor_memory.py runs 2,000."""
    program, experiments = _program(root, "ball_and_stick", Settings())
    rows = _rows(program, 4)

    def resident_mb(batches: int) -> float:
        for _ in range(batches):
            run(program, experiments, rows)
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * 4096 / 1e6

    before = resident_mb(20)
    assert resident_mb(40) - before < 4.0


def test_a_gpu_is_refused_where_arbor_has_no_support(root: Path) -> None:
    if pytest.importorskip("arbor").config()["gpu"]:
        pytest.skip("optional data: this Arbor supports GPUs")
    with pytest.raises(UnsupportedError, match="error B083: the installed Arbor cannot use a GPU"):
        _program(root, "ball_and_stick", replace(Settings(), gpu=True))
