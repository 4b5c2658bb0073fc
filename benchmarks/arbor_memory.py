"""Resident memory of one process over many batches on Arbor.

    python benchmarks/arbor_memory.py [--batches 2000] [--candidates 4] [--duration 20]

Runs `examples/ball_and_stick` with other values in each batch and prints the resident memory (MB) after each tenth of
them. Exit code 1 if the second half adds more than 2 MB. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import gc
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from nmlopt.api.problem import Options, load

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "ball_and_stick"
LIMIT_MB = 2.0


def resident_mb() -> float:
    """Memory of this process that is in RAM."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 1e6


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=2000)
    parser.add_argument("--candidates", type=int, default=4)
    parser.add_argument("--duration", type=float, default=20.0)
    given = parser.parse_args()
    problem = load(FOLDER / "model.nml", FOLDER / "targets.json", Options(backend="arbor")).problem
    experiments = tuple(replace(e, duration_ms=given.duration) for e in problem.experiments)
    drawn = np.random.default_rng(1)
    found = []
    for number in range(1, given.batches + 1):
        unit = drawn.uniform(0.0, 1.0, (given.candidates, len(problem.parameters.free)))
        values = problem.parameters.values(problem.parameters.from_unit_interval(unit))
        problem.backend.simulate(problem.program, experiments, values)
        if number % max(1, given.batches // 10) == 0:
            found.append(resident_mb())
            print(f"{number:6} batches: {found[-1]:.1f} MB", flush=True)
    grown = found[-1] - found[len(found) // 2 - 1]
    print(f"second half: {grown:+.2f} MB")
    return int(grown > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
