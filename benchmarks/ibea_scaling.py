"""What IBEA gains from its scaling where failures score the cap: ours against the paper's, the population's range.

    python benchmarks/ibea_scaling.py

The problem imitates a fit of a neuron: each objective is the distance of a smooth nonlinear feature from its target
in sd (5 % of the target, with a floor), the target taken at a known point; two thirds of the features need "spikes"
and are missing (score 250) in half of the space; a quarter of the space fails as a whole. Printed: over 20 problems,
mean objective of the best candidate, and least maximum of objectives, after 60 generations of 40.
"""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

import numpy as np

from nmlopt.optimise import ibea
from nmlopt.optimise.loop import search
from nmlopt.optimise.model import AlgorithmSettings, Floats
from nmlopt.optimise.registry import load_algorithm
from nmlopt.optimise.stopping import StopRule

SIZES = ((4, 4), (6, 6), (10, 12), (15, 30))
CAP = 250.0


def by_range(objectives: Floats) -> Floats:
    """The scaling of Zitzler & Künzli (2004)."""
    ranges = np.ptp(objectives, axis=0)
    return (objectives - objectives.min(axis=0)) / np.where(ranges > 0.0, ranges, 1.0)


def problem(seed: int, n_free: int, n_objectives: int) -> Callable[[Floats], Floats]:
    """A random problem whose objectives are all 0 at one point."""
    rng = np.random.default_rng(1000 + seed)
    linear = rng.normal(size=(n_objectives, n_free)) * (rng.random((n_objectives, n_free)) < 0.4)
    inner = rng.normal(size=(n_objectives, n_free)) * (rng.random((n_objectives, n_free)) < 0.3)
    answer = rng.uniform(0.2, 0.8, n_free)
    excitability, failure = rng.normal(size=(2, n_free))
    cloud = rng.random((2000, n_free))
    quiet = min(np.quantile(cloud @ excitability, 0.5), answer @ excitability - 0.05)
    failing = max(np.quantile(cloud @ failure, 0.75), answer @ failure + 0.05)
    spiking = np.arange(n_objectives) >= n_objectives // 3

    def features(points: Floats) -> Floats:
        return points @ linear.T + 0.7 * np.sin(3 * points @ inner.T)

    means = features(answer[None])[0]
    sds = 0.05 * np.maximum(np.abs(means), 0.3)

    def evaluate(points: Floats) -> Floats:
        objectives = np.minimum(np.abs(features(points) - means) / sds, CAP)
        objectives[np.ix_(points @ excitability < quiet, spiking)] = CAP
        objectives[points @ failure > failing] = CAP
        return objectives

    return evaluate


def outcome(seed: int, n_free: int, n_objectives: int) -> tuple[float, float]:
    """Mean objective of the best candidate by sum, least maximum of objectives."""
    algorithm = load_algorithm("ibea")
    settings = AlgorithmSettings(offspring=40)
    first = np.empty((0, n_free))
    state = algorithm.start(settings, n_free=n_free, n_objectives=n_objectives, seed=seed, first=first)
    evaluate = problem(seed, n_free, n_objectives)
    end = search(algorithm, state, evaluate, StopRule(generations=60), on_generation=lambda _: None)
    return end.progress.best_sums[-1] / n_objectives, end.progress.best_worsts[-1]


def main() -> None:
    """Print the table."""
    for n_free, n_objectives in SIZES:
        for name, scaling in (("range", by_range), ("ours", ibea.scaled)):
            with mock.patch.object(ibea, "scaled", scaling):
                means, worsts = np.array([outcome(seed, n_free, n_objectives) for seed in range(20)]).T
            sizes = f"{n_free} free, {n_objectives} objectives"
            print(f"{sizes:24s} {name:6s} mean {means.mean():.3f} (median {np.median(means):.3f}) ", end="")
            print(f"worst {worsts.mean():.3f} (median {np.median(worsts):.3f})")


if __name__ == "__main__":
    main()
