"""Arbor as a backend: generate NMODL in its dialect, build a catalogue once, run candidates as cells of a recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import final

from nmlopt.backend import Floats, Offer, Program, Recordings, Settings, refused_settings, row_by_row
from nmlopt.errors import Issue, UnsupportedError, raise_errors
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.arbor import paint
from nmlopt.exporters.arbor.build import build, toolchain
from nmlopt.exporters.arbor.mod import Part, files, parts
from nmlopt.exporters.arbor.support import unsupported
from nmlopt.exporters.registry import installed_version
from nmlopt.ir.digest import structure_digest
from nmlopt.ir.model import Cell

GENERATOR_VERSION = "1"


@final
class ArborBackend:
    """The Arbor simulator (0.12 or later). Holds nothing; goes to worker processes as it is."""

    name = "arbor"
    offer = Offer(
        title="Arbor",
        package="arbor",
        install="pip install 'nmlopt[arbor]'",
        gpu=True,
        threads=True,
        batch=8,
        programs=("c++", "make", "cmake"),
        citation="Arbor: Abi Akar N et al. (2019) Arbor — a morphologically-detailed neural network simulation library "
        "for contemporary high-performance computing architectures. Euromicro PDP 2019:274–282.",
    )

    def version(self) -> str:
        """Version of Arbor from its package metadata. Raises BackendError B001 if it is not installed."""
        return installed_version(self.offer.package, self.offer.install)

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        """What of this cell and these experiments Arbor cannot do as generated here."""
        return unsupported(cell, experiments)

    def compile(self, cell: Cell, settings: Settings) -> Program:
        """Generate and build. Raises BackendError (B001-B004) and UnsupportedError (B040-B049, B083, B101)."""
        tools = toolchain(self.version())
        raise_errors((*refused_settings(self, settings), *unsupported(cell, ())), UnsupportedError)
        settings, gpu = settings.on(self.offer), _gpu(settings)
        sources = files(parts(cell))
        texts = hashlib.sha256("".join(f"{n}\0{t}\0" for n, t in sorted(sources.items())).encode())
        texts.update(f"{tools}{gpu}".encode())
        folder = build(sources, texts.hexdigest(), gpu)
        return Program(self.name, cell, settings, _digest(cell, settings, tools), sources, folder)

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        """Run every experiment for every row of `values` (n_candidates, n_slots), in the slots' units."""
        if any(experiment.free_amplitudes for experiment in experiments):
            return row_by_row(self, program, experiments, values)
        from nmlopt.exporters.arbor.simulate import simulate

        made, plan = program_plan(program)
        return simulate(program, made, plan, experiments, values)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        """Write a folder that runs with nothing but Arbor. Raises ResultsError if it exists and is not empty."""
        from nmlopt.exporters.arbor.export import export

        made, plan = program_plan(program)
        return export(program, made, plan, experiments, folder)


def _gpu(settings: Settings) -> str:
    """The kind of GPU that mechanisms are compiled for. Raises UnsupportedError B083 if Arbor was built for none."""
    if not settings.gpu:
        return ""
    from nmlopt.exporters.arbor import hardware

    raise_errors(hardware.missing(settings), UnsupportedError)
    return hardware.gpu_kind()


@lru_cache(maxsize=4)
def program_plan(program: Program) -> tuple[tuple[Part, ...], paint.Plan]:
    """The mechanisms and the paintings of a program, worked out once per process and program."""
    made = parts(program.cell)
    return made, paint.plan(program.cell, made)


def _digest(cell: Cell, settings: Settings, tools: str) -> str:
    """Of all that a program is but the present values of its slots and the document they came from."""
    units = tuple(slot.unit for slot in cell.slots)
    described = (GENERATOR_VERSION, tools, settings.key, cell.id, repr(units), structure_digest(cell))
    return hashlib.sha256("|".join(described).encode()).hexdigest()
