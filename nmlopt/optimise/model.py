"""The contract of a search algorithm: vectors in the unit cube in, objective vectors back, state as plain JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
State: TypeAlias = dict[str, Json]
"""Everything the algorithm needs to go on, random generator included; survives json.dumps/loads bit for bit."""


@dataclass(frozen=True, slots=True)
class AlgorithmSettings:
    """Settings of an evolutionary search. `offspring` is the population size mu = lambda (even, >= 4).

    `eta_crossover`, `eta_mutation`: distribution indices of SBX and polynomial mutation (Deb & Agrawal 1995).
    `mutation_rate` None: 1 / n_free per gene. `kappa`: IBEA's fitness scaling (Zitzler & Künzli 2004, section 3).
    """

    name: str = "ibea"
    offspring: int = 32
    crossover_rate: float = 0.9
    eta_crossover: float = 10.0
    eta_mutation: float = 10.0
    mutation_rate: float | None = None
    sampling: str = "lhs"
    kappa: float = 0.05


class Algorithm(Protocol):
    """A generational search: ask for candidates, tell their objectives, again and again. Pure: no hidden state."""

    @property
    def name(self) -> str:
        """What `--algorithm` calls it."""

    def start(self, settings: AlgorithmSettings, *, n_free: int, n_objectives: int, seed: int, first: Floats) -> State:
        """The state before the first generation; `first` (k, n_free) are points to include in the start population."""

    def ask(self, state: State) -> tuple[State, Floats]:
        """The candidates of the next generation (n, n_free) in [0, 1], and the state that `tell` wants."""

    def tell(self, state: State, candidates: Floats, objectives: Floats) -> State:
        """The state after environmental selection, given `objectives` (n, n_objectives) of the asked candidates."""
