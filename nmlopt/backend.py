"""The contract between the rest of nmlopt and a simulator: compile once, simulate batches of candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nmlopt.errors import Issue
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
    """FIXED: NEURON's implicit Euler with step dt. CVODE: variable step and order."""

    FIXED = "fixed"
    CVODE = "cvode"


@dataclass(frozen=True, slots=True)
class Settings:
    """Run settings. `numerics` and `tables` shape the generated text, the others are bound at run time.

    `dt_ms`: fixed step. `atol`: CVODE's absolute tolerance. `tables`: tabulated rates (faster search, small error).
    """

    dt_ms: float = DEFAULT_DT_MS
    numerics: Numerics = Numerics.CNEXP
    integrator: Integrator = Integrator.FIXED
    tables: bool = False
    atol: float = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A compiled cell: texts, their digest, and the folder in which they were built. Picklable.

    Programs of one backend with one digest are equal: all but the present values of the slots is the same, and
    comparing cells with thousands of compartments would cost more than a run.
    """

    backend: str
    cell: Cell
    settings: Settings
    digest: str
    files: Mapping[str, str]
    folder: Path

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
        if not np.isfinite(y).all():
            return f"experiment '{experiment.id}': '{output.variable}' is not finite"
        if output.variable == "v" and np.abs(y).max(initial=0.0) > MAX_ABS_V_MV:
            return f"experiment '{experiment.id}': the voltage leaves [-250, 250] mV"
    return ""


class Backend(Protocol):
    """A simulator. Instances hold no state of a run and can be pickled; simulators are imported on first use."""

    name: str

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

        Only binds numbers. One `Recordings` per row, in order; a row never depends on the others.
        """

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        """Write a self-contained folder that runs with nothing but this simulator; the files written.

        Raises ResultsError when the folder exists and is not empty.
        """
