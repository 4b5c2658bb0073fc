"""Scores by hand: BluePyOpt's rule for features, spike times, traces; what is missing; what overflows."""

from __future__ import annotations

import math

import pytest
from pydantic import TypeAdapter

from nmlopt.objectives.score import (
    FeatureRule,
    SpikeTimesRule,
    TraceRule,
    make_rule,
    score,
    spike_times_score,
    total,
)
from nmlopt.spec.models import Target

CAP = 250.0
PLACE = {"id": "t", "protocol": "p", "recording": "r"}


def _target(**data) -> Target:
    return TypeAdapter(Target).validate_python({**PLACE, **data})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((10.0,), 0.0),
        ((12.0,), 1.0),
        ((6.0,), 2.0),
        ((8.0, 12.0), 1.0),  # the mean of the distances, not the distance of the mean, which would be 0
        ((10.0, 13.0, 4.0), 1.5),
        ((5010.0,), 2500.0),  # raw scores are not capped
    ],
)
def test_a_feature_scores_the_mean_distance_in_sd(values, expected):
    assert score(FeatureRule(mean=10.0, sd=2.0), values, CAP) == expected


@pytest.mark.parametrize("rule", [FeatureRule(10.0, 2.0), SpikeTimesRule((1.0,), 1.0), TraceRule(1.0)])
def test_what_is_missing_scores_the_cap(rule):
    assert score(rule, None, CAP) == CAP


@pytest.mark.parametrize("rule", [FeatureRule(10.0, 2.0), TraceRule(1.0)])
@pytest.mark.parametrize("values", [(), (math.nan,), (math.inf,)])
def test_what_cannot_be_judged_scores_the_cap(rule, values):
    assert score(rule, values, CAP) == CAP


def test_an_overflow_scores_the_cap():
    assert score(FeatureRule(0.0, 1.0), (1.7e308, 1.7e308), CAP) == CAP
    assert score(FeatureRule(0.0, 1e-300), (1e200,), CAP) == CAP
    assert score(TraceRule(1e-300), (1e200,), CAP) == CAP
    assert total([1.7e308, 1.7e308]) == math.inf
    assert math.isnan(total([math.nan, 1.0]))


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        ((), (), 0.0),
        ((5.0, 9.0), (5.0, 9.0), 0.0),
        ((6.0, 8.0), (5.0, 9.0), 0.5),  # each 1 ms off, sd 2 ms
        ((500.0,), (5.0,), 10.0),  # no shift counts more than a missing spike
        ((), (5.0, 9.0), 10.0),
        ((5.0,), (5.0, 9.0), 5.0),
        ((5.0, 9.0, 20.0), (5.0, 9.0), 10.0 / 3.0),
    ],
)
def test_spike_times_score_the_mean_shift(found, wanted, expected):
    assert spike_times_score(found, wanted, 2.0) == expected
    assert score(SpikeTimesRule(wanted, 2.0), found, CAP) == expected


def test_a_trace_scores_its_rms_distance_in_sd():
    assert score(TraceRule(0.5), (2.0,), CAP) == 4.0


def test_quantities_of_a_target_are_read_into_its_rule():
    assert make_rule(_target(type="feature", feature="Spikecount", mean=3, sd=0.5)) == FeatureRule(3.0, 0.5)
    spikes = make_rule(_target(type="spike_times", times=["5 ms", "0.02 s"], sd="0.002 s"))
    assert spikes == SpikeTimesRule((5.0, 20.0), 2.0)
    assert make_rule(_target(type="trace", file="f", unit="pA", sd="0.2 nA")) == TraceRule(200.0)
    assert make_rule(_target(type="trace", file="f")) == TraceRule(1.0)
