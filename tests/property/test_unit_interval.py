"""The unit cube and the bounds: there and back, and never outside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nmlopt.experiment.parameters import FreeParameter, Parameters
from nmlopt.units import DIMENSIONLESS

finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=1e-300, max_value=1e300)
unit = st.floats(min_value=0.0, max_value=1.0)


def axis(low: float, high: float, scale: str) -> Parameters:
    return Parameters((FreeParameter("p", DIMENSIONLESS, low, high, scale, low),), ())


def ordered(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[float, float]]:
    return st.tuples(numbers, numbers).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: (min(pair), max(pair)))


spaces = st.one_of(
    ordered(finite).map(lambda pair: axis(*pair, "linear")),
    ordered(positive).map(lambda pair: axis(*pair, "log10")),
)


@given(spaces, unit)
def test_always_within_bounds(space, u):
    x = space.from_unit_interval(np.array([[u]]))[0, 0]
    assert space.free[0].lower <= x <= space.free[0].upper


@given(spaces)
def test_ends_are_the_bounds_exactly(space):
    ends = space.from_unit_interval(np.array([[0.0], [1.0]]))
    assert ends[:, 0].tolist() == [space.free[0].lower, space.free[0].upper]
    assert space.to_unit_interval(ends)[:, 0].tolist() == [0.0, 1.0]


@given(spaces, unit)
def test_the_present_value_comes_back_with_the_same_bits(space, share):
    free = space.free[0]
    present = min(free.upper, max(free.lower, free.lower * (1.0 - share) + free.upper * share))
    known = Parameters((replace(free, present=present),), ())
    u = known.to_unit_interval(np.array([[present]]))
    if 0.0 < u[0, 0] < 1.0:
        assert known.from_unit_interval(u)[0, 0] == present


@given(spaces, finite)
def test_the_inverse_is_clipped(space, x):
    u = space.to_unit_interval(np.array([[x]]))[0, 0]
    assert 0.0 <= u <= 1.0


@given(
    st.one_of(
        st.tuples(st.just("linear"), ordered(st.floats(min_value=-1e6, max_value=1e6))),
        st.tuples(st.just("log10"), ordered(st.floats(min_value=1e-9, max_value=1e9))),
    ),
    unit,
)
def test_there_and_back(kind, u):
    scale, (low, high) = kind
    space = axis(low, high, scale)
    x = space.from_unit_interval(np.array([[u]]))
    again = space.from_unit_interval(space.to_unit_interval(x))
    span = (
        high - low if scale == "linear" else x[0, 0] * max(1.0, np.log(high / low), abs(np.log(high)), abs(np.log(low)))
    )
    assert abs(again[0, 0] - x[0, 0]) <= 1e-14 * max(span, abs(low), abs(high) if scale == "linear" else 0.0)


@given(spaces, unit, unit)
def test_order_is_kept(space, u, v):
    x = space.from_unit_interval(np.array([[min(u, v)], [max(u, v)]]))[:, 0]
    slack = 1e-15 * max(abs(x[0]), abs(x[1]))
    assert x[0] <= x[1] + slack * 1000
