"""The contract between the rest of nmlopt and a simulator: compile once, simulate batches of candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nmlopt.errors import Issue
from nmlopt.experiment.amplitudes import with_amplitudes
from nmlopt.experiment.model import Experiment
from nmlopt.ir.model import Cell, Slot

Floats = npt.NDArray[np.float64]

DEFAULT_DT_MS = 0.025
MAX_ABS_V_MV = 250.0


class RunStatus(StrEnum):
    """How a simulation ended. Anything but OK makes every target of the candidate missing."""

    OK = "ok"
    DIVERGED = "diverged"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    FAILED = "failed"

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        return _ADVICE[self]


_ADVICE = {
    RunStatus.OK: "",
    RunStatus.DIVERGED: "a variable became non-finite or v left [-250, 250] mV; narrow the bounds or lower --dt",
    RunStatus.TIMED_OUT: "the candidate used more CPU time than --timeout allows; raise it or narrow the bounds",
    RunStatus.CRASHED: "the worker process died in this candidate (memory, segmentation fault); it was replaced",
    RunStatus.FAILED: "the simulator raised an error; the text says which",
}


class Numerics(StrEnum):
    """How gates and pools are stepped. JNEUROML reproduces jNeuroML's own NEURON export to the step."""

    CNEXP = "cnexp"
    JNEUROML = "jneuroml"


class Integrator(StrEnum):
    """FIXED: NEURON's implicit Euler with step dt. CVODE: variable step and order. ADAPTIVE: variable step, order 2."""

    FIXED = "fixed"
    CVODE = "cvode"
    ADAPTIVE = "adaptive"


class Accuracy(StrEnum):
    """How close adaptive steps stay to the converged solution; each backend states what that means in numbers."""

    FAST = "fast"
    DEFAULT = "default"
    TIGHT = "tight"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a backend has, whatever the cell: the one place from which settings, tables and messages are made.

    `title`: its name in messages. `package`: the distribution whose version is the simulator's; `install`: the command
    that brings it; `programs`: commands that must be on the machine beside it. The first of `numerics` and of
    `integrators` is the backend's default. `tables`: tabulated rates. `threads`: more than one in a process. `batch`:
    candidates that gain from going in one call of `simulate` (1: none). `citation`: what reports cite.
    """

    title: str
    package: str
    install: str
    numerics: tuple[Numerics, ...] = (Numerics.CNEXP,)
    integrators: tuple[Integrator, ...] = (Integrator.FIXED,)
    tables: bool = False
    gpu: bool = False
    threads: bool = False
    batch: int = 1
    programs: tuple[str, ...] = ()
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Run settings. `numerics` and `tables` shape the generated text, the others are bound at run time.

    `dt_ms`: fixed step; the scale of adaptive ones. `accuracy`: of adaptive steps. `numerics`, `integrator` None: the
    backend's own. `atol`: CVODE's absolute tolerance. `tables`: tabulated rates (faster search, small error). `gpu`,
    `threads`: where a process computes, not what.
    """

    dt_ms: float = DEFAULT_DT_MS
    numerics: Numerics | None = None
    integrator: Integrator | None = None
    tables: bool = False
    atol: float = 1e-3
    gpu: bool = False
    threads: int = 1
    accuracy: Accuracy | None = None

    def on(self, offer: Offer) -> Settings:
        """The same with what was left open as the backend has it."""
        return replace(
            self, numerics=self.numerics or offer.numerics[0], integrator=self.integrator or offer.integrators[0]
        )

    @property
    def key(self) -> str:
        """Text of all but `gpu` and `threads`, for digests: programs that differ in these only are equal."""
        parts = (self.dt_ms, self.numerics, self.integrator, self.tables, self.atol)
        return repr(parts if self.accuracy is None else (*parts, self.accuracy))


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A compiled cell: texts, their digest, and the folder in which they were built. Picklable.

    `made`: what of the machine went into it (compiler, instruction sets) and what its settings mean in numbers, for
    the records of a run; plain values, empty where that is nothing beside the versions. `issues`: warnings about it.

    Programs of one backend with one digest are equal: all but the present values of the slots is the same, and
    comparing cells with thousands of compartments would cost more than a run.
    """

    backend: str
    cell: Cell
    settings: Settings
    digest: str
    files: Mapping[str, str]
    folder: Path
    made: Mapping[str, Any] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and (other.backend, other.digest) == (self.backend, self.digest)

    def __hash__(self) -> int:
        return hash((self.backend, self.digest))

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The places that take numbers: columns of `values` in `simulate`."""
        return self.cell.slots


