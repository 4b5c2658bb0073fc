"""A backend without a simulator, and a problem on it: traces follow from two numbers by formula.

Slot 0 is the height of a bump in mV. Slot 1 is the number of a fault (see `Fault`), 0 for none. Worker processes
import this module by its name.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import numpy as np

from nmlopt.backend import Floats, Offer, Program, Recordings, RunStatus, Settings, Trace
from nmlopt.errors import BackendError, Issue
from nmlopt.evaluate.model import Problem
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.experiment.parameters import Binding, FreeParameter, Parameters
from nmlopt.features.plan import make_plan
from nmlopt.ir.model import Cell, Geometry, Site, Slot
from nmlopt.spec.models import Targets
from nmlopt.units import DIMENSIONLESS, core_units

DURATION_MS = 100.0
SITE = Site(section=0, x=0.5, compartment=0)
OFFER = Offer("the fake", "nmlopt", "pip install nmlopt")


class Fault(IntEnum):
    """What a candidate does to the process in which it is simulated."""

    NONE = 0
    EXCEPTION = 1
    NAN_TRACE = 2
    DIVERGED = 3
    EXIT_0 = 4
    EXIT_3 = 5
    SEGMENTATION_FAULT = 6
    BUSY_LOOP = 7
    SLEEP = 8
    OUT_OF_MEMORY = 9
    KILLED = 10
    INSTALLATION = 11
    SYSTEM_EXIT = 12


SAID = {
    Fault.NONE: (RunStatus.OK, ""),
    Fault.EXCEPTION: (RunStatus.FAILED, "ArithmeticError: g must be positive"),
    Fault.NAN_TRACE: (RunStatus.DIVERGED, "not finite"),
    Fault.DIVERGED: (RunStatus.DIVERGED, "not finite"),
    Fault.EXIT_0: (RunStatus.CRASHED, "exit code 0"),
    Fault.EXIT_3: (RunStatus.CRASHED, "exit code 3"),
    Fault.SYSTEM_EXIT: (RunStatus.CRASHED, "exit code 0"),
    Fault.SEGMENTATION_FAULT: (RunStatus.CRASHED, "SIGSEGV"),
    Fault.KILLED: (RunStatus.CRASHED, "memory ran out"),
    Fault.BUSY_LOOP: (RunStatus.TIMED_OUT, "more than 0.2 s of CPU time"),
    Fault.SLEEP: (RunStatus.TIMED_OUT, "did not end within 4 s"),
    Fault.OUT_OF_MEMORY: (RunStatus.FAILED, "MemoryError"),
}
"""The status of a candidate with a fault, and text of its detail, with 0.2 s of CPU time and 4 s by the clock."""


def commit(fault: Fault) -> None:
    """Do what the fault says, as far as it does not lie in the recordings."""
    match fault:
        case Fault.EXCEPTION:
            raise ArithmeticError("g must be positive")
        case Fault.EXIT_0 | Fault.EXIT_3:
            os._exit(0 if fault is Fault.EXIT_0 else 3)
        case Fault.SEGMENTATION_FAULT | Fault.KILLED:
            os.kill(os.getpid(), signal.SIGSEGV if fault is Fault.SEGMENTATION_FAULT else signal.SIGKILL)
        case Fault.BUSY_LOOP:
            while True:
                pass
        case Fault.SLEEP:
            time.sleep(3600.0)
        case Fault.OUT_OF_MEMORY:
            raise MemoryError
        case Fault.INSTALLATION:
            raise BackendError(Issue("B005", "the compiled mechanisms are gone"))
        case Fault.SYSTEM_EXIT:
            raise SystemExit(0)


@dataclass(frozen=True)
class FakeBackend:
    """Traces of `samples` points; `pause_s` is slept in each candidate; `start_fault` is committed while set up."""

    samples: int = 400
    pause_s: float = 0.0
    start_fault: Fault = Fault.NONE
    name: str = "fake"
    offer: Offer = OFFER

    def version(self) -> str:
        return "1.0"

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        return ()

    def compile(self, cell: Cell, settings: Settings) -> Program:
        return Program(self.name, cell, settings, "digest", {}, Path())

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        if not len(values):
            commit(self.start_fault)
        return tuple(self._candidate(experiments, *row) for row in values.tolist())

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        return ()

    def _candidate(self, experiments: Sequence[Experiment], height: float, number: float) -> Recordings:
        time.sleep(self.pause_s)
        fault = Fault(int(number))
        commit(fault)
        if fault is Fault.DIVERGED:
            return Recordings(RunStatus.DIVERGED, {}, "experiment 'step': 'v' is not finite")
        t_ms = np.linspace(0.0, DURATION_MS, self.samples)
        y = -65.0 + height * np.exp(-(((t_ms - 50.0) / 5.0) ** 2))
        if fault is Fault.NAN_TRACE:
            y[-1] = np.nan
        return Recordings(RunStatus.OK, {(e.id, o.id): Trace(t_ms, y) for e in experiments for o in e.outputs})


@dataclass(frozen=True)
class LeakyBackend(FakeBackend):
    """Dies of what has piled up in its process at every seventh candidate, whichever that is."""

    simulated: list[float] = field(default_factory=list, compare=False)

    def _candidate(self, experiments: Sequence[Experiment], height: float, number: float) -> Recordings:
        self.simulated.append(height)
        if len(self.simulated) == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._candidate(experiments, height, number)


TARGETS = {
    "format": "nmlopt-targets",
    "format_version": "1.0",
    "id": "fake",
    "parameters": [
        {"id": "height", "paths": ["cell:fake/a"], "lower": "0 mV", "upper": "200 mV"},
        {"id": "fault", "paths": ["cell:fake/b"], "lower": "0", "upper": "20"},
    ],
    "protocols": [
        {
            "id": "step",
            "duration": f"{DURATION_MS} ms",
            "stimuli": [{"type": "pulse", "delay": "20 ms", "duration": "60 ms", "amplitude": "1 nA"}],
            "recordings": [{"id": "soma"}],
        }
    ],
    "targets": [
        {"type": "feature", "id": "peak", "protocol": "step", "recording": "soma", "feature": "maximum_voltage",
         "mean": 20.0, "sd": 2.0},
        {"type": "spike_times", "id": "spike", "protocol": "step", "recording": "soma", "times": ["45 ms"]},
    ],
}  # fmt: skip


def fake_cell() -> Cell:
    """A cell with two slots, a height in mV and the number of a fault, and a geometry of nothing."""
    slots = (Slot("cell:fake/a", core_units().unit("mV"), 80.0), Slot("cell:fake/b", DIMENSIONLESS, 0.0))
    return Cell("fake", "cell", slots, Geometry((), (), (), ()), (), ())


def fake_experiment() -> Experiment:
    """The protocol of TARGETS, resolved."""
    return Experiment("step", DURATION_MS, 279.45, (Pulse(SITE, 20.0, 60.0, 1.0),), (Output("soma", SITE),))


def fake_problem(backend: FakeBackend | None = None, targets: dict | None = None) -> Problem:
    """A problem of two free parameters: a height in mV (linear, 0 to 200), and the number of a fault."""
    backend = backend or FakeBackend()
    spec = Targets.model_validate(targets or TARGETS)
    cell, experiments = fake_cell(), (fake_experiment(),)
    bounds = ((0.0, 200.0), (0.0, 20.0))
    free = tuple(
        FreeParameter(p.id, slot.unit, *limits, "linear", slot.default)
        for p, slot, limits in zip(spec.parameters, cell.slots, bounds, strict=True)
    )
    bindings = tuple(Binding(slot, slot.unit, i, None, free[i].id) for i, slot in enumerate(cell.slots))
    plan = make_plan(spec, cell, experiments, Path())
    program = backend.compile(cell, Settings())
    return Problem(backend, program, experiments, Parameters(free, bindings), spec, plan)


def candidates(*faults: Fault) -> Floats:
    """One candidate per fault, each of another height."""
    heights = 60.0 + 40.0 * np.arange(len(faults)) / max(1, len(faults) - 1)
    return np.column_stack([heights, np.array(faults, dtype=np.float64)])
