"""NEURON as a backend: generate NMODL, compile it once, bind and run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import final

from nmlopt.backend import (
    Floats,
    Integrator,
    Numerics,
    Offer,
    Program,
    Recordings,
    Settings,
    refused_settings,
    row_by_row,
)
from nmlopt.errors import Issue, UnsupportedError, raise_errors
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.neuron.build import build, toolchain
from nmlopt.exporters.neuron.mod import Plan, plan
from nmlopt.exporters.neuron.support import refused_combinations, unsupported
from nmlopt.exporters.registry import installed_version
from nmlopt.ir.digest import structure_digest
from nmlopt.ir.model import Cell

GENERATOR_VERSION = "1"


@final
class NeuronBackend:
    """The NEURON simulator. Holds nothing; goes to worker processes as it is."""

    name = "neuron"
    offer = Offer(
        title="NEURON",
        package="neuron",
        install="pip install neuron",
        numerics=(Numerics.CNEXP, Numerics.JNEUROML),
        integrators=(Integrator.FIXED, Integrator.CVODE),
        tables=True,
        programs=("c++", "make"),
        citation="NEURON: Hines ML, Carnevale NT (1997) The NEURON simulation environment. "
        "Neural Computation 9:1179–1209.",
    )

    def version(self) -> str:
        """Version of NEURON from its package metadata. Raises BackendError B001 if it is not installed."""
        return installed_version(self.offer.package, self.offer.install)

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        """What of this cell and these experiments NEURON cannot do as generated here."""
        return unsupported(cell, experiments)

    def compile(self, cell: Cell, settings: Settings) -> Program:
        """Generate and build. Raises BackendError (B001-B004) and UnsupportedError (B010-B013, B040-B101)."""
        raise_errors((*refused_settings(self, settings), *refused_combinations(cell, settings)), UnsupportedError)
        settings = settings.on(self.offer)
        tools = toolchain(self.version())
        planned = plan(cell, settings, tools)
        texts = hashlib.sha256("".join(f"{n}\0{t}\0" for n, t in sorted(planned.files.items())).encode())
        texts.update(tools.encode())
        folder = build(planned.files, texts.hexdigest())
        return Program(self.name, cell, settings, _digest(cell, settings, tools), planned.files, folder)

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        """Run every experiment for every row of `values` (n_candidates, n_slots), in the slots' units."""
        if any(experiment.free_amplitudes for experiment in experiments):
            return row_by_row(self, program, experiments, values)
        from nmlopt.exporters.neuron.simulate import simulate

        return simulate(program, program_plan(program), experiments, values)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        """Write a folder that runs with nothing but NEURON. Raises ResultsError if it exists and is not empty."""
        from nmlopt.exporters.neuron.export import export

        return export(program, program_plan(program), experiments, folder)


@lru_cache(maxsize=4)
def program_plan(program: Program) -> Plan:
    """The plan of a program, made once per process and program."""
    return plan(program.cell, program.settings, toolchain(NeuronBackend().version()))


def _digest(cell: Cell, settings: Settings, tools: str) -> str:
    """Of all that a program is but the present values of its slots and the document they came from."""
    units = tuple(slot.unit for slot in cell.slots)
    parts = (GENERATOR_VERSION, tools, settings.key, cell.id, repr(units), structure_digest(cell))
    return hashlib.sha256("|".join(parts).encode()).hexdigest()
