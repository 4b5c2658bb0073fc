"""Start populations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import qmc

from nmlopt.optimise.sampling import sample, sampling_names

NONE = np.empty((0, 3))


@pytest.mark.parametrize("name", sampling_names())
@pytest.mark.parametrize("count", [1, 7, 32])
def test_points_lie_in_the_unit_cube_and_follow_the_seed(name, count):
    one, same, other = (sample(name, count, first=NONE, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    assert one.shape == (count, 3)
    assert np.all((one >= 0.0) & (one <= 1.0))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_latin_hypercube_has_one_point_in_each_slice():
    points = sample("lhs", 20, first=NONE, rng=np.random.default_rng(0))
    assert np.array_equal(np.sort(np.floor(points * 20), axis=0), np.tile(np.arange(20.0)[:, None], 3))


@pytest.mark.parametrize("name", sampling_names())
def test_points_are_spread_better_than_random_ones(name):
    points = sample(name, 64, first=NONE, rng=np.random.default_rng(0))
    random_ones = [qmc.discrepancy(np.random.default_rng(s).random((64, 3))) for s in range(20)]
    assert qmc.discrepancy(points) < min(random_ones)


@pytest.mark.parametrize("name", sampling_names())
def test_given_points_come_first_and_are_all_kept(name):
    first = np.full((2, 3), 0.25)
    points = sample(name, 8, first=first, rng=np.random.default_rng(0))
    assert points.shape == (8, 3)
    assert np.array_equal(points[:2], first)
    many = np.full((9, 3), 0.25)
    assert np.array_equal(sample(name, 8, first=many, rng=np.random.default_rng(0)), many)
