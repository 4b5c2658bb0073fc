"""The nouns of a run folder: what was fitted, under which settings, and what is stored of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmlopt.evaluate.model import Evaluation
from nmlopt.experiment.parameters import FreeParameter
from nmlopt.optimise.model import Json

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Context:
    """Under what conditions scores hold: they are comparable within one context only.

    `problem` is a digest of whatever decides a candidate's objectives beside the backend: document and targets.
    """

    backend: str
    settings: Mapping[str, Json]
    versions: Mapping[str, str]
    problem: str

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        parts = [self.backend, dict(self.settings), dict(self.versions), self.problem]
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """A free parameter as stored: numbers in the unit of that symbol ('' for a plain number)."""

    id: str
    unit: str
    lower: float
    upper: float
    scale: str
    present: float

    @staticmethod
    def of(parameter: FreeParameter) -> ParameterInfo:
        """What is stored of a free parameter."""
        p = parameter
        return ParameterInfo(p.id, p.unit.symbol, p.lower, p.upper, p.scale, p.present)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a run searches: its axes, the ids of its targets and objectives (in order), its seeds, its context."""

    parameters: tuple[ParameterInfo, ...]
    targets: tuple[str, ...]
    objectives: tuple[str, ...]
    seeds: tuple[int, ...]
    context: Context


@dataclass(frozen=True, slots=True)
class Stored:
    """An evaluation with its place in the run: `number` is unique in the store, `position` counts in its generation."""

    number: int
    seed: int
    generation: int
    position: int
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class SeedProgress:
    """How far the search of one seed is. `best_sum` None: no candidate has run to its end yet."""

    seed: int
    generations: int
    evaluations: int
    best_sum: float | None
    cpu_s: float
    wall_s: float
    stop_reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """All evaluations as arrays, one row each, in order of seed, generation, position.

    `numbers`, `seeds`, `generations` (n,); `ok` (n,) says which ran to their end; `x` (n, n_free) in parameter units;
    `objectives` (n, n_objectives).
    """

    numbers: Integers
    seeds: Integers
    generations: Integers
    ok: Booleans
    x: Floats
    objectives: Floats
