"""Stop rules."""

from __future__ import annotations

import pytest

from nmlopt.errors import UsageError
from nmlopt.optimise.stopping import Progress, StopRule, check, reason

SUMS = (50.0, 40.0, 30.0, 30.0, 29.999)


def progress(**changes):
    usual = {
        "generations": 5,
        "evaluations": 50,
        "next_evaluations": 10,
        "seconds": 12.0,
        "best_sums": SUMS,
        "best_worsts": (20.0, 20.0, 9.0, 9.0, 9.0),
    }
    return Progress(**{**usual, **changes})


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (StopRule(generations=5), "all 5 generations"),
        (StopRule(evaluations=59), "50 evaluations are done, and another generation would exceed 59"),
        (StopRule(seconds=12.0), "12 s"),
        (StopRule(target_sum=30.0), "best sum of objectives, 29.999"),
        (StopRule(target_worst=9.0), "every objective at or below 9"),
        (StopRule(stagnation=2), "did not fall by 0.1 % in 2 generations"),
    ],
)
def test_each_limit_ends_the_search_with_its_reason(rule, words):
    assert words in (reason(rule, progress()) or "")


@pytest.mark.parametrize(
    "rule",
    [
        StopRule(),
        StopRule(generations=6, evaluations=60, seconds=12.1, target_sum=29.9, target_worst=8.9),
        StopRule(stagnation=3),
        StopRule(stagnation=2, stagnation_improvement=1e-6),
        StopRule(stagnation=5),
    ],
)
def test_below_its_limits_the_search_goes_on(rule):
    assert reason(rule, progress()) is None


def test_success_is_named_before_exhaustion():
    assert "best sum" in (reason(StopRule(generations=5, target_sum=30.0), progress()) or "")


def test_a_search_that_has_not_begun_has_reached_no_target():
    fresh = progress(generations=0, evaluations=0, seconds=0.0, best_sums=(), best_worsts=())
    rule = StopRule(generations=1, evaluations=10, seconds=1.0, target_sum=1e9, target_worst=1e9, stagnation=1)
    assert reason(rule, fresh) is None


def test_a_perfect_sum_stagnates():
    assert reason(StopRule(stagnation=1), progress(best_sums=(0.0, 0.0))) is not None


def test_all_faults_are_told_at_once():
    rule = StopRule(generations=0, evaluations=9, seconds=float("nan"), target_sum=-1.0, stagnation_improvement=1.0)
    with pytest.raises(UsageError) as caught:
        check(rule, 10)
    assert [issue.code for issue in caught.value.issues] == ["C111", "C112", "C113", "C113", "C114"]
    check(StopRule(generations=1, evaluations=10, seconds=0.0, target_worst=1.0, stagnation=1), 10)
