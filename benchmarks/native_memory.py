"""Resident memory of one process over many evaluations on the native kernel.

    python benchmarks/native_memory.py [FOLDER] [--evaluations 100000]

Evaluates (simulation, features, scores) the simple cell, or the model.nml and targets.json of FOLDER, with other values
each time, in batches as a fit does, and prints the resident memory (MB) after each tenth. Exit code 1 if the second
half adds more than 1 MB. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from pathlib import Path

import numpy as np

from nmlopt.api.problem import Options, load
from nmlopt.evaluate.evaluate import evaluate_batch

SIMPLE_CELL = Path(__file__).resolve().parent / "simplecell"
LIMIT_MB = 1.0


def resident_mb() -> float:
    """Memory of this process that is in RAM."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 1e6


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=SIMPLE_CELL)
    parser.add_argument("--evaluations", type=int, default=100_000)
    given = parser.parse_args()
    problem = load(given.folder / "model.nml", given.folder / "targets.json", Options(backend="native")).problem
    size, drawn, found = problem.backend.offer.batch, np.random.default_rng(1), []
    batches = max(10, given.evaluations // size)
    start = time.process_time()
    for number in range(1, batches + 1):
        unit = drawn.uniform(0.0, 1.0, (size, len(problem.parameters.free)))
        evaluate_batch(problem, problem.parameters.from_unit_interval(unit))
        if number % (batches // 10) == 0:
            found.append(resident_mb())
            print(f"{number * size:8} evaluations: {found[-1]:.2f} MB", flush=True)
    spent = time.process_time() - start
    grown = found[-1] - found[len(found) // 2 - 1]
    print(f"second half: {grown:+.2f} MB; {1e3 * spent / (batches * size):.3f} ms CPU per evaluation")
    return int(grown > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
