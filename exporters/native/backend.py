"""The native backend: a kernel in C for one structure, compiled once, run for batches of candidates."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import final

from nmlopt.backend import Floats, Integrator, Offer, Program, Recordings, Settings, refused_settings
from nmlopt.errors import Issue, UnsupportedError, raise_errors
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.native.accuracy import complete
from nmlopt.exporters.native.build import build, toolchain
from nmlopt.exporters.native.source import Kernel, kernel
from nmlopt.exporters.native.support import unsupported
from nmlopt.exporters.registry import installed_version
from nmlopt.ir.digest import structure_digest
from nmlopt.ir.model import Cell

GENERATOR_VERSION = "2"
WIDEST = 8
POINT_LANES = 32
"""Candidates of a point cell side by side: four of the widest vectors, so that one computes while others wait."""
FEW_COMPARTMENTS = 30
"""Up to this many, fixed steps of eight candidates go side by side; more fill the vectors by themselves."""


@final
class NativeBackend:
    """Kernels generated from the document. Holds nothing; can be pickled."""

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
        """Generate and build. Raises BackendError (B002-B004) and UnsupportedError (B100, B101, B111-B119)."""
        raise_errors((*refused_settings(self, settings), *unsupported(cell, ())), UnsupportedError)
        settings = complete(settings.on(self.offer))
        made = kernel(cell)
        folder = build(made.text, lanes_of(cell, settings))
        return Program(self.name, cell, settings, _digest(cell, settings), {"kernel.c": made.text}, folder)

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        """Run every experiment for every row of `values` (n_candidates, n_slots), in the slots' units."""
        from nmlopt.exporters.native.simulate import simulate

        return simulate(program, program_kernel(program), lanes_of(program.cell, program.settings), experiments, values)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        """Not offered. Raises UnsupportedError B110."""
        raise UnsupportedError(Issue("B119", "the native kernel runs inside nmlopt only", hint="export --to neuron"))


@lru_cache(maxsize=4)
def program_kernel(program: Program) -> Kernel:
    """The kernel of a program, worked out once per process and program."""
    return kernel(program.cell)


def lanes_of(cell: Cell, settings: Settings) -> int:
    """How many candidates go through one loop: by structure and settings alone, so that results cannot depend on it.

    Adaptive steps come at moments of their own for each candidate.
    """
    if cell.geometry is None:
        return POINT_LANES
    if settings.integrator is not Integrator.FIXED:
        return 1
    return WIDEST if len(cell.geometry.compartments) <= FEW_COMPARTMENTS else 1


def _digest(cell: Cell, settings: Settings) -> str:
    """Of all that a program is but the present values of its slots and the document they came from."""
    units = tuple(slot.unit for slot in cell.slots)
    parts = (GENERATOR_VERSION, toolchain(), settings.key, cell.id, repr(units), structure_digest(cell))
    return hashlib.sha256("|".join(parts).encode()).hexdigest()
