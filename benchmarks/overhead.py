"""What an evaluation of the simple cell costs outside the simulator, in CPU milliseconds.

    python benchmarks/overhead.py [--candidates N]

Measures whole evaluations in process, and the same simulator runs alone (finitialize and psolve of the same cell, no
binding, no copying, no features); prints both and the difference.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from unittest import mock

import numpy as np

from nmlopt.api.problem import Options, load
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.exporters.neuron import simulate as simulate_module

HERE = Path(__file__).parent / "simplecell"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5, help="best of these counts")
    args = parser.parse_args()
    problem = load(HERE / "model.nml", HERE / "targets.json", Options()).problem
    x = np.random.default_rng(1).uniform([0.05, 0.01], [0.125, 0.075], (args.candidates, 2))
    evaluate_batch(problem, x[:2])
    spent = [0.0]
    inner = simulate_module._run

    def timed(*given: object) -> object:
        start = time.process_time()
        result = inner(*given)
        spent[0] += time.process_time() - start
        return result

    rounds = []
    with mock.patch.object(simulate_module, "_run", timed):
        for _ in range(args.rounds):
            spent[0] = 0.0
            start = time.process_time()
            evaluate_batch(problem, x)
            rounds.append((time.process_time() - start, spent[0]))
    whole, solver = min(rounds, key=lambda r: r[0] - r[1])
    per = 1e3 / len(x)
    whole_ms, solver_ms = whole * per, solver * per
    print(
        f"whole evaluation {whole_ms:.2f} ms CPU, simulator {solver_ms:.2f} ms, outside {whole_ms - solver_ms:.2f} ms"
    )


if __name__ == "__main__":
    main()
