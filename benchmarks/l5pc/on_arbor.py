"""The layer 5 pyramidal cell on Arbor and on NEURON: its 35 features as the step goes to zero, and CPU time.

    python benchmarks/l5pc/on_arbor.py features DATA [--steps 0.0125 0.00625]
    python benchmarks/l5pc/on_arbor.py cpu DATA [--candidates 1 8 64] [--short 20 --long 100]

DATA as for build.py. `features` runs both backends at the steps (ms; fixed, each half of the one before), with features
read off a grid of 0.01 ms, and prints how far apart they are in sd at each step and extrapolated to zero; exit code 1
if any is further apart than 0.1 sd there. A feature that changes by more than 0.2 sd between the last two steps on
either backend lies on no line ('jumps'): its values at the last step count. `cpu` runs a step of current for two
durations, with so many candidates in one call of `simulate` (in Arbor: one recipe), and prints the CPU time per
candidate: what each costs before the first step, what a simulated millisecond costs, and what follows for the four
protocols (9.6 s).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from build import build
from l5pc_data import load as load_data

from nmlopt.api.problem import Options, load
from nmlopt.backend import Settings
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.evaluate.model import Problem

BACKENDS = ("neuron", "arbor")
GRID = {"interp_step": 0.01}
LIMIT_SD = 0.1
WHOLE_MS = 9600.0


def problem(folder: Path, backend: str, dt_ms: float) -> Problem:
    """The document on a backend."""
    options = Options(backend=backend, settings=Settings(dt_ms=dt_ms), root=folder)
    return load(folder / "model.nml", folder / "targets.json", options).problem


def features(folder: Path, backend: str, dt_ms: float) -> tuple[dict[str, float], float]:
    """The mean of each feature at the published parameters, and the CPU seconds of the evaluation."""
    held = problem(folder, backend, dt_ms)
    evaluation = evaluate_batch(held, held.parameters.present()[np.newaxis, :])[0]
    if len(evaluation.features) != len(held.targets.targets):
        sys.exit(f"{backend} at {dt_ms:g} ms: {evaluation.status} {evaluation.detail}")
    return {name: float(np.mean(found)) for name, found in evaluation.features.items()}, evaluation.cpu_s


def compare(folder: Path, steps: list[float]) -> float:
    """Print how far apart the backends are in sd; the largest distance at a step of zero."""
    if any(abs(coarse - 2.0 * fine) > 1e-9 for coarse, fine in pairwise(steps)) or len(steps) < 2:
        sys.exit("each step has to be half of the one before, and there have to be two of them")
    found = {}
    for dt_ms in steps:
        for backend in BACKENDS:
            found[backend, dt_ms], cpu_s = features(folder, backend, dt_ms)
            print(f"{backend} at {dt_ms:g} ms: {cpu_s:.1f} s CPU", flush=True)
    print(f"{'apart, in sd':42}" + "".join(f"{dt:>10g}" for dt in steps) + f"{'-> 0':>10}{'dt error':>10}")
    worst = 0.0
    for target in problem(folder, "neuron", steps[0]).targets.targets:
        name, sd = target.id, target.sd
        at = {b: [found[b, dt][name] for dt in steps] for b in BACKENDS}
        jumps = any(abs(values[-1] - values[-2]) > 2.0 * LIMIT_SD * sd for values in at.values())
        zero = {b: values[-1] if jumps else 2.0 * values[-1] - values[-2] for b, values in at.items()}
        row = [abs(n - a) / sd for n, a in zip(at["neuron"], at["arbor"], strict=True)]
        row += [abs(zero["neuron"] - zero["arbor"]) / sd, abs(zero["neuron"] - at["neuron"][-1]) / sd]
        worst = max(worst, row[-2])
        print(f"{name:42}" + "".join(f"{value:10.4f}" for value in row) + ("  jumps" if jumps else ""))
    print(f"largest distance at a step of zero: {worst:.4f} sd")
    return worst


def cpu(folder: Path, counts: list[int], durations_ms: tuple[float, float]) -> None:
    """Print CPU milliseconds per candidate."""
    print(f"{'backend':10}{'together':>10}{'before':>12}{'per ms':>12}{'9.6 s':>12}   (CPU ms per candidate)")
    for count in counts:
        for backend in BACKENDS:
            held = problem(folder, backend, 0.025)
            drawn = np.random.default_rng(1).uniform(0.98, 1.02, (count, len(held.parameters.free)))
            values = held.parameters.values(drawn * held.parameters.present())
            step = next(e for e in held.experiments if e.id == "Step3")
            held.backend.simulate(held.program, (replace(step, duration_ms=1.0),), values[:1])
            spent = []
            for duration_ms in durations_ms:
                begin = time.process_time()
                held.backend.simulate(held.program, (replace(step, duration_ms=duration_ms),), values)
                spent.append(1e3 * (time.process_time() - begin) / count)
            short, long = durations_ms
            each = (spent[1] - spent[0]) / (long - short)
            before = spent[0] - each * short
            print(f"{backend:10}{count:10}{before:12.1f}{each:12.3f}{4 * before + WHOLE_MS * each:12.0f}", flush=True)


def main() -> int:
    """Parse the command line, build, run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("features", "cpu"))
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--steps", type=float, nargs="+", default=[0.0125, 0.00625])
    parser.add_argument("--candidates", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--short", type=float, default=20.0)
    parser.add_argument("--long", type=float, default=100.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "l5pc"
        build(load_data(given.data), folder, GRID)
        if given.what == "features":
            return int(not compare(folder, given.steps) <= LIMIT_SD)
        cpu(folder, given.candidates, (given.short, given.long))
    return 0


if __name__ == "__main__":
    sys.exit(main())
