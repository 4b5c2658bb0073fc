"""A backend without a simulator whose error is of first order in the step: what verification is tried on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from fake_backend import DURATION_MS, fake_cell, fake_experiment, fake_problem

from nmlopt.backend import DEFAULT_DT_MS, Floats, Offer, Program, Recordings, RunStatus, Settings, Trace
from nmlopt.errors import BackendError, Issue
from nmlopt.experiment.model import Experiment
from nmlopt.ir.model import Cell, Compartment, Geometry, Section, Span
from nmlopt.verify.model import Entrant, Subject


@dataclass(frozen=True)
class SteppedBackend:
    """Spikes at `times_ms` + `lag` * dt, bumps of `height_mV` on `rest_mV`.

    `marginal_below_ms`: one more spike at smaller steps. `flickers`: one more at every second halving. `status`: how
    every run ends. `issues`: what it refuses.
    """

    name: str
    times_ms: tuple[float, ...] = (30.0, 50.0, 70.0)
    lag: float = 2.0
    height_mV: float = 80.0
    rest_mV: float = -65.0
    marginal_below_ms: float = 0.0
    flickers: bool = False
    status: RunStatus = RunStatus.OK
    issues: tuple[Issue, ...] = ()
    is_missing: bool = False
    offer: Offer = field(default_factory=lambda: Offer("Stepped", "stepped", "pip install stepped"))

    def version(self) -> str:
        if self.is_missing:
            raise BackendError(Issue("B001", "the simulator 'stepped' is not installed"))
        return "1.0"

    def unsupported(self, cell: Cell, experiments: Sequence[Experiment]) -> tuple[Issue, ...]:
        return self.issues

    def compile(self, cell: Cell, settings: Settings) -> Program:
        return Program(self.name, cell, settings, f"{settings.dt_ms}", {}, Path())

    def simulate(self, program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
        if self.status is not RunStatus.OK:
            return (Recordings(self.status, {}, "on purpose"),)
        dt_ms = program.settings.dt_ms
        t_ms = np.arange(round(DURATION_MS / dt_ms) + 1) * dt_ms
        times = [t + self.lag * dt_ms for t in self.times_ms]
        is_odd = round(math.log2(DEFAULT_DT_MS / dt_ms)) % 2 == 1
        times += [88.0] if dt_ms < self.marginal_below_ms or (self.flickers and is_odd) else []
        y = np.full(len(t_ms), self.rest_mV)
        for time_ms in times:
            y += self.height_mV * np.exp(-(((t_ms - time_ms) / 0.6) ** 2))
        trace = Trace(t_ms, y)
        return (Recordings(RunStatus.OK, {(e.id, o.id): trace for e in experiments for o in e.outputs}),)

    def export(self, program: Program, experiments: Sequence[Experiment], folder: Path) -> tuple[Path, ...]:
        return ()


def stepped_subject() -> Subject:
    """The protocol and targets of the fake problem: a peak of 20 ± 2 mV, and a spike at 45 ms."""
    problem = fake_problem()
    values = np.array([[80.0, 0.0]])
    points = ((0.0, 0.0, 0.0, 20.0), (0.0, 20.0, 0.0, 20.0))
    geometry = Geometry(
        (Section("soma", points, -1, 0.0, 1, (0,)),),
        (Compartment(0, 0.5, 1.2566e-9),),
        (Span(0, 0, 0.0, 1.0),),
        (("all", (0,)),),
    )
    return Subject(
        replace(fake_cell(), geometry=geometry),
        (fake_experiment(),),
        problem.targets,
        problem.plan,
        problem.scoring,
        values,
    )


def entrants(*backends: SteppedBackend) -> tuple[Entrant, ...]:
    """Backends with the default step."""
    return tuple(Entrant(b, Settings().on(b.offer)) for b in backends)
