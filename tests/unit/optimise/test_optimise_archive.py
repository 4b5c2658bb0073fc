"""Pareto fronts and their thinning."""

from __future__ import annotations

from itertools import islice

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmlopt.optimise.archive import farthest_first, pareto_front

SCORES = st.one_of(st.integers(0, 4).map(float), st.floats(0.0, 250.0))
TABLES = arrays(np.float64, st.tuples(st.integers(1, 25), st.integers(1, 5)), elements=SCORES)


@given(objectives=TABLES)
def test_front_is_that_of_moocore(objectives):
    expected = moocore.is_nondominated(objectives, keep_weakly=True)
    assert np.array_equal(pareto_front(objectives), expected)


@pytest.mark.parametrize("n_objectives", [2, 35])
def test_large_front_is_that_of_moocore(n_objectives):
    objectives = np.random.default_rng(0).gamma(0.5, 10.0, (1500, n_objectives))
    assert np.array_equal(pareto_front(objectives), moocore.is_nondominated(objectives, keep_weakly=True))


@given(objectives=TABLES, rounding=st.sampled_from([0.1, 1 / 3, 1e16]))
def test_the_least_sum_is_always_in_the_front_also_where_sums_round(objectives, rounding):
    scaled = objectives * rounding
    sums = scaled.sum(axis=1)
    front = pareto_front(scaled)
    assert sums[front].min() == sums.min()
    assert np.array_equal(front, moocore.is_nondominated(scaled, keep_weakly=True))


def test_no_rows_are_no_front():
    assert pareto_front(np.empty((0, 3))).shape == (0,)
    assert list(farthest_first(np.empty((0, 3)), np.zeros((1, 3)))) == []


@given(objectives=TABLES.map(lambda table: table.round(3)))  # distances of the order of 1e-308 underflow
def test_farthest_first_repeats_nothing_and_leaves_nothing_out(objectives):
    taken = objectives[:1]
    rows = list(farthest_first(objectives, taken))
    width = np.where(np.ptp(objectives, axis=0) > 0, np.ptp(objectives, axis=0), 1.0)
    found = [tuple(row) for row in (np.concatenate([taken, objectives[rows]]) / width).tolist()]
    assert len(set(found)) == len(found)
    assert set(found) == {tuple(row) for row in (objectives / width).tolist()}


def test_farthest_first_spreads_over_the_front():
    first = np.linspace(0.0, 1.0, 101)
    objectives = np.stack([first, 100 * (1 - first)], axis=1)
    rows = list(islice(farthest_first(objectives, objectives[:1]), 4))
    assert sorted(rows) == [25, 50, 75, 100]
