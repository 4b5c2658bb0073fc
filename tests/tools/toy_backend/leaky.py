"""A toy that is wrong on purpose: in a module of its own, as verify simulates in processes of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

import numpy as np

from nmlopt.backend import Floats, Program, Recordings, Settings
from nmlopt.errors import Issue
from nmlopt.experiment.model import Experiment
from nmlopt.ir.model import Cell
from toy_backend.backend import ToyBackend

FACTORS = np.array([1.1, 1.0])
"""Of the slots: a tenth more conductance, the right potential."""


@final
class LeakyToy:
    """The toy with more leak than it is told."""

    name, offer = ToyBackend.name, ToyBackend.offer

    def version(self) -> str:
        return ToyBackend().version()

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        return ToyBackend().unsupported(cell, experiments)

    def compile(self, cell: Cell, settings: Settings) -> Program:
        return ToyBackend().compile(cell, settings)

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        return ToyBackend().simulate(program, experiments, values * FACTORS)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        return ToyBackend().export(program, experiments, folder)
