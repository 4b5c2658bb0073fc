"""Runs LEMS_case.xml in nmlopt: at the file's step and at half of it, extrapolated to a step of zero."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nmlopt.backend import Integrator, Numerics, Recordings, RunStatus, Settings, refused_settings
from nmlopt.document.read import read
from nmlopt.errors import UnsupportedError, raise_errors
from nmlopt.exporters import registry
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.importers.simulation_model import Above, Column, LemsSimulation, Recorded
from tests.conformance.judge import Trace, extrapolated
from tests.conformance.results import Result, measured
from tests.conformance.suite import Case


def run(case: Case, *, backend: str = "neuron", numerics: str | None = "cnexp") -> Result:
    """The case's quantities; 'refused' with nmlopt's own words if it does not support something.

    `numerics` None: the backend's own.
    """
    try:
        simulation, style = read_simulation(read(case.lems)), None if numerics is None else Numerics(numerics)
        fixed = Integrator.FIXED if Integrator.FIXED in registry.load(backend).offer.integrators else None
        coarse, fine = (
            measured(case, columns(simulation, backend, Settings(simulation.step_ms / n, style, fixed))) for n in (1, 2)
        )
    except UnsupportedError as error:
        return Result(status="refused", message=_said(error))
    except Exception as error:  # whatever a simulator dies of is its result
        return Result(status="error", message=_said(error))
    return Result(extrapolated(coarse, fine))


def columns(simulation: LemsSimulation, backend: str, settings: Settings) -> dict[str, Trace]:
    """All columns of a simulation's output files, by id, in SI."""
    found = recorded_columns(simulation, backend, settings)
    return {c.id: _shown(c, found[c.id]) for file in simulation.files for c in file.columns}


def recorded_columns(simulation: LemsSimulation, backend: str, settings: Settings) -> dict[str, Trace]:
    """The same, but for what says whether a quantity is above a level: the quantity itself."""
    simulator = registry.load(backend)
    found: dict[str, Recordings] = {}
    refused = [i for part in simulation.runs for i in simulator.unsupported(part.cell, part.experiments)]
    raise_errors((*refused_settings(simulator, settings), *refused), UnsupportedError)
    for part in simulation.runs:
        program = simulator.compile(part.cell, settings)
        (recordings,) = simulator.simulate(program, part.experiments, np.zeros((1, 0)))
        if recordings.status is not RunStatus.OK:
            raise RuntimeError(f"{recordings.status}: {recordings.detail}")
        found |= {experiment.id: recordings for experiment in part.experiments}
    return {column.id: _column(column, found) for file in simulation.files for column in file.columns}


def _column(column: Column, found: Mapping[str, Recordings]) -> Trace:
    signal = column.signal
    recorded = signal.of if isinstance(signal, Above) else signal
    if not isinstance(recorded, Recorded):
        raise ValueError(f"column '{column.id}' is a {type(signal).__name__}, which cases do not use")
    trace = found[recorded.experiment].traces[recorded.experiment, recorded.output]
    return Trace(1e-3 * trace.t_ms, trace.y if isinstance(signal, Above) else recorded.factor * trace.y)


def _shown(column: Column, trace: Trace) -> Trace:
    signal = column.signal
    return Trace(trace.times_s, (trace.values > signal.level).astype(float)) if isinstance(signal, Above) else trace


def _said(error: Exception) -> str:
    return " | ".join((type(error).__name__, *str(error).split("\n")))
