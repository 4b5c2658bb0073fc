"""The state of a generational search as JSON, and what can be read from it.

No generator state is kept: the random numbers of a generation follow from the seed and the number of the generation.
An interrupted generation is therefore asked again with the same result, and a state is small.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nmlopt.optimise.model import AlgorithmSettings, Floats, State

VERSION = 1


@dataclass(frozen=True, slots=True)
class Search:
    """A `State`, read. `generation` counts the generations told; `start` are the candidates of the first one.

    `parents` (k, n_free) and their `objectives` (k, n_objectives) are the survivors; none before the first generation.
    `evaluations`: candidates told so far. `best_sums`, `best_worsts`: least sum and least
    maximum of the objectives of one candidate, found up to each generation.
    """

    algorithm: str
    settings: AlgorithmSettings
    seed: int
    n_objectives: int
    generation: int
    start: Floats
    parents: Floats
    objectives: Floats
    evaluations: int
    best_sums: tuple[float, ...]
    best_worsts: tuple[float, ...]


def write(search: Search) -> State:
    """`search` as plain JSON; doubles survive as they are written with all their digits."""
    return {
        "version": VERSION,
        "algorithm": search.algorithm,
        "settings": asdict(search.settings),
        "seed": search.seed,
        "n_free": search.start.shape[1],
        "n_objectives": search.n_objectives,
        "generation": search.generation,
        "start": search.start.tolist() if search.generation == 0 else [],
        "parents": search.parents.tolist(),
        "objectives": search.objectives.tolist(),
        "evaluations": search.evaluations,
        "best_sums": list(search.best_sums),
        "best_worsts": list(search.best_worsts),
    }


def read(state: State) -> Search:
    """The inverse of `write`; `ValueError` for a state that another version wrote."""
    if state.get("version") != VERSION:
        message = f"a search state of version {state.get('version')} cannot be read here (version {VERSION} can)"
        raise ValueError(message)
    held: dict[str, Any] = dict(state)
    return Search(
        algorithm=held["algorithm"],
        settings=AlgorithmSettings(**held["settings"]),
        seed=held["seed"],
        n_objectives=held["n_objectives"],
        generation=held["generation"],
        start=_matrix(held["start"], held["n_free"]),
        parents=_matrix(held["parents"], held["n_free"]),
        objectives=_matrix(held["objectives"], held["n_objectives"]),
        evaluations=held["evaluations"],
        best_sums=tuple(held["best_sums"]),
        best_worsts=tuple(held["best_worsts"]),
    )


def generator(search: Search) -> np.random.Generator:
    """The random numbers of the generation that comes next: a stream of its own, from seed and number."""
    return np.random.default_rng(np.random.SeedSequence([search.seed, search.generation]))


def _matrix(rows: list[list[float]], columns: int) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(len(rows), columns)
