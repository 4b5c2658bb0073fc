"""pyLEMS as a second, slow interpreter of the same LEMS files, written by others than jLEMS.

It is chosen by its name only, and is not among the backends that are compared where none is named: it merges the
Dynamics of a type with those it extends, where jLEMS and the core types replace them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import final

from nmlopt.backend import Floats, Numerics, Offer, Program, Recordings, Settings
from nmlopt.errors import Issue, UnsupportedError, raise_errors
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.lems.backend import text_program
from nmlopt.exporters.lems.layout import is_isopotential
from nmlopt.exporters.lems.support import random_inputs
from nmlopt.exporters.registry import installed_version
from nmlopt.ir.model import Cell


@final
class PyLemsBackend:
    """pyLEMS, forward Euler, for point cells and single compartments. Holds nothing; goes to workers as it is."""

    name = "pylems"
    offer = Offer(
        title="pyLEMS",
        package="pylems",
        install=f"{sys.executable} -m pip install pylems",
        numerics=(Numerics.JNEUROML,),
    )

    def version(self) -> str:
        """Version of pyLEMS from its package metadata. Raises BackendError B001 if it is not installed."""
        return installed_version(self.offer.package, self.offer.install)

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        """Cells with several compartments (B097), random inputs (B098)."""
        if is_isopotential(cell):
            return random_inputs(cell)
        message = f"'{cell.id}' has several compartments, which pyLEMS does not have"
        return (Issue("B097", message, hint="use --backend lems or --backend neuron"),)

    def compile(self, cell: Cell, settings: Settings) -> Program:
        """Nothing is built. Raises BackendError (B001, B080, B081) and UnsupportedError."""
        raise_errors(self.unsupported(cell, ()), UnsupportedError)
        return text_program(self, cell, settings)

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        """Run every experiment for every row of `values` (n_candidates, n_slots); traces begin after the first step."""
        from nmlopt.exporters.lems.simulate import simulate

        return simulate(program, experiments, values)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        """The same folder as for jNeuroML. Raises ResultsError (R010, R011)."""
        from nmlopt.exporters.lems.export import export

        return export(program, experiments, folder)
