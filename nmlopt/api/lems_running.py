"""Running a LEMS simulation: the same files as jNeuroML writes, and pictures of its displays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from nmlopt.api.lems_playback import Playback
from nmlopt.api.problem import Options, read_model
from nmlopt.api.steps import refused_steps
from nmlopt.backend import Backend, Program, Trace, refused_settings
from nmlopt.document.model import Document
from nmlopt.errors import Issue, Severity, SimulationError, UnsupportedError, raise_errors
from nmlopt.exporters import registry
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.importers.simulation_model import Display, LemsSimulation
from nmlopt.results.files import require_empty
from nmlopt.results.simulation_files import Curve, Picture, write_simulation


@dataclass(frozen=True, slots=True)
class LemsRun:
    """A simulation and what it gave."""

    simulation: LemsSimulation
    playback: Playback


@dataclass(frozen=True, slots=True)
class Prepared:
    """A simulation whose cells are compiled, and the step it will take."""

    simulation: LemsSimulation
    backend: Backend
    programs: tuple[Program, ...]
    dt_ms: float


def prepare_lems(
    document: Document, options: Options, *, dt_ms: float | None = None, unrecordable: Severity = Severity.ERROR
) -> Prepared:
    """Read a simulation and compile its cells, by default for its own step.

    Raises what `read_simulation` raises, UnsupportedError (B...), BackendError.
    """
    simulation = read_simulation(document, step_ms=dt_ms, unrecordable=unrecordable)
    settings = replace(options.settings, dt_ms=simulation.step_ms)
    backend = registry.load(options.backend)
    backend.version()
    issues = [issue for run in simulation.runs for issue in backend.unsupported(run.cell, run.experiments)]
    steps = [i for run in simulation.runs for i in refused_steps(run.experiments, settings)]
    raise_errors((*refused_settings(backend, settings), *steps, *issues), UnsupportedError)
    programs = tuple(backend.compile(run.cell, settings) for run in simulation.runs)
    return Prepared(simulation, backend, programs, simulation.step_ms)


def run_lems(prepared: Prepared) -> LemsRun:
    """Run a simulation in memory. Raises SimulationError S050 if it does not come to its end."""
    simulation = prepared.simulation
    traces: dict[tuple[str, str], Trace] = {}
    for run, program in zip(simulation.runs, prepared.programs, strict=True):
        (found,) = prepared.backend.simulate(program, run.experiments, np.zeros((1, 0)))
        if found.status != "ok":
            message = f"the simulation of '{run.cell.id}' ended as '{found.status}': {found.detail}"
            raise SimulationError(Issue("S050", message, hint=found.status.advice))
        traces |= found.traces
    return LemsRun(simulation, Playback(traces, simulation.duration_ms, prepared.dt_ms))


def simulate_lems(
    model: Path, out: Path | None, options: Options, *, dt_ms: float | None = None
) -> tuple[tuple[Path, ...], tuple[Issue, ...]]:
    """Run a LEMS simulation and write its files below `out` (default: `<model>_results` in the working folder).

    Returns the files written and what was remarked. Raises as `prepare_lems` and `run_lems`, SimulationError S023, and
    ResultsError R001 if `out` is not empty.
    """
    folder = Path(f"{model.stem}_results") if out is None else out
    require_empty(folder)
    prepared = prepare_lems(read_model(model, options), options, dt_ms=dt_ms)
    simulation = prepared.simulation
    names = _names(simulation)
    playback = run_lems(prepared).playback
    tables = {names[k]: playback.table(file) for k, file in enumerate(simulation.files)}
    first = len(simulation.files)
    events = {
        names[first + k]: [(t, i) if file.format == "TIME_ID" else (i, t) for t, i in playback.events(file)]
        for k, file in enumerate(simulation.events)
    }
    pictures = [_picture(display, playback) for display in simulation.displays if display.lines]
    files = write_simulation(folder, tables, events, pictures)
    return files, (*simulation.issues, *dict.fromkeys(i for p in prepared.programs for i in p.issues))


def _names(simulation: LemsSimulation) -> list[str]:
    """Relative names of all files, below any folder: steps upwards are left out. Raises SimulationError S023."""
    written = [f.name for f in simulation.files] + [f.name for f in simulation.events]
    names = [_inside(name) for name in written]
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        message = f"two output files would both be '{twice[0]}'"
        raise SimulationError(Issue("S023", message, simulation.document.main, "give each fileName a name of its own"))
    return names


def _inside(name: str) -> str:
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    return PurePosixPath(*parts).as_posix() if parts else "output.dat"


def _picture(display: Display, playback: Playback) -> Picture:
    curves = []
    for line in display.lines:
        t_ms, y = playback.curve(line.signal)
        curves.append(Curve(line.id, t_ms / 1000.0 / display.time_scale, y / line.scale, line.colour))
    return Picture(display.id, display.title, f"time ({display.time_unit})", display.limits, tuple(curves))
