"""IBEA's selection, against a plain transcription of the paper's formulas and against its promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmlopt.optimise import ibea
from nmlopt.optimise.nsga2 import dominance

KAPPA = 0.05
SCORES = st.one_of(st.floats(0.0, 250.0), st.just(250.0), st.integers(0, 3).map(float))
POPULATIONS = arrays(np.float64, st.tuples(st.integers(4, 14), st.integers(1, 5)), elements=SCORES)


def plain_fitness(rows: list[list[float]], alive: list[int]) -> dict[int, float]:
    """Zitzler & Künzli (2004), sections 2.2 and 3, with loops; c is that of all rows, as in the paper's step 2."""

    def indicator(a: list[float], b: list[float]) -> float:
        return max(x - y for x, y in zip(a, b, strict=True))

    c = max(abs(indicator(a, b)) for a in rows for b in rows) or 1.0
    return {b: math.fsum(-math.exp(-indicator(rows[a], rows[b]) / (c * KAPPA)) for a in alive if a != b) for b in alive}


@given(objectives=POPULATIONS)
def test_fitness_is_the_formula_of_the_paper(objectives):
    rows = ibea.scaled(objectives).tolist()
    expected = plain_fitness(rows, list(range(len(rows))))
    assert np.allclose(ibea.fitness(objectives, KAPPA), list(expected.values()), rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_objectives", [1, 2, 35])
def test_survivors_are_those_of_iterative_removal(seed, n_objectives):
    """Without ties the paper's loop, fitness computed from the start after every removal, leaves the same rows."""
    objectives = np.random.default_rng(seed).gamma(0.5, 10.0, (30, n_objectives))
    rows = ibea.scaled(objectives).tolist()
    alive = list(range(30))
    whole = plain_fitness(rows, alive)
    best = max(whole, key=whole.__getitem__)
    while len(alive) > 15:
        fitness = plain_fitness(rows, alive)
        alive.remove(min((row for row in alive if row != best), key=fitness.__getitem__))
    assert ibea.survive(objectives, 15, KAPPA).tolist() == alive


@given(objectives=POPULATIONS)
def test_the_best_survives_and_dominated_rows_go_first(objectives):
    count = len(objectives) // 2
    alive = ibea.survive(objectives, count, KAPPA)
    assert len(set(alive.tolist())) == count
    assert np.argmax(ibea.fitness(objectives, KAPPA)) in alive
    dominates = dominance(objectives)
    removed = np.setdiff1d(np.arange(len(objectives)), alive)
    # where scaling does not round a difference away
    visible = np.min(np.abs(np.diff(np.unique(ibea.scaled(objectives)))), initial=1.0) > 1e-9
    if visible:
        assert not dominates[np.ix_(removed, alive)].any()


@given(objectives=POPULATIONS)
def test_scaling_keeps_the_order_of_every_objective(objectives):
    scaled = ibea.scaled(objectives)
    assert np.all(scaled.min(axis=0) == 0.0)
    for before, after in zip(objectives.T, scaled.T, strict=True):
        assert np.all(np.diff(after[np.argsort(before, kind="stable")]) >= 0.0)


def test_scaling_does_not_depend_on_the_units_of_an_objective():
    objectives = np.random.default_rng(0).random((20, 3))
    assert np.allclose(ibea.scaled(objectives), ibea.scaled(objectives * [1.0, 1e3, 1e-6] + [5.0, 0.0, 1.0]))


def test_failures_at_the_cap_do_not_blind_the_search_to_the_others():
    """With the range as unit, 5 sd beside 1 sd would be 0.016 apart, and their fitness the same to 30 %."""
    good = np.array([[1.0, 5.0], [5.0, 1.0], [1.1, 1.1]])
    objectives = np.concatenate([good, np.full((3, 2), 250.0)])
    fitness = ibea.fitness(objectives, KAPPA)
    assert np.argmax(fitness[:3]) == 2
    assert fitness[:3].min() > fitness[3:].max() * 1e-3  # failures are far behind
    assert ibea.scaled(objectives)[0, 1] == 1.0


@pytest.mark.parametrize("value", [0.0, 250.0])
@pytest.mark.parametrize("shape", [(8, 1), (8, 35)])
def test_identical_objectives_are_no_obstacle(value, shape):
    objectives = np.full(shape, value)
    assert np.all(ibea.scaled(objectives) == 0.0)
    assert len(ibea.survive(objectives, 4, KAPPA)) == 4
    assert len(ibea.mate(objectives, KAPPA, np.random.default_rng(0))) == 8


def test_one_objective_keeps_the_least():
    objectives = np.random.default_rng(1).permutation(20.0 + np.arange(20.0))[:, None]
    alive = ibea.survive(objectives, 10, KAPPA)
    assert sorted(objectives[alive, 0]) == list(20.0 + np.arange(10.0))


def test_better_members_mate_more_often():
    objectives = np.arange(10.0)[:, None]
    chosen = np.concatenate([ibea.mate(objectives, KAPPA, np.random.default_rng(s)) for s in range(300)])
    counts = np.bincount(chosen, minlength=10) / 300
    # a tournament of two with replacement: rank k of n wins (2 (n - k) - 1) / n of its n draws
    assert np.allclose(counts, (2 * np.arange(9, -1, -1) + 1) / 10, atol=0.2)


@pytest.mark.parametrize("kappa", [0.005, 10.0])
def test_extreme_kappa_stays_finite(kappa):
    objectives = np.random.default_rng(1).random((40, 3)) * 250
    assert np.all(np.isfinite(ibea.fitness(objectives, kappa)))


@pytest.mark.parametrize("problem_name", ["zdt1", "dtlz2_10"])
def test_the_best_by_indicator_fitness_is_never_lost(searched, problem_of, problem_name):
    """200 generations of 10 seeds: the best of parents and offspring together is among the next parents."""
    problem = problem_of(problem_name)
    for seed in range(10):
        parents = np.empty((0, problem.n_objectives))
        for generation in searched(problem, "ibea", offspring=12, generations=200, seed=seed):
            everyone = np.concatenate([parents, generation.objectives])
            best = everyone[np.argmax(ibea.fitness(everyone, KAPPA))]
            parents = np.array(generation.state["objectives"])
            assert best.tolist() in parents.tolist(), (seed, generation.number)
