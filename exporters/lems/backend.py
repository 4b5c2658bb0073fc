"""LEMS as a backend: edited documents and a LEMS file for each batch, run by jNeuroML."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import final

from nmlopt.backend import Backend, Floats, Numerics, Offer, Program, Recordings, Settings, refused_settings, row_by_row
from nmlopt.errors import Issue, UnsupportedError, raise_errors
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.lems.java import java, version
from nmlopt.exporters.lems.layout import is_isopotential
from nmlopt.exporters.lems.neuron_run import compiler
from nmlopt.exporters.lems.support import unsupported
from nmlopt.ir.digest import structure_digest
from nmlopt.ir.model import Cell

GENERATOR_VERSION = "2"


@final
class LemsBackend:
    """jNeuroML: jLEMS for point cells and single compartments, its export to NEURON for the rest.

    Holds nothing; goes to worker processes as it is.
    """

    name = "lems"
    offer = Offer(
        title="jNeuroML",
        package="pyneuroml",
        install="pip install pyneuroml",
        numerics=(Numerics.JNEUROML,),
        batch=16,
        programs=("java",),
    )

    def version(self) -> str:
        """Version of jNeuroML. Raises BackendError: B080, B081 no jar, B091 no Java."""
        java()
        return version()

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        """What of this cell and these experiments LEMS cannot do as written here."""
        return unsupported(cell, experiments)

    def compile(self, cell: Cell, settings: Settings) -> Program:
        """Nothing is built. Raises BackendError (B080, B081, B091, B096) and UnsupportedError."""
        if not is_isopotential(cell):
            compiler()
        return text_program(self, cell, settings)

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        """Run every experiment for every row of `values` (n_candidates, n_slots), in the slots' units."""
        if any(experiment.free_amplitudes for experiment in experiments):
            return row_by_row(self, program, experiments, values)
        from nmlopt.exporters.lems.simulate import simulate

        return simulate(program, experiments, values)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        """Write the document and LEMS files that need jNeuroML only. Raises ResultsError (R010, R011)."""
        from nmlopt.exporters.lems.export import export

        return export(program, experiments, folder)


def text_program(backend: Backend, cell: Cell, settings: Settings) -> Program:
    """The program of a backend that reads LEMS: the document, under a digest. Raises UnsupportedError, BackendError."""
    found = backend.version()
    raise_errors((*refused_settings(backend, settings), *backend.unsupported(cell, ())), UnsupportedError)
    settings = settings.on(backend.offer)
    digest = _digest(cell, settings, f"{backend.name} {found}")
    return Program(backend.name, cell, settings, digest, {}, Path())


def _digest(cell: Cell, settings: Settings, tools: str) -> str:
    """Of all that a program is but the present values of its slots."""
    slots = tuple((slot.unit, slot.path) for slot in cell.slots)
    parts = (GENERATOR_VERSION, tools, settings.key, cell.id, repr(slots), structure_digest(cell), cell.document_digest)
    return hashlib.sha256("|".join(parts).encode()).hexdigest()
