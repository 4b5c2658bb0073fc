"""The evolutionary search that IBEA and NSGA-II share: they differ in who survives and who mates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from nmlopt.errors import Issue, UsageError
from nmlopt.optimise import settings as settings_rules
from nmlopt.optimise.model import AlgorithmSettings, Floats, Indices, State
from nmlopt.optimise.sampling import sample
from nmlopt.optimise.state import Search, generator, read, write
from nmlopt.optimise.variation import vary


@dataclass(frozen=True, slots=True)
class Generational:
    """An `Algorithm`: mu parents, as many offspring, the survivors of both are the next parents (mu + lambda).

    `survive(objectives, count, settings)`: the rows that live on. `mate(objectives, settings, rng)`: the rows that
    become parents, as many as there are, mated two by two in their order.
    """

    name: str
    survive: Callable[[Floats, int, AlgorithmSettings], Indices]
    mate: Callable[[Floats, AlgorithmSettings, np.random.Generator], Indices]

    def start(self, settings: AlgorithmSettings, *, n_free: int, n_objectives: int, seed: int, first: Floats) -> State:
        """The state before the first generation; all points of `first` (k, n_free) in [0, 1] are candidates in it.

        Raises `UsageError` with all faults of the settings, for a negative seed, or for points out of bounds.
        """
        settings_rules.check(settings)
        settings_rules.check_seed(seed)
        given = np.asarray(first, dtype=np.float64).reshape(-1, n_free)
        if not np.all((given >= 0.0) & (given <= 1.0)):
            outside = [f"start point {row + 1}, parameter {column + 1}" for row, column in _outside(given)]
            hint = "widen the bounds or leave the point out"
            raise UsageError(Issue("C108", f"outside its bounds: {'; '.join(outside)}", "first", hint))
        search = Search(
            algorithm=self.name,
            settings=settings,
            seed=seed,
            n_objectives=n_objectives,
            generation=0,
            start=np.empty((0, n_free)),
            parents=np.empty((0, n_free)),
            objectives=np.empty((0, n_objectives)),
            evaluations=0,
            best_sums=(),
            best_worsts=(),
        )
        points = sample(settings.sampling, settings.offspring, first=given, rng=generator(search))
        return write(replace(search, start=points))

    def ask(self, state: State) -> tuple[State, Floats]:
        """The candidates of the next generation (n, n_free) in [0, 1]; the same each time the same state is asked."""
        search = self._read(state)
        if search.generation == 0:
            return state, search.start
        rng = generator(search)
        parents = search.parents[self.mate(search.objectives, search.settings, rng)]
        return state, vary(parents, search.settings, rng)

    def tell(self, state: State, candidates: Floats, objectives: Floats) -> State:
        """The state after environmental selection among the parents and `candidates`.

        `objectives` (n, n_objectives) must be finite: a failed candidate has the cap. The first time n may be any
        number from the population size up, for example everything that an earlier run evaluated.
        """
        search = self._read(state)
        _refuse_misfits(search, candidates, objectives)
        everyone = np.concatenate([search.parents, candidates])
        scores = np.concatenate([search.objectives, objectives])
        alive = self.survive(scores, search.settings.offspring, search.settings)
        told = replace(
            search,
            generation=search.generation + 1,
            parents=everyone[alive],
            objectives=scores[alive],
            evaluations=search.evaluations + len(candidates),
            best_sums=_extended(search.best_sums, objectives.sum(axis=1)),
            best_worsts=_extended(search.best_worsts, objectives.max(axis=1)),
        )
        return write(told)

    def _read(self, state: State) -> Search:
        search = read(state)
        if search.algorithm != self.name:
            raise ValueError(f"this is a state of '{search.algorithm}', not of '{self.name}'")
        return search


def _extended(least: tuple[float, ...], values: Floats) -> tuple[float, ...]:
    """`least` and, appended, the least of its last and `values`."""
    return (*least, min([float(values.min()), *least[-1:]]))


def _outside(points: Floats) -> list[tuple[int, int]]:
    rows, columns = np.nonzero(~((points >= 0.0) & (points <= 1.0)))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _refuse_misfits(search: Search, candidates: Floats, objectives: Floats) -> None:
    """Raise `ValueError` where the caller told something that was not asked."""
    n_free, n_objectives = search.parents.shape[1], search.n_objectives
    if candidates.shape[1:] != (n_free,) or objectives.shape != (len(candidates), n_objectives):
        wanted = f"(n, {n_free}) and (n, {n_objectives})"
        raise ValueError(f"candidates {candidates.shape} and objectives {objectives.shape} are not {wanted}")
    if len(search.parents) + len(candidates) < search.settings.offspring:
        raise ValueError(f"{len(candidates)} candidates cannot found a population of {search.settings.offspring}")
    if not np.all(np.isfinite(objectives)):
        raise ValueError("objectives must be finite: a failed candidate scores the cap")
