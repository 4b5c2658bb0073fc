"""Fit one cell on NEURON and on Arbor with one seed, and score the solutions of each on the other.

    python benchmarks/fit_on_both.py [--example ball_and_stick] [--generations 10] [--solutions 3] [--seed 1]

Each solution is scored on both at three steps, each half of the one before. A score on a backend is known within what
it changes where the step goes to zero: the last value against the line through the last two. The scores of the two
backends must be the same within these errors, or within 0.001 sd where a feature jumps from one step to the next by its
grid. Exit code 1 if any is not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from nmlopt.api.fitting import FitResult, Plan, fit_files
from nmlopt.api.problem import Options, load
from nmlopt.api.searching import Machine, Search
from nmlopt.backend import Floats, Settings
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.optimise.stopping import StopRule

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
BACKENDS = ("neuron", "arbor")
STEPS_MS = (0.025, 0.0125, 0.00625)
GRID_SD = 1e-3


def fit(folder: Path, backend: str, out: Path, given: argparse.Namespace) -> FitResult:
    """The fit on a backend; all that is drawn at random is the same for each."""
    plan = Plan(
        search=Search(seeds=(given.seed,)),
        rule=StopRule(generations=given.generations),
        machine=Machine(workers=given.workers),
        solutions=given.solutions,
    )
    options = Options(backend=backend)
    files = folder / "model.nml", folder / "targets.json"
    return fit_files(*files, out / backend, plan=plan, options=options, on_progress=lambda _: None)


def scores(folder: Path, backend: str, dt_ms: float, x: Floats) -> tuple[list[str], Floats]:
    """Names of the targets; their scores (n, n_targets) of candidates `x` (n, n_free)."""
    problem = load(folder / "model.nml", folder / "targets.json", Options(backend, Settings(dt_ms=dt_ms))).problem
    names = [target.id for target in problem.targets.targets]
    return names, np.array([[e.scores[name] for name in names] for e in evaluate_batch(problem, x)])


def main() -> int:
    """Fit, score, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--example", default="ball_and_stick")
    parser.add_argument("--generations", type=int, default=10)
    parser.add_argument("--solutions", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=None)
    given = parser.parse_args()
    folder = EXAMPLES / given.example
    found: list[tuple[str, list[float], float]] = []
    with tempfile.TemporaryDirectory() as place:
        for backend in BACKENDS:
            cells = fit(folder, backend, Path(place), given).solutions[: given.solutions]
            found += [(backend, list(cell.parameters.values()), cell.sum or 0.0) for cell in cells]
            print(f"fitted on {backend}: sums of scores {[round(cell.sum or 0.0, 3) for cell in cells]}", flush=True)
    x = np.array([parameters for _, parameters, _ in found])
    at = {}
    for backend in BACKENDS:
        rows = [scores(folder, backend, dt_ms, x) for dt_ms in STEPS_MS]
        names, at[backend] = rows[0][0], np.array([row for _, row in rows])
    zero = {b: 2.0 * values[-1] - values[-2] for b, values in at.items()}
    error = {b: np.abs(zero[b] - values[-1]) for b, values in at.items()}
    apart = np.abs(zero["neuron"] - zero["arbor"])
    allowed = np.maximum(error["neuron"] + error["arbor"], GRID_SD)
    print(f"{'fitted on':10}{'sum there':>12}" + "".join(f"{f'{b} {dt:g}':>16}" for b in BACKENDS for dt in STEPS_MS))
    for row, (backend, _, total) in enumerate(found):
        sums = "".join(f"{at[b][k, row].sum():16.4f}" for b in BACKENDS for k, _ in enumerate(STEPS_MS))
        print(f"{backend:10}{total:12.4f}{sums}")
    same_step = np.abs(at["neuron"] - at["arbor"]).max(axis=(1, 2))
    print(
        "largest difference of a score in sd at "
        + ", ".join(f"{d:g} ms: {v:.4g}" for d, v in zip(STEPS_MS, same_step, strict=True))
    )
    row, column = np.unravel_index(np.argmax(apart - allowed), apart.shape)
    print(f"at a step of zero: {apart.max():.4g}; nearest to its limit: '{names[column]}' of solution {row}:")
    print(f"    {apart[row, column]:.4g} apart, known within {allowed[row, column]:.4g}")
    return int(bool((apart > allowed).any()))


if __name__ == "__main__":
    sys.exit(main())
