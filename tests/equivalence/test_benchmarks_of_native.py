"""What benchmarks of the native kernel rest on: the clock of its phases, the arithmetic of work and precision."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from nmlopt.api.problem import Options, load

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])


@pytest.mark.parametrize(
    ("folder", "phases"),
    [
        (
            "examples/ball_and_stick",
            {"making tables", "tables", "assembly", "elimination", "output"},
        ),
        ("examples/izhikevich", {"rates and states", "output"}),
    ],
)
def test_a_kernel_that_looks_at_the_clock_tells_its_phases(folder, phases):
    from kernel_phases import phases as measured

    problem = load(ROOT / folder / "model.nml", ROOT / folder / "targets.json", Options("native")).problem
    found = measured(problem, problem.parameters.present()[np.newaxis, :], 1)
    assert phases <= set(found)
    assert all(0.0 < spent < 1e4 for spent in found.values())
    assert b"take_phases" not in (problem.program.folder / "kernel.so").read_bytes()


def test_gain_is_against_the_cheapest_native_run_that_is_as_good():
    from work_precision import Cell, Measured, rows

    wanted = [np.array([1.0, 2.0]), np.array([])]
    runs = [
        Measured(name, "", cost, [np.array(first), np.array([])])
        for name, cost, first in (
            ("native", 1.0, [1.0, 2.5]),
            ("native", 4.0, [1.1, 2.0]),
            ("NEURON", 8.0, [1.0, 2.2]),
            ("NEURON", 9.0, [1.0, 2.01]),
            ("BluePyOpt", 9.0, [1.0]),
        )
    ]
    found = rows(Cell("c", Path(), Path(), ()), runs, wanted)
    assert [row["error_ms"] for row in found] == pytest.approx([0.5, 0.1, 0.2, 0.01, None])
    assert [row["gain"] for row in found[2:]] == [2.0, None, None]


def test_crossings_lie_between_samples():
    from work_precision import crossings

    assert crossings(np.array([0.0, 1.0, 2.0, 3.0]), np.array([-60.0, 20.0, -60.0, 0.0])) == pytest.approx([0.5, 8 / 3])
