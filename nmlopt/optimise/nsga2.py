"""Selection of NSGA-II: nondominated fronts and crowding distance, through DEAP.

K. Deb, A. Pratap, S. Agarwal and T. Meyarivan (2002), A fast and elitist multiobjective genetic algorithm: NSGA-II,
IEEE Transactions on Evolutionary Computation 6:182-197.
"""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt
from deap import tools

from nmlopt.optimise.model import Floats, Indices


def survive(objectives: Floats, count: int) -> Indices:
    """Rows of `objectives` (n, m) that survive: front by front, the last front by crowding distance."""
    return np.array([member.row for member in tools.selNSGA2(_members(objectives), count)], dtype=np.intp)


def mate(objectives: Floats, rng: np.random.Generator) -> Indices:
    """As many parents as rows of `objectives` (n, m; n even): each row fights in two tournaments of two.

    DEAP's `selTournamentDCD`, which wants a multiple of four, for any even number: dominance decides, then crowding
    distance, then chance.
    """
    size = len(objectives)
    members = _members(objectives)
    tools.selNSGA2(members, size)  # gives each member the crowding distance in its front
    crowding = np.array([member.fitness.crowding_dist for member in members])
    left, right = np.concatenate([rng.permutation(size), rng.permutation(size)]).reshape(size, 2).T
    dominates = dominance(objectives)
    preference = np.subtract(crowding[left] > crowding[right], crowding[left] < crowding[right], dtype=np.float64)
    chance = rng.integers(0, 2, size) - 0.5
    verdict = 4.0 * dominates[left, right] - 4.0 * dominates[right, left] + 2.0 * preference + chance
    winners: Indices = np.where(verdict > 0.0, left, right)
    return winners


def dominance(objectives: Floats) -> npt.NDArray[np.bool_]:
    """[a, b] (n, n): whether row a of `objectives` (n, m) is nowhere worse than row b and somewhere better."""
    nowhere_worse = np.ones((len(objectives), len(objectives)), dtype=np.bool_)
    for column in objectives.T:
        nowhere_worse &= np.less_equal.outer(column, column)
    dominates: npt.NDArray[np.bool_] = nowhere_worse & ~nowhere_worse.T
    return dominates


@final
class _Fitness:
    """What DEAP's sorting asks of a fitness, with dominance looked up in a table instead of compared each time."""

    __slots__ = ("_dominated_rows", "crowding_dist", "row", "values", "wvalues")

    def __init__(self, row: int, values: tuple[float, ...], dominated_rows: frozenset[int]) -> None:
        self.row = row
        self.values = values
        self.wvalues = tuple(-value for value in values)
        self.crowding_dist = 0.0
        self._dominated_rows = dominated_rows

    def dominates(self, other: _Fitness) -> bool:
        return other.row in self._dominated_rows

    def __hash__(self) -> int:
        return hash(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Fitness) and self.values == other.values


@final
class _Member:
    """A row of the objectives as DEAP's sorting wants it."""

    __slots__ = ("fitness", "row")

    def __init__(self, row: int, fitness: _Fitness) -> None:
        self.row = row
        self.fitness = fitness


def _members(objectives: Floats) -> list[_Member]:
    table = dominance(objectives)
    values = objectives.tolist()
    return [
        _Member(row, _Fitness(row, tuple(values[row]), frozenset(np.flatnonzero(table[row]).tolist())))
        for row in range(len(values))
    ]
