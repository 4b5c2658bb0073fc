"""Laws of scores: zero exactly on target, never negative, always finite; the spike score is symmetric."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmlopt.objectives.combine import Group, Scoring, objectives, target_scores
from nmlopt.objectives.score import FeatureRule, SpikeTimesRule, TraceRule, score, spike_times_score

CAP = 250.0
anything = st.floats(allow_nan=True, allow_infinity=True)
finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=1e-300, allow_nan=False, allow_infinity=False)
# microseconds up to a minute: distinct times differ by more than rounding
times = st.lists(st.integers(0, 60_000_000).map(lambda us: us / 1000.0), max_size=12).map(sorted).map(tuple)
sds = st.floats(1e-3, 1e3)
rules = st.one_of(
    st.builds(FeatureRule, finite, positive),
    st.builds(SpikeTimesRule, times, sds),
    st.builds(TraceRule, positive),
)


@given(finite, positive, st.integers(1, 50))
def test_a_feature_on_target_scores_zero(mean, sd, count):
    assert score(FeatureRule(mean, sd), (mean,) * count, CAP) == 0.0


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_a_feature_off_target_scores_more_than_zero(mean, sd, values):
    found = score(FeatureRule(mean, sd), values, CAP)
    assert (found == 0.0) == all(value == mean for value in values)
    # no less than what the mean of the values would score (the triangle inequality)
    assert found >= abs(math.fsum(values) / len(values) - mean) / sd - 1e-6


@given(positive)
def test_a_trace_on_target_scores_zero(sd):
    assert score(TraceRule(sd), (0.0,), CAP) == 0.0


@given(rules, st.one_of(st.none(), st.lists(anything, max_size=20)))
def test_a_score_is_finite_and_not_negative(rule, values):
    if isinstance(rule, TraceRule) and values:
        values = [abs(values[0])]  # a root mean square
    found = score(rule, values, CAP)
    assert math.isfinite(found)
    assert found >= 0.0


@given(times, times, sds)
def test_the_spike_score_is_symmetric_and_zero_only_for_equal_times(one, other, sd):
    assert spike_times_score(one, other, sd) == spike_times_score(other, one, sd)
    assert (spike_times_score(one, other, sd) == 0.0) == (one == other)
    assert spike_times_score(one, other, sd) <= 10.0


@given(times, sds)
def test_a_further_spike_never_helps(wanted, sd):
    if wanted:
        assert spike_times_score((*wanted, wanted[-1] + 1.0), wanted, sd) > 0.0
        assert spike_times_score(wanted[:-1], wanted, sd) == pytest.approx(10.0 / len(wanted))


@given(st.data(), st.sampled_from(["max", "mean", "weighted_sum"]), st.floats(1e-3, 1e6))
def test_objectives_lie_between_zero_and_the_cap(data, combine, cap):
    drawn = data.draw(st.lists(rules, min_size=1, max_size=5))
    ids = tuple(f"t{i}" for i in range(len(drawn)))
    weights = data.draw(st.tuples(*[positive] * len(drawn)))
    scoring = Scoring(tuple(zip(ids, drawn, strict=True)), (Group("g", combine, ids, weights),), cap)
    features = {name: data.draw(st.lists(anything, max_size=5)) for name in ids if data.draw(st.booleans())}
    found = objectives(scoring, target_scores(scoring, features))
    assert 0.0 <= found[0] <= cap
