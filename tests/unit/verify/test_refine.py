"""Estimates at a step of zero: right, bounded, and careful where numbers do not converge."""

import numpy as np
import pytest

from nmlopt.verify.refine import estimate, observed_order, settled, steps_ms

H = np.array([0.1, 0.05, 0.025])


@pytest.mark.parametrize(
    ("error", "sharpness"),
    [
        (lambda h: 3.0 * h, 1e-12),
        (lambda h: 3.0 * h + 2.0 * h**2, 0.02),
        (lambda h: -2.0 * h + 5.0 * h**2 - 3.0 * h**3, 0.02),
        (lambda h: 2.0 * h**2, 0.02),
    ],
    ids=["first order", "with a second", "with a third", "second order alone"],
)
def test_the_error_is_a_bound_and_small(error, sharpness):
    made = estimate([np.array([7.0 + error(h)]) for h in H])
    assert abs(made.value[0] - 7.0) <= made.error[0] + 1e-12
    assert made.error[0] < sharpness + 1e-12


def test_numbers_that_do_not_converge_are_not_extrapolated():
    made = estimate([np.array([1.0]), np.array([1.2]), np.array([0.9])])
    assert made.value[0] == 0.9
    assert made.error[0] == pytest.approx(0.6)


def test_what_jumps_is_not_extrapolated():
    made = estimate([np.array([1.4]), np.array([1.2]), np.array([1.1])], smooth=False)
    assert made.value[0] == 1.1
    assert made.error[0] == pytest.approx(0.2)


def test_equal_numbers_have_no_error():
    made = estimate([np.array([2.0])] * 3)
    assert (made.value[0], made.error[0]) == (2.0, 0.0)


def test_a_number_that_the_coarsest_run_lacks_rests_on_the_others():
    made = estimate([np.array([1.0]), np.array([0.5, 4.0]), np.array([0.25, 4.1])])
    assert made.value == pytest.approx([0.0, 4.1])
    assert made.error == pytest.approx([0.0, 0.2])


def test_a_number_of_things_settles_with_the_two_finest_runs():
    assert settled([5, 6, 6])
    assert not settled([6, 6, 7])
    assert settled([3, None, None])


def test_the_order_is_seen():
    assert observed_order([np.array([1 + h, 2 - h]) for h in H]) == pytest.approx(1.0)
    assert observed_order([np.array([1 + h**2]) for h in H]) == pytest.approx(2.0)
    assert observed_order([np.array([1.0])] * 3) is None


def test_steps_are_halved():
    assert steps_ms(0.1) == (0.1, 0.05, 0.025)
