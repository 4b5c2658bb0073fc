"""Runs the LEMS file of a published case by our importer and the NEURON backend."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omv_cases import CaseError, Observable, OmvCase, Written

from nmlopt.api.lems_running import LemsRun, prepare_lems, run_lems
from nmlopt.api.problem import Options
from nmlopt.backend import Numerics, Settings
from nmlopt.document.model import Document
from nmlopt.document.read import read
from nmlopt.errors import DocumentError, Severity
from nmlopt.importers.lems_simulation import read_simulation


@dataclass(frozen=True)
class Outcome:
    """A run: what it wrote as jNeuroML would have, the run itself, and the CPU time (s) of simulating."""

    written: Written
    run: LemsRun
    target: Path
    cpu_s: float


def document_of(case: OmvCase, folder: Path) -> Document:
    """The case's document; includes may lead anywhere below the folder of all cases."""
    try:
        return read(case.target, root=folder)
    except DocumentError as error:
        if all(issue.code != "D008" for issue in error.issues):
            raise
    return read(case.target)


def step_ms(case: OmvCase, folder: Path) -> float:
    """The step that the LEMS file asks for. Raises NmloptError."""
    return read_simulation(document_of(case, folder), unrecordable=Severity.WARNING).step_ms


def run_ours(case: OmvCase, folder: Path, numerics: Numerics, dt_ms: float | None = None) -> Outcome:
    """Run the unmodified LEMS file, by default with its own step. Raises NmloptError."""
    options = Options(settings=Settings(numerics=numerics))
    prepared = prepare_lems(document_of(case, folder), options, dt_ms=dt_ms, unrecordable=Severity.WARNING)
    before = _cpu_s()
    done = run_lems(prepared)
    cpu_s = _cpu_s() - before
    beside = case.target.parent
    tables = {_path(beside, f.name): done.playback.table(f) for f in done.simulation.files}
    events = {
        _path(beside, f.name): [(_number(i), t) for t, i in done.playback.events(f)] for f in done.simulation.events
    }
    return Outcome(Written(tables, events), done, case.target, cpu_s)


def curve(outcome: Outcome, case: OmvCase, item: Observable) -> tuple[np.ndarray, np.ndarray]:
    """The scaled times and values behind an observable, with every sample the simulator gave. Raises CaseError."""
    given = item.given.get("file")
    if not given:
        raise CaseError("the observable names no table")
    wanted = _path(case.omt.parent, str(given["path"]).strip())
    _, column = given.get("columns", (0, 1))
    t_scale, y_scale = given.get("scaling", (1.0, 1.0))
    for file in outcome.run.simulation.files:
        if _path(outcome.target.parent, file.name) == wanted:
            t_ms, y = outcome.run.playback.curve(file.columns[int(column) - 1].signal)
            return t_ms / 1000.0 * float(t_scale), y * float(y_scale)
    raise CaseError(f"the simulation writes no file '{given['path']}'")


def _path(folder: Path, name: str) -> Path:
    return Path(os.path.normpath(folder / name))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise CaseError(f"the id '{text}' of an EventSelection is no number") from error


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
