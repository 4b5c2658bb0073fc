"""Hypervolumes of IBEA and NSGA-II on ZDT1-3 and DTLZ2 beside those of other people's programmes, and time needed.

    python benchmarks/optimisers_vs_peers.py

The peers' figures come from `optimisers_peers.json`; `optimisers_peers.py` makes them anew. The problems are DEAP's,
the measure is moocore's, the largest value possible that of the true front. Takes some minutes.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import moocore
import numpy as np
from deap import benchmarks

from nmlopt.optimise.loop import search
from nmlopt.optimise.model import AlgorithmSettings, Floats
from nmlopt.optimise.registry import algorithm_names, load_algorithm
from nmlopt.optimise.stopping import StopRule

SEEDS = range(10)
BUDGETS = {"40x100": (40, 100), "100x200": (100, 200)}
PROBLEMS = {"zdt1": (30, 2, 1.21 - 1 / 3), "zdt2": (30, 2, 1.21 - 2 / 3), "zdt3": (30, 2, 1.33176)}
PROBLEMS["dtlz2"] = (12, 3, 1.331 - np.pi / 6)
REFERENCE = 1.1


def evaluate(problem: str, points: Floats) -> Floats:
    """Objectives of `points`, row by row, by DEAP's own functions."""
    extra = (3,) if problem == "dtlz2" else ()
    return np.array([getattr(benchmarks, problem)(point, *extra) for point in points.tolist()])


def hypervolume(algorithm: str, problem: str, *, budget: tuple[int, int], seed: int) -> float:
    """Hypervolume of the last population of one search."""
    n_free, n_objectives, _ = PROBLEMS[problem]
    chosen = load_algorithm(algorithm)
    settings = AlgorithmSettings(name=algorithm, offspring=budget[0])
    first = np.empty((0, n_free))
    state = chosen.start(settings, n_free=n_free, n_objectives=n_objectives, seed=seed, first=first)
    rule = StopRule(generations=budget[1])
    end = search(chosen, state, lambda x: evaluate(problem, x), rule, on_generation=lambda _: None)
    return float(moocore.hypervolume(np.array(end.state["objectives"]), ref=[REFERENCE] * n_objectives))


def milliseconds_per_generation(algorithm: str, *, offspring: int, n_objectives: int) -> float:
    """CPU milliseconds that ask and tell take, random objectives, mean of 20 generations."""
    chosen = load_algorithm(algorithm)
    settings = AlgorithmSettings(name=algorithm, offspring=offspring)
    rng = np.random.default_rng(0)
    first = np.empty((0, 20))
    state = chosen.start(settings, n_free=20, n_objectives=n_objectives, seed=0, first=first)
    begin = time.process_time()
    for _ in range(20):
        state, points = chosen.ask(state)
        state = chosen.tell(state, points, rng.gamma(0.5, 10.0, (offspring, n_objectives)))
    return (time.process_time() - begin) * 1000 / 20


def main() -> None:
    """Print the tables."""
    peers = json.loads(Path(__file__).with_name("optimisers_peers.json").read_text())
    print(f"hypervolume, mean and sd of {len(SEEDS)} seeds; peers: {peers['versions']}")
    for algorithm in algorithm_names():
        for budget, (size, generations) in BUDGETS.items():
            for problem, (_, _, largest) in PROBLEMS.items():
                found = [hypervolume(algorithm, problem, budget=(size, generations), seed=seed) for seed in SEEDS]
                peer = peers["hypervolumes"][f"{algorithm} {budget}"][problem]
                ours, theirs = (f"{np.mean(v):.4f} ± {np.std(v, ddof=1):.4f}" for v in (found, peer))
                print(f"{algorithm:6s} {budget:8s} {problem:6s} ours {ours}  peer {theirs}  true front {largest:.4f}")
    for algorithm in algorithm_names():
        for offspring, n_objectives in ((32, 10), (100, 35)):
            cost = milliseconds_per_generation(algorithm, offspring=offspring, n_objectives=n_objectives)
            print(f"{algorithm:6s} {offspring} offspring, {n_objectives} objectives: {cost:.1f} ms CPU per generation")


if __name__ == "__main__":
    main()
