"""Problems to search, and a search in one call."""

from __future__ import annotations

import numpy as np
import pytest
from deap import benchmarks

from nmlopt.optimise.loop import Generation, search
from nmlopt.optimise.model import AlgorithmSettings, Floats
from nmlopt.optimise.registry import load_algorithm
from nmlopt.optimise.stopping import StopRule

DIMENSIONS = {"zdt1": (30, 2), "zdt2": (30, 2), "zdt3": (30, 2), "dtlz2": (12, 3), "dtlz2_10": (14, 10)}


class TestProblem:
    """One of DEAP's own test functions, row by row."""

    __test__ = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.n_free, self.n_objectives = DIMENSIONS[name]
        self._function = getattr(benchmarks, name.split("_")[0])

    def __call__(self, points: Floats) -> Floats:
        extra = (self.n_objectives,) if self.name.startswith("dtlz") else ()
        return np.array([self._function(point, *extra) for point in points.tolist()])


def run_search(problem, algorithm: str, *, offspring: int, generations: int, seed: int, **settings) -> list[Generation]:
    """All generations of a search."""
    chosen = load_algorithm(algorithm)
    first = np.empty((0, problem.n_free))
    state = chosen.start(
        AlgorithmSettings(name=algorithm, offspring=offspring, **settings),
        n_free=problem.n_free,
        n_objectives=problem.n_objectives,
        seed=seed,
        first=first,
    )
    seen: list[Generation] = []
    search(chosen, state, problem, StopRule(generations=generations), on_generation=seen.append)
    return seen


@pytest.fixture
def problem_of():
    return TestProblem


@pytest.fixture
def searched():
    return run_search
