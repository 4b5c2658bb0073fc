"""Warnings about scores that change when they are computed more exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from nmlopt.backend import RunStatus
from nmlopt.evaluate.model import Evaluation
from nmlopt.results.doubts import MOST, doubts
from nmlopt.results.error_estimate import estimate
from nmlopt.results.rescored import REFERENCE, TIGHT, NotRun, Rescored, RescoredPart, part
from nmlopt.results.rescored_rows import Row

BACKENDS = {TIGHT: "native", REFERENCE: "neuron"}


@dataclass(frozen=True)
class Shown:
    name: str
    rescored: tuple[RescoredPart, ...]
    objectives: dict
    cap: float = 250.0


def evaluation(status=RunStatus.OK, missing=(), **scores):
    features = {name: (1.0,) for name in scores if name not in missing}
    return Evaluation((0.5,), status, features, scores, tuple(scores.values()), 0.1, "" if status == "ok" else "why")


def solution(name, search, **by_role):
    found = [
        part(e if isinstance(e, NotRun) else Rescored(role, BACKENDS[role], "1", {}, e), search, ("rate", "height"))
        for role, e in by_role.items()
    ]
    return Shown(name, tuple(found), dict(zip(("rate", "height"), search.objectives, strict=True)))


BEFORE = evaluation(rate=0.5, height=1.0)


def told(*solutions, error=None):
    return [(issue.code, issue.message) for issue in doubts(solutions, error)]


def test_small_differences_are_not_told():
    assert told(solution("01", BEFORE, **{TIGHT: evaluation(rate=0.75, height=0.76)})) == []


def test_a_difference_is_told_with_objective_solution_and_all_numbers():
    shown = solution(
        "03", BEFORE, **{TIGHT: evaluation(rate=0.9, height=1.1), REFERENCE: evaluation(rate=0.876, height=1.0)}
    )
    ((code, message),) = told(shown)
    assert code == "B140"
    assert message == (
        "solution 03: objective 'rate' is 0.5 sd in the search, 0.9 at a tighter setting of native and 0.876 on neuron"
    )
    assert "--accuracy tight" in next(doubts([shown], None)).hint


def test_a_flip_is_named_and_not_told_as_a_difference():
    again = evaluation(missing=("rate",), rate=250.0, height=1.0)
    ((code, message),) = told(solution("01", BEFORE, **{REFERENCE: again}))
    assert (code, message) == ("B141", "solution 01: 'rate' is missing on neuron")
    found_only = told(solution("01", again, **{TIGHT: BEFORE}))
    assert found_only == [("B141", "solution 01: 'rate' is found only at a tighter setting of native")]


def test_what_did_not_run_is_told_once():
    reason = NotRun(REFERENCE, "neuron", "B001: the simulator 'neuron' is not installed")
    shown = [solution(f"{i:02d}", BEFORE, **{REFERENCE: reason}) for i in range(3)]
    missing = "B001: the simulator 'neuron' is not installed"
    assert told(*shown) == [("B142", f"solutions are not scored again on neuron: {missing}")]
    shown[0] = solution("00", BEFORE, **{TIGHT: BEFORE, REFERENCE: reason})
    tight = "scored again at a tighter setting of native, but not on neuron"
    assert told(*shown) == [("B142", f"solutions are {tight}: {missing}")]
    ended = evaluation(RunStatus.TIMED_OUT, missing=("rate", "height"), rate=250.0, height=250.0)
    ((code, message),) = told(solution("02", BEFORE, **{TIGHT: ended}))
    assert code == "B145" and message.endswith("at a tighter setting of native: timed out: why")


def test_many_are_cut_and_counted():
    far = evaluation(rate=2.0, height=1.0)
    shown = [solution(f"{i:02d}", BEFORE, **{TIGHT: far}) for i in range(MOST + 3)]
    assert told(*shown)[-1] == ("B140", "3 more such solutions, see report.html")


def test_a_best_at_the_cap_is_nothing():
    nothing = evaluation(missing=("rate", "height"), rate=250.0, height=250.0)
    assert [code for code, _ in told(solution("01", nothing))] == ["B144"]
    assert told(solution("01", evaluation(missing=("rate",), rate=250.0, height=249.0))) == []


def rows(pairs, drawn="random"):
    made = [Row(i, Rescored(TIGHT, "native", "1", {}, again), drawn, 10) for i, (_, again) in enumerate(pairs)]
    return made, {i: search for i, (search, _) in enumerate(pairs)}


def test_the_estimate_is_the_quantiles_of_the_differences():
    sizes = np.linspace(0.0, 0.99, 100)
    pairs = [(BEFORE, evaluation(rate=0.5 + size, height=1.0)) for size in sizes]
    found = estimate(*rows(pairs))
    assert found is not None and (found.candidates, found.differences, found.generation) == (100, 200, 10)
    assert found.median_sd == pytest.approx(0.0)
    assert found.p99_sd == pytest.approx(np.sort(sizes)[-2], abs=0.011)
    assert (found.largest_sd, found.largest_target) == (pytest.approx(0.99), "rate")
    assert not found.is_alarming and told(error=found) == []


@pytest.mark.parametrize(
    ("again", "drawn", "is_alarming"),
    [
        (evaluation(rate=1.6, height=1.0), "random", True),
        (evaluation(missing=("rate",), rate=250.0, height=1.0), "random", False),
        (evaluation(missing=("rate",), rate=250.0, height=1.0), "best", True),
    ],
)
def test_the_alarm_is_that_of_large_differences_and_flips_of_the_best(again, drawn, is_alarming):
    found = estimate(*rows([(BEFORE, again)], drawn))
    assert found is not None and found.is_alarming == is_alarming
    assert [code for code, _ in told(error=found)] == ["B143"] * is_alarming


def test_nothing_drawn_is_no_estimate():
    assert estimate(*rows([(BEFORE, BEFORE)], drawn="")) is None