@dataclass(frozen=True, slots=True)
class Trace:
    """One recording: times in ms (n,), values (n,) in the unit `experiment.model.Output` states."""

    t_ms: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class Recordings:
    """All that one candidate gave: traces by (experiment id, output id); empty when the status is not OK."""

    status: RunStatus
    traces: Mapping[tuple[str, str], Trace] = field(default_factory=dict)
    detail: str = ""


def divergence(experiment: Experiment, traces: Mapping[tuple[str, str], Trace]) -> str:
    """What makes the traces of an experiment those of a run that diverged; '' where nothing does."""
    for output in experiment.outputs:
        y = traces[experiment.id, output.id].y
        if output.variable == "v" and y.size and y.min() >= -MAX_ABS_V_MV and y.max() <= MAX_ABS_V_MV:
            continue  # with a NaN among them both would be NaN
        if not np.isfinite(y).all():
            return f"experiment '{experiment.id}': '{output.variable}' is not finite"
        if output.variable == "v" and np.abs(y).max(initial=0.0) > MAX_ABS_V_MV:
            return f"experiment '{experiment.id}': the voltage leaves [-250, 250] mV"
    return ""


class Backend(Protocol):
    """A simulator, imported on first use. Instances hold no state of a run and go to worker processes as they are."""

    @property
    def name(self) -> str:
        """Its name in the registry."""

    @property
    def offer(self) -> Offer:
        """What it has, whatever the cell."""

    def version(self) -> str:
        """Version of the simulator, from package metadata, without importing it. Raises BackendError if missing."""

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        """What of this cell and these experiments this backend cannot do."""

    def compile(self, cell: Cell, settings: Settings) -> Program:
        """Generate and build; cached by a digest of structure and settings, safe against concurrent builders.

        Raises BackendError (B...) when the compiler is missing or fails.
        """

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        """Run every experiment for every row of `values` (n_candidates, n_slots), in the slots' units.

        After the slots of the program come amplitudes that experiments leave free (`experiment.amplitudes`). Only binds
        numbers. One `Recordings` per row, in order; a row never depends on the others.
        """

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        """Write a self-contained folder that runs with nothing but this simulator; the files written.

        Raises ResultsError when the folder exists and is not empty.
        """


def row_by_row(
    backend: Backend, program: Program, experiments: Sequence[Experiment], values: Floats
) -> tuple[Recordings, ...]:
    """`simulate` where experiments leave amplitudes free, for a backend whose experiments are those of all rows."""
    found: list[Recordings] = []
    for row in np.atleast_2d(values):
        own, amplitudes = row[: len(program.slots)], row[len(program.slots) :].tolist()
        found += backend.simulate(program, with_amplitudes(experiments, amplitudes), own[np.newaxis])
    return tuple(found)


def refused_settings(backend: Backend, settings: Settings) -> tuple[Issue, ...]:
    """Settings that a backend has nothing for (codes B040-B042, B100, B101, B117)."""
    offer, has = backend.offer, backend.offer.title
    found = []
    if settings.numerics is not None and settings.numerics not in offer.numerics:
        found.append(
            Issue("B040", f"numerics '{settings.numerics}' does not exist in {has}", hint=_there(offer.numerics))
        )
    if settings.integrator is not None and settings.integrator not in offer.integrators:
        message = f"integrator '{settings.integrator}' does not exist in {has}"
        found.append(Issue("B041", message, hint=_there(offer.integrators)))
    if settings.accuracy is not None and Integrator.ADAPTIVE not in offer.integrators:
        hint = "set --dt instead, or --atol of cvode"
        found.append(Issue("B117", f"{has} has no adaptive steps, to which --accuracy belongs", hint=hint))
    if settings.tables and not offer.tables:
        found.append(Issue("B042", f"{has} has no tables of rates", hint="leave tables off"))
    if settings.gpu and not offer.gpu:
        found.append(Issue("B100", f"{has} does not run on a GPU here", hint="leave --gpu out"))
    if settings.threads > 1 and not offer.threads:
        hint = "leave --threads out; --workers sets the number of processes"
        found.append(Issue("B101", f"{has} uses one thread per process here", hint=hint))
    return tuple(found)


def _there(offered: Sequence[str]) -> str:
    return f"leave it out, or choose from: {', '.join(offered)}"
