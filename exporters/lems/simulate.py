"""Runs programs in jNeuroML: the documents of a batch go into one LEMS file and one start of Java.

Candidates share nothing but the file: each has components, populations and tables of its own. A file that jNeuroML
cannot run is halved until the culprit stands alone.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from nmlopt.backend import Floats, Program, Recordings, RunStatus, Trace, divergence
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.lems.batch import Part, Unit, lems_file, parts
from nmlopt.exporters.lems.java import RunError, complaint, jneuroml
from nmlopt.exporters.lems.layout import for_jlems, for_neuron, is_isopotential
from nmlopt.exporters.lems.lems_file import text_of
from nmlopt.exporters.lems.neuron_run import run_in_neuron
from nmlopt.exporters.lems.pylems import PyLemsBackend
from nmlopt.exporters.lems.pylems_run import run_in_pylems

FILE: Final = "LEMS_run.xml"
_MOST_TOGETHER: Final = 64
_SLOWEST_STEPS_PER_S: Final = 200.0
"""Of one cell in jLEMS: a limit far below what any machine does."""

Traces: TypeAlias = dict[tuple[str, str], Trace]


def simulate(program: Program, experiments: Sequence[Experiment], values: Floats) -> tuple[Recordings, ...]:
    """One `Recordings` per row of `values`, in the slots' units."""
    rows = [tuple(row) for row in np.atleast_2d(np.asarray(values, dtype=np.float64)).tolist()]
    if not len(values):
        return ()
    units = [Unit(number, row, experiment) for number, row in enumerate(rows) for experiment in experiments]
    outcomes = _outcomes(program, units)
    return tuple(_recordings(experiments, [o for u, o in outcomes if u.row == row]) for row in range(len(rows)))


def _recordings(experiments: Sequence[Experiment], outcomes: Sequence[Traces | str]) -> Recordings:
    traces: Traces = {}
    for experiment, outcome in zip(experiments, outcomes, strict=True):
        if isinstance(outcome, str):
            return Recordings(RunStatus.FAILED, {}, f"experiment '{experiment.id}': {outcome}")
        traces |= outcome
    for experiment in experiments:
        trouble = divergence(experiment, traces)
        if trouble:
            return Recordings(RunStatus.DIVERGED, {}, trouble)
    return Recordings(RunStatus.OK, traces)


def _outcomes(program: Program, units: Sequence[Unit]) -> list[tuple[Unit, Traces | str]]:
    """What each unit gave; those that can stand in one file go together.

    jNeuroML's export to NEURON starts pools of all cells from one concentration: there each candidate goes alone.
    """
    is_jlems = is_isopotential(program.cell)
    made = parts(program, units, for_jlems(program) if is_jlems else for_neuron(program))
    together: defaultdict[tuple[str, float, int], list[int]] = defaultdict(list)
    for number, each in enumerate(made):
        row = 0 if is_jlems else each.unit.row
        together[each.copy.definitions, each.unit.experiment.temperature_K, row].append(number)
    found: dict[int, Traces | str] = {}
    for numbers in together.values():
        for start in range(0, len(numbers), _MOST_TOGETHER):
            chosen = numbers[start : start + _MOST_TOGETHER]
            found |= zip(chosen, _tried(program, [made[k] for k in chosen]), strict=True)
    return [(unit, found[number]) for number, unit in enumerate(units)]


def _tried(program: Program, chosen: Sequence[Part]) -> list[Traces | str]:
    """The traces of parts in one run; where it fails, of its halves, until the culprit stands alone."""
    try:
        return _ran(program, chosen)
    except RunError as error:
        if len(chosen) == 1:
            return [str(error)]
    half = len(chosen) // 2
    return [*_tried(program, chosen[:half]), *_tried(program, chosen[half:])]


def _ran(program: Program, chosen: Sequence[Part]) -> list[Traces | str]:
    """Raises RunError."""
    made = lems_file(program, chosen)
    compartments = 1 if program.cell.geometry is None else len(program.cell.geometry.compartments)
    limit_s = len(chosen) * compartments * made.duration_ms / made.dt_ms / _SLOWEST_STEPS_PER_S
    with tempfile.TemporaryDirectory(prefix="nmlopt-lems-") as name:
        folder = Path(name)
        (folder / FILE).write_text(text_of(made), encoding="utf-8")
        if program.backend == PyLemsBackend.name:
            said = run_in_pylems(folder, FILE, limit_s)
        elif is_isopotential(program.cell):
            said = jneuroml(folder, [FILE, "-nogui"], limit_s)
        else:
            said = run_in_neuron(folder, FILE, _places(chosen), limit_s)
        tables = [read_table(folder / p.table.file, said) for p in chosen]
    first = 1 if program.backend == PyLemsBackend.name else 0
    return [traces_of(p, table, made.dt_ms, first=first) for p, table in zip(chosen, tables, strict=True)]


def _places(chosen: Sequence[Part]) -> dict[str, float]:
    """The recordings that are not at the middle of a segment, as `run_in_neuron` takes them."""
    return {
        f"{part.table.columns[column - 1].id}_{part.table.id}": reading.corrected
        for part in chosen
        for reading in part.readings
        if reading.corrected is not None
        for column in reading.columns
    }


def read_table(path: Path, said: str) -> Floats:
    """The table that a run wrote. Raises RunError with what jNeuroML `said` if there is none."""
    if not path.is_file():
        raise RunError(f"no table was written: {complaint(said)}")
    return np.loadtxt(path, ndmin=2, dtype=np.float64)


def traces_of(part: Part, table: Floats, dt_ms: float, *, first: int = 0) -> Traces:
    """The traces of a part. Times are counted in steps, as jLEMS prints them in single precision.

    `first`: after how many steps the states of the first row hold; pyLEMS writes them as they are after a step.
    """
    experiment = part.unit.experiment
    count = min(len(table) - 1, round(experiment.duration_ms / dt_ms) + 1 - first)
    t_ms = dt_ms * np.arange(first, first + count, dtype=np.float64)
    found: Traces = {}
    for reading in part.readings:
        rows = slice(reading.late, reading.late + count)
        y = reading.factor * sum((table[rows, k] for k in reading.columns), np.zeros(count))
        found[experiment.id, reading.output.id] = Trace(t_ms, y)
    return found
