"""Which evaluations are reported as solutions: the best by sum, the best of each objective, a spread of trade-offs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from nmlopt.results.model import Floats, Integers, Table

DEFAULT_LIMIT = 10
_FRONT = 2000


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
    front = rows[pareto(table.objectives[rows])]
    for row in _spread(table.objectives, front, [row for row, _ in chosen.values()]):
        if len(chosen) >= limit:
            break
        chosen.setdefault(same(row), (row, ["trade-off"]))
    order = {int(row): place for place, row in enumerate(rows)}
    found = sorted(chosen.values(), key=lambda item: order[item[0]])
    return tuple(Choice(row, tuple(reasons)) for row, reasons in found)


def pareto(objectives: Floats) -> Integers:
    """Rows that no other dominates, given (n, m) objectives ordered by their sum; at most the first 2000 are looked at.

    A row that dominates another has a smaller sum: looking at the best sums only finds no false member.
    """
    unique = np.unique(objectives[:_FRONT], axis=0, return_index=True)[1]
    kept: list[int] = []
    for row in np.sort(unique):
        if not kept or not _dominated(objectives[row], objectives[kept]):
            kept.append(int(row))
    return np.array(kept, dtype=np.int64)


def _dominated(point: Floats, others: Floats) -> bool:
    return bool(np.any(np.all(others <= point, axis=1) & np.any(others < point, axis=1)))


def _extremes(values: Floats, rows: Integers, names: tuple[str, ...]) -> Iterable[tuple[int, str]]:
    """The best by sum, then the best of each objective; `rows` are in order of their sums."""
    yield int(rows[0]), "sum"
    for column, name in enumerate(names):
        yield int(rows[np.argmin(values[rows, column])]), f"objective {name}"


def _spread(values: Floats, front: Integers, chosen: list[int]) -> Iterable[int]:
    """Members of the front, each time the one that is farthest from all before (objectives scaled to the front)."""
    points = values[front]
    low, high = points.min(axis=0), points.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    scaled = (points - low) / width
    distance = np.full(len(front), np.inf)
    for row in chosen:
        distance = np.minimum(distance, np.linalg.norm(scaled - (values[row] - low) / width, axis=1))
    for _ in range(len(front)):
        place = int(np.argmax(distance))
        if distance[place] <= 0.0:
            return
        yield int(front[place])
        distance = np.minimum(distance, np.linalg.norm(scaled - scaled[place], axis=1))
