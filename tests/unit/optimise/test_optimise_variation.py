"""SBX and polynomial mutation through DEAP: bounds, reproducibility, distributions, nothing global leaks."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmlopt.optimise.model import AlgorithmSettings
from nmlopt.optimise.variation import lent_to_deap, vary

UNIT = st.floats(0.0, 1.0)


@given(parents=arrays(np.float64, st.tuples(st.just(6), st.integers(1, 5)), elements=UNIT), seed=st.integers(0, 99))
def test_offspring_stay_in_the_unit_cube_and_are_as_many_as_parents(parents, seed):
    children = vary(parents, AlgorithmSettings(), np.random.default_rng(seed))
    assert children.shape == parents.shape
    assert np.all((children >= 0.0) & (children <= 1.0))


@given(parents=arrays(np.float64, (8, 2), elements=UNIT), seed=st.integers(0, 99), rate=st.sampled_from([0.0, None]))
def test_no_offspring_repeats_a_parent_or_a_sibling(parents, seed, rate):
    settings = AlgorithmSettings(crossover_rate=0.0, mutation_rate=rate)
    children = vary(parents, settings, np.random.default_rng(seed))
    rows = [tuple(row) for row in children.tolist()]
    assert len(set(rows)) == len(rows)
    assert not set(rows) & {tuple(row) for row in parents.tolist()}


def test_parents_are_left_alone():
    parents = np.full((4, 3), 0.5)
    vary(parents, AlgorithmSettings(), np.random.default_rng(0))
    assert np.all(parents == 0.5)


def test_the_global_generator_is_as_before_and_without_influence():
    parents = np.random.default_rng(3).random((6, 4))
    random.seed(1)
    before = random.getstate()
    one = vary(parents, AlgorithmSettings(), np.random.default_rng(5))
    assert random.getstate() == before
    random.seed(2)
    assert np.array_equal(one, vary(parents, AlgorithmSettings(), np.random.default_rng(5)))
    assert not np.array_equal(one, vary(parents, AlgorithmSettings(), np.random.default_rng(6)))


def test_the_global_generator_is_put_back_after_an_exception():
    before = random.getstate()
    with pytest.raises(RuntimeError), lent_to_deap(np.random.default_rng(0)):
        random.random()
        raise RuntimeError
    assert random.getstate() == before


def test_crossover_keeps_the_sum_of_each_pair_far_from_bounds():
    """Deb & Agrawal (1995): children lie symmetrically about the parents' mean, where bounds do not matter."""
    parents = np.tile([[0.50], [0.501]], (500, 1)) + np.linspace(-0.01, 0.01, 500).repeat(2)[:, None]
    settings = AlgorithmSettings(crossover_rate=1.0, mutation_rate=0.0, eta_crossover=30.0)
    children = vary(parents, settings, np.random.default_rng(1))
    # pairs without crossed gene are copies, of which one gene is then mutated: they are left out
    crossed = np.abs(children - parents).reshape(500, 2).max(axis=1) < 0.01
    sums = children.reshape(500, 2).sum(axis=1) - parents.reshape(500, 2).sum(axis=1)
    assert crossed.sum() > 200
    assert np.median(np.abs(sums[crossed])) < 1e-9


def test_one_gene_in_n_mutates_on_average():
    parents = np.random.default_rng(0).random((400, 20))
    children = vary(parents, AlgorithmSettings(crossover_rate=0.0), np.random.default_rng(2))
    changed = (children != parents).sum(axis=1)
    # binomial(20, 1/20) with its zeros (36 %) redrawn to exactly one
    assert changed.min() >= 1
    assert abs(changed.mean() - (1.0 + 0.95**20)) < 4 * np.sqrt(0.6 / 400)


@pytest.mark.parametrize("eta", [5.0, 20.0])
def test_mutation_steps_have_the_mean_of_their_distribution(eta):
    """Mean length of a step from the middle of the interval, against numerical integration of Deb's formula."""
    parents = np.full((4000, 1), 0.5) + np.linspace(-1e-6, 1e-6, 4000)[:, None]
    settings = AlgorithmSettings(crossover_rate=0.0, mutation_rate=1.0, eta_mutation=eta)
    steps = np.abs(vary(parents, settings, np.random.default_rng(4)) - 0.5)
    u = (np.arange(100_000) + 0.5) / 100_000 / 2  # r < 1/2, Deb's formula with delta = 1/2
    expected = 1.0 - (2 * u + (1 - 2 * u) * 0.5 ** (eta + 1)) ** (1 / (eta + 1))
    assert abs(steps.mean() - expected.mean()) < 4 * expected.std() / np.sqrt(4000)
