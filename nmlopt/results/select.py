"""Which evaluations are reported as solutions: the best by sum, the best of each objective, a spread of trade-offs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from nmlopt.optimise.archive import farthest_first, pareto_front
from nmlopt.results.model import Floats, Integers, Table

DEFAULT_LIMIT = 10
_CONSIDERED = 2000
"""How many of the best sums are looked at for trade-offs: a row that dominates another has a smaller sum."""


_RIVALS = 2
"""Best sums that compete for one place among the solutions: of noisy numbers the least is too low."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen evaluation: its row in the table, and why ('sum', 'objective <id>', 'trade-off')."""

    row: int
    reasons: tuple[str, ...]


def select(
    table: Table,
    objectives: tuple[str, ...],
    *,
    limit: int = DEFAULT_LIMIT,
    key: Callable[[int], Hashable] | None = None,
) -> tuple[Choice, ...]:
    """The solutions of a run, best sum first; only candidates that ran to their end.

    The best by sum and the best of each objective are always there; the Pareto set fills up to `limit`, as evenly
    spread as can be. Rows of equal x, or of equal `key` (their edits), count as one. Ties go to the lower sum, then
    to the earlier evaluation.
    """
    rows = np.flatnonzero(table.ok & np.isfinite(table.objectives).all(axis=1))
    if not len(rows):
        return ()
    sums = table.objectives[rows].sum(axis=1)
    rows = rows[np.argsort(sums, kind="stable")]
    same = key or (lambda row: table.x[row].tobytes())
    chosen: dict[Hashable, tuple[int, list[str]]] = {}
    for row, reason in _extremes(table.objectives, rows, objectives):
        chosen.setdefault(same(row), (row, []))[1].append(reason)
    best = rows[:_CONSIDERED]
    front = best[pareto_front(table.objectives[best])]
    for place in farthest_first(table.objectives[front], table.objectives[[row for row, _ in chosen.values()]]):
        if len(chosen) >= limit:
            break
        row = int(front[place])
        chosen.setdefault(same(row), (row, ["trade-off"]))
    order = {int(row): place for place, row in enumerate(rows)}
    found = sorted(chosen.values(), key=lambda item: order[item[0]])
    return tuple(Choice(row, tuple(reasons)) for row, reasons in found)


def pool(
    table: Table,
    objectives: tuple[str, ...],
    *,
    limit: int = DEFAULT_LIMIT,
    key: Callable[[int], Hashable] | None = None,
) -> tuple[int, ...]:
    """The rows that compete to be solutions when they are scored again: the solutions by these scores, and the best
    sums, `_RIVALS` times `limit` of them."""
    chosen = [choice.row for choice in select(table, objectives, limit=limit, key=key)]
    rows = np.flatnonzero(table.ok & np.isfinite(table.objectives).all(axis=1))
    rows = rows[np.argsort(table.objectives[rows].sum(axis=1), kind="stable")]
    same = key or (lambda row: table.x[row].tobytes())
    best: dict[Hashable, int] = {}
    for row in rows:
        if len(best) >= _RIVALS * limit:
            break
        best.setdefault(same(int(row)), int(row))
    taken = {same(row) for row in chosen}
    return (*chosen, *(row for mark, row in best.items() if mark not in taken))


def _extremes(values: Floats, rows: Integers, names: tuple[str, ...]) -> Iterable[tuple[int, str]]:
    """The best by sum, then the best of each objective; `rows` are in order of their sums."""
    yield int(rows[0]), "sum"
    for column, name in enumerate(names):
        yield int(rows[np.argmin(values[rows, column])]), f"objective {name}"
