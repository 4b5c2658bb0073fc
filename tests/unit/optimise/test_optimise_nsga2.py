"""NSGA-II's selection."""

from __future__ import annotations

import numpy as np
import pytest
from deap import base, tools
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmlopt.optimise import nsga2

POPULATIONS = arrays(
    np.float64, st.tuples(st.sampled_from([4, 6, 12]), st.integers(1, 4)), elements=st.integers(0, 5).map(float)
)


def deap_selection(objectives: np.ndarray, count: int) -> list[int]:
    """DEAP's own selection with DEAP's own fitness class."""

    class Fitness(base.Fitness):
        weights = (-1.0,) * objectives.shape[1]

    class Individual(list):
        pass

    individuals = []
    for row, values in enumerate(objectives.tolist()):
        individual = Individual([row])
        individual.fitness = Fitness(values)
        individuals.append(individual)
    return [individual[0] for individual in tools.selNSGA2(individuals, count)]


@given(objectives=POPULATIONS)
def test_dominance_is_the_definition(objectives):
    table = nsga2.dominance(objectives)
    for a, row in enumerate(objectives):
        for b, other in enumerate(objectives):
            assert table[a, b] == (bool(np.all(row <= other)) and bool(np.any(row < other)))


@given(objectives=POPULATIONS)
def test_survivors_are_those_of_deap(objectives):
    count = len(objectives) // 2
    assert nsga2.survive(objectives, count).tolist() == deap_selection(objectives, count)


@given(objectives=POPULATIONS, seed=st.integers(0, 50))
def test_each_row_fights_twice_so_that_none_mates_more_than_twice(objectives, seed):
    chosen = nsga2.mate(objectives, np.random.default_rng(seed))
    assert len(chosen) == len(objectives)
    assert np.bincount(chosen).max() <= 2


def test_dominance_decides_tournaments_before_crowding():
    objectives = np.array([[1.0, 1.0], [2.0, 2.0], [2.0, 2.0], [2.0, 2.0]])
    for seed in range(20):
        chosen = nsga2.mate(objectives, np.random.default_rng(seed))
        assert np.count_nonzero(chosen == 0) == 2


def test_crowding_decides_between_rows_that_do_not_dominate_each_other():
    """Crowding distances by Deb et al. (2002): infinite, 0.5, 0.02, 0.4, 0.49, infinite."""
    objectives = np.array([[0.0, 1.0], [0.49, 0.51], [0.5, 0.5], [0.51, 0.49], [0.9, 0.1], [1.0, 0.0]])
    counts = np.zeros(6)
    for seed in range(200):
        counts += np.bincount(nsga2.mate(objectives, np.random.default_rng(seed)), minlength=6)
    assert counts[[0, 5]].min() > counts[1] > counts[4] > counts[3] > counts[2] == 0


@pytest.mark.parametrize("shape", [(6, 1), (6, 35)])
def test_identical_objectives_are_no_obstacle(shape):
    objectives = np.full(shape, 250.0)
    assert len(nsga2.survive(objectives, 4)) == 4
    assert len(nsga2.mate(objectives, np.random.default_rng(0))) == 6
