from __future__ import annotations

import numpy as np

from nmlopt.results.model import Table
from nmlopt.results.select import select


def table(objectives, ok=None, x=None) -> Table:
    values = np.array(objectives, dtype=float)
    n = len(values)
    return Table(
        numbers=np.arange(1, n + 1),
        seeds=np.ones(n, dtype=np.int64),
        generations=np.ones(n, dtype=np.int64),
        ok=np.ones(n, dtype=bool) if ok is None else np.array(ok),
        x=np.arange(n, dtype=float)[:, None] if x is None else np.array(x, dtype=float),
        objectives=values.reshape(n, -1) if n else np.zeros((0, 2)),
    )


def test_best_by_sum_and_per_objective_come_with_their_reasons():
    chosen = select(table([[5, 5], [0, 9], [9, 1], [3, 3]]), ("a", "b"), limit=1)
    assert [(c.row, c.reasons) for c in chosen] == [(3, ("sum",)), (1, ("objective a",)), (2, ("objective b",))]


def test_one_candidate_may_be_best_in_everything():
    (chosen,) = select(table([[5, 5], [1, 1], [2, 2]]), ("a", "b"))
    assert chosen.row == 1
    assert chosen.reasons == ("sum", "objective a", "objective b")


def test_failed_candidates_are_never_solutions():
    chosen = select(table([[0, 0], [1, 1]], ok=[False, True]), ("a", "b"))
    assert [c.row for c in chosen] == [1]
    assert select(table([[0, 0]], ok=[False]), ("a", "b")) == ()
    assert select(table([]), ("a", "b")) == ()
    assert [c.row for c in select(table([[np.nan, 0], [1, 1]]), ("a", "b"))] == [1]


def test_ties_go_to_the_lower_sum_and_then_to_the_earlier():
    chosen = select(table([[0, 4], [0, 2], [0, 2], [7, 0], [7, 0]]), ("a", "b"), limit=2)
    assert [c.row for c in chosen] == [1, 3]


def test_equal_candidates_and_equal_edits_count_once():
    values = [[0, 2], [1, 1], [2, 0]]
    assert len(select(table(values, x=[[1], [1], [2]]), ("a", "b"))) == 2
    assert len(select(table(values), ("a", "b"), key=lambda row: "same text")) == 1
    assert len(select(table(values), ("a", "b"))) == 3


def test_a_large_front_is_thinned_evenly():
    a = np.linspace(0, 1, 501)
    chosen = select(table(np.column_stack([a, 1 - a]) * [1, 1000]), ("a", "b"), limit=5)
    assert len(chosen) == 5
    places = sorted(c.row for c in chosen)
    assert places == [0, 125, 250, 375, 500]


def test_the_order_does_not_depend_on_chance():
    random = np.random.default_rng(1)
    values = random.random((3000, 4))
    assert select(table(values), tuple("abcd")) == select(table(values), tuple("abcd"))
    chosen = select(table(values), tuple("abcd"))
    sums = [values[c.row].sum() for c in chosen]
    assert len(chosen) == 10
    assert sums == sorted(sums)
