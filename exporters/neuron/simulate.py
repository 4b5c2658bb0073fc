"""Runs programs in NEURON. The only module that imports the simulator.

NEURON is one per process: all sections that exist are simulated together. So this module holds, as the one exception
to 'no global state', the program that is alive in this process; asking for another one replaces it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nmlopt.backend import Floats, Integrator, Program, Recordings, RunStatus, Settings, Trace, divergence
from nmlopt.errors import BackendError, Issue
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.neuron.attached import Attachments
from nmlopt.exporters.neuron.build import library
from nmlopt.exporters.neuron.live import LiveCell
from nmlopt.exporters.neuron.mod import Plan
from nmlopt.exporters.neuron.quiet import quiet
from nmlopt.exporters.neuron.rig import Rig

_MAX_STEP_MS = 1e9
"""psolve exchanges spikes at this interval; one cell alone has none to exchange."""


class _Alive:
    """What lives in this process: the loaded libraries, one cell, one rig."""

    loaded: ClassVar[set[Path]] = set()
    digest: str = ""
    cell: LiveCell | None = None
    rig: Rig | None = None


@lru_cache(maxsize=1)
def _neuron() -> Any:
    """NEURON's interpreter, set up once: no window, no banner."""
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui -nobanner")
    from neuron import h

    return h


@lru_cache(maxsize=1)
def _context() -> Any:
    return _neuron().ParallelContext()


@lru_cache(maxsize=1)
def _cvode() -> Any:
    return _neuron().CVode()


def simulate(program: Program, plan: Plan, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
    """One `Recordings` per row of `values`, in the slots' units."""
    with quiet():
        return _simulate(program, plan, experiments, values)


def _simulate(
    program: Program, plan: Plan, experiments: Sequence[Experiment], values: Floats
) -> tuple[Recordings, ...]:
    live = _live(program, plan)
    rig = _rig(live, tuple(experiments), program.settings)
    _configure(program.settings)
    units = [slot.unit for slot in program.slots]
    return tuple(
        _candidate(live, rig, [unit.to_si(x) for unit, x in zip(units, row, strict=True)], program.settings)
        for row in np.atleast_2d(np.asarray(values, dtype=np.float64)).tolist()
    )


def _live(program: Program, plan: Plan) -> LiveCell:
    if _Alive.cell is not None and _Alive.digest == program.digest:
        return _Alive.cell
    release()
    h = _neuron()
    _load(h, program.folder, bool(plan.parts))
    _Alive.cell = LiveCell(h, program.cell, plan)
    _Alive.digest = program.digest
    return _Alive.cell


def release() -> None:
    """Remove the cell that is alive in this process, if any."""
    _Alive.rig = None
    _Alive.cell = None
    _Alive.digest = ""


def _load(h: Any, folder: Path, needed: bool) -> None:
    if not needed or folder in _Alive.loaded:
        return
    found = library(folder)
    if found is None:
        raise BackendError(
            Issue("B005", "the compiled mechanisms are gone", str(folder), "compile again: the cache was emptied")
        )
    h.nrn_load_dll(str(found))
    _Alive.loaded.add(folder)


def _rig(live: LiveCell, experiments: tuple[Experiment, ...], settings: Settings) -> Rig:
    rig = _Alive.rig
    if rig is not None and rig.settings == settings and (
        rig.experiments is experiments or rig.experiments == experiments
    ):  # fmt: skip
        return rig
    _Alive.rig = None
    _Alive.rig = Rig(_neuron(), live, experiments, settings)
    return _Alive.rig


def _configure(settings: Settings) -> None:
    cvode = _cvode()
    variable = settings.integrator is Integrator.CVODE
    cvode.active(1 if variable else 0)
    if variable:
        cvode.use_local_dt(0)
        cvode.atol(settings.atol)
        cvode.rtol(0.0)
    h = _neuron()
    h.secondorder = 0
    h.dt = settings.dt_ms
    _context().set_maxstep(_MAX_STEP_MS)


def _candidate(live: LiveCell, rig: Rig, slots: Sequence[float], settings: Settings) -> Recordings:
    """All experiments of one candidate; the first that fails ends it."""
    traces: dict[tuple[str, str], Trace] = {}
    bound_at: float | None = None
    for index, experiment in enumerate(rig.experiments):
        try:
            if bound_at != experiment.temperature_K:
                live.bind(slots, experiment.temperature_K)
                bound_at = experiment.temperature_K
            rig.select(index)
            live.set_voltage(experiment.v_init_mV, slots)
            reached_ms = _run(experiment, settings, rig.attached)
        except (RuntimeError, ValueError) as error:  # hoc errors; numbers NEURON refuses, such as Ra <= 0
            return Recordings(RunStatus.FAILED, detail=f"experiment '{experiment.id}': {_one_line(error)}")
        if reached_ms < experiment.duration_ms - settings.dt_ms:
            return Recordings(RunStatus.DIVERGED, detail=f"experiment '{experiment.id}' ended at {reached_ms:g} ms")
        recorded = rig.traces(index)
        trouble = divergence(experiment, recorded)
        if trouble:
            return Recordings(RunStatus.DIVERGED, detail=trouble)
        traces |= recorded
    return Recordings(RunStatus.OK, traces)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _run(experiment: Experiment, settings: Settings, attached: Attachments) -> float:
    """Initialise and run; the time reached, which is short of the duration when CVODE gives up."""
    h = _neuron()
    h.celsius = experiment.temperature_K - 273.15
    h.dt = settings.dt_ms
    h.finitialize()
    attached.deliver()
    _context().psolve(experiment.duration_ms)
    return float(h.t)
