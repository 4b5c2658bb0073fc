"""The native backend: a kernel in C for one structure, compiled once, run for batches of candidates."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import final

from nmlopt.backend import Accuracy, Floats, Integrator, Offer, Program, Recordings, Settings, refused_settings
from nmlopt.errors import Issue, UnsupportedError, raise_errors
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.native.accuracy import FEW_COMPARTMENTS, complete, steps_of
from nmlopt.exporters.native.generic import COMPILED, model_of
from nmlopt.exporters.native.generic_text import raise_without_room
from nmlopt.exporters.native.library import library
from nmlopt.exporters.native.schedule import filled
from nmlopt.exporters.native.source import Kernel, Layout, kernel
from nmlopt.exporters.native.support import unsupported
from nmlopt.exporters.registry import installed_version
from nmlopt.ir.digest import structure_digest
from nmlopt.ir.model import Cell

GENERATOR_VERSION = "6"
WIDEST = 8
POINT_LANES = 32
"""Candidates of a point cell side by side: four of the widest vectors, so that one computes while others wait."""
LEAST_FILLED = 0.5
"""The share of lanes that chains have to fill."""


@final
class NativeBackend:
    """Kernels generated from the document. Holds nothing; goes to worker processes as it is."""

    name = "native"
    offer = Offer(
        title="the native kernel", package="nmlopt", install="pip install nmlopt",
        integrators=(Integrator.ADAPTIVE, Integrator.FIXED), threads=True, batch=64,
        programs=("cc",),
    )  # fmt: skip

    def version(self) -> str:
        """Version of nmlopt, whose kernel it is."""
        return installed_version(self.offer.package, self.offer.install)

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        """What of this cell and these experiments the kernel cannot do."""
        return unsupported(cell, experiments)

    def compile(self, cell: Cell, settings: Settings) -> Program:
        """Generate and build. Raises BackendError (B002-B006, B130) and UnsupportedError (B100, B101, B111-B119)."""
        raise_errors((*refused_settings(self, settings), *unsupported(cell, ())), UnsupportedError)
        settings = complete(settings.on(self.offer))
        made = kernel(cell, layout_of(cell, settings))
        found = library(made)
        program = Program(
            self.name,
            cell,
            settings,
            _digest(cell, settings, found.digest),
            {} if found.is_generic else {COMPILED: made.text},
            found.folder,
            {**found.made, **_levels(cell, settings)},
            found.issues,
        )
        if found.is_generic:
            raise_without_room(made)
            model_of(program, program_kernel(program))  # raises B006 now, not in a run, which finds it made
        return program

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        """Run every experiment for every row of `values` (n_candidates, n_slots), in the slots' units."""
        from nmlopt.exporters.native.simulate import simulate

        return simulate(program, program_kernel(program), experiments, values)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        """Not offered. Raises UnsupportedError B110."""
        raise UnsupportedError(Issue("B119", "the native kernel runs inside nmlopt only", hint="export --to neuron"))


@lru_cache(maxsize=4)
def program_kernel(program: Program) -> Kernel:
    """The kernel of a program, worked out once per process and program."""
    return kernel(program.cell, layout_of(program.cell, program.settings))


def layout_of(cell: Cell, settings: Settings) -> Layout:
    """What goes side by side: by structure and settings alone, so that results cannot depend on it.

    Adaptive steps come at moments of their own for each candidate; there chains of one candidate's compartments fill
    the lanes, unless too few of them run in parallel.
    """
    if cell.geometry is None:
        return Layout(POINT_LANES)
    few = len(cell.geometry.compartments) <= FEW_COMPARTMENTS
    if settings.integrator is Integrator.FIXED:
        return Layout(WIDEST if few else 1)
    return Layout(1) if few or filled(cell.geometry) < LEAST_FILLED else Layout(WIDEST, chained=True)


def _levels(cell: Cell, settings: Settings) -> dict[str, dict[str, float]]:
    """What the settings mean in numbers on this cell, and what each accuracy would, where steps are adaptive."""
    if settings.integrator is not Integrator.ADAPTIVE:
        return {"steps": asdict(steps_of(cell, settings))}
    return {f"steps_{level}": asdict(steps_of(cell, replace(settings, accuracy=level))) for level in Accuracy}


def _digest(cell: Cell, settings: Settings, library_digest: str) -> str:
    """Of all that a program is but the present values of its slots and the document they came from."""
    units = tuple(slot.unit for slot in cell.slots)
    parts = (
        GENERATOR_VERSION,
        repr(layout_of(cell, settings)),
        library_digest,
        settings.key,
        cell.id,
        repr(units),
        structure_digest(cell),
    )
    return hashlib.sha256("|".join(parts).encode()).hexdigest()
