"""Runs batches in a compiled kernel: one call for all candidates and experiments, the interpreter lock released."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from nmlopt.backend import Floats, Program, Recordings, RunStatus, Trace, divergence
from nmlopt.errors import BackendError, Issue
from nmlopt.experiment.amplitudes import amplitude_slots
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.native.accuracy import Steps, most_samples, steps_of, stride_of
from nmlopt.exporters.native.bind import Binding
from nmlopt.exporters.native.generic import model_of
from nmlopt.exporters.native.interface import TablesC, address_of, job_type, kernel_library
from nmlopt.exporters.native.settling import branches
from nmlopt.exporters.native.shapes import shape_structure
from nmlopt.exporters.native.source import Kernel
from nmlopt.exporters.native.stimuli import Prepared, is_current, prepare
from nmlopt.exporters.native.tables import shared_tables
from nmlopt.ir.model import Cell

CROSSINGS_EXPECTED = 512
"""Resets of a point cell for which there is room at first."""
MOST_BYTES = 256 * 1024 * 1024
"""Of recordings in one call; larger batches go in several."""


Key = tuple[str, str]
"""Experiment id, output id."""


@dataclass(frozen=True)
class _Row:
    """A candidate: its numbers (SI) by temperature and its amplitudes, or what makes it impossible."""

    numbers: dict[float, Floats]
    amplitudes: Sequence[float]
    fault: str


@dataclass(frozen=True)
class _Job:
    """One experiment for up to `lanes` rows, with their numbers (numbers, lanes) and the room for what it records.

    `amplitudes` (currents, lanes): where candidates have their own.
    Of a cell with compartments: `times` (1, samples), `values` (samples, outputs, lanes). Of a point cell: `times`
    (1 + rows, samples), the first for all, the others for rows with resets; `values` (rows, outputs, samples).
    """

    experiment: int
    rows: tuple[int, ...]
    numbers: Floats
    amplitudes: Floats | None
    times: Floats
    values: Floats
    room: int


@dataclass(frozen=True)
class _Call:
    """What all jobs of a call share."""

    program: Program
    lanes: int
    shape: Prepared
    experiments: Sequence[Experiment]
    prepared: Sequence[Prepared]
    steps: Steps
    tables: Mapping[float, TablesC | None]
    """Of rates, by temperature (K)."""


def simulate(
    program: Program, kernel: Kernel, experiments: Sequence[Experiment], values: Floats
) -> tuple[Recordings, ...]:
    """One `Recordings` per row of `values`: slots in their units, then the amplitudes that experiments leave free."""
    binding = _binding(program, kernel)
    given = np.atleast_2d(np.asarray(values, dtype=np.float64)).tolist()
    steps = steps_of(program.cell, program.settings)
    prepared = [prepare(program.cell, kernel.parts, binding.shape, e, steps) for e in experiments]
    tables = {
        t: shared_tables(program, kernel, binding, steps, t) for t in sorted({e.temperature_K for e in experiments})
    }
    shape = shape_structure(binding.shape, model_of(program, kernel))
    call = _Call(program, kernel.layout.candidates, shape, experiments, prepared, steps, tables)
    found: list[Recordings] = []
    for chunk in _chunks(program.cell, given, experiments, steps, kernel.layout.candidates):
        found += _run(call, [_row(binding, program, candidate, experiments) for candidate in chunk])
    return tuple(found)


@lru_cache(maxsize=4)
def _binding(program: Program, kernel: Kernel) -> Binding:
    return Binding(program.cell, kernel)


def _chunks(
    cell: Cell, given: list[list[float]], experiments: Sequence[Experiment], steps: Steps, lanes: int
) -> Iterator[list[list[float]]]:
    each = sum(8 * most_samples(cell, e, steps) * (1 + len(e.outputs)) for e in experiments)
    size = max(lanes, int(MOST_BYTES / max(each, 1)) // lanes * lanes)
    for start in range(0, len(given), size):
        yield given[start : start + size]


def _row(binding: Binding, program: Program, given: Sequence[float], experiments: Sequence[Experiment]) -> _Row:
    slots = [slot.unit.to_si(x) for slot, x in zip(program.slots, given, strict=False)]
    amplitudes = given[len(slots) :]
    assert len(slots) == len(program.slots) and len(amplitudes) == len(amplitude_slots(experiments))
    numbers = {t: binding.bind(slots, t) for t in dict.fromkeys(e.temperature_K for e in experiments)}
    fault = next((text for found in numbers.values() if (text := binding.fault(found))), "")
    chains = binding.shape.chains
    placed = {t: chains.numbers(found) for t, found in numbers.items()} if chains else numbers
    return _Row(placed, amplitudes, fault)


def _run(call: _Call, rows: Sequence[_Row]) -> list[Recordings]:
    able = [k for k, row in enumerate(rows) if not row.fault]
    groups = [tuple(able[k : k + call.lanes]) for k in range(0, len(able), call.lanes)]
    rooms = _rooms(call, groups)
    jobs = [_job(call, rows, index, group, next(rooms)) for group in groups for index in range(len(call.experiments))]
    traces: dict[int, dict[Key, Trace]] = {k: {} for k in able}
    troubles = {k: row.fault for k, row in enumerate(rows) if row.fault}
    status = dict.fromkeys(troubles, RunStatus.FAILED)
    for job, ended in _ended(call, jobs):
        for row, found, trouble in _told(call, job, ended):
            traces[row] |= found
            if trouble and row not in troubles:  # the first experiment that failed tells why
                troubles[row], status[row] = trouble, RunStatus.DIVERGED
    return [
        Recordings(status[k], detail=troubles[k]) if k in troubles else Recordings(RunStatus.OK, traces[k])
        for k in range(len(rows))
    ]


_Room = tuple[Floats, Floats, int]
"""Times, values and room of a job."""


def _job(call: _Call, rows: Sequence[_Row], index: int, group: tuple[int, ...], room: _Room) -> _Job:
    experiment = call.experiments[index]
    columns = [rows[k].numbers[experiment.temperature_K] for k in group]
    columns += [columns[-1]] * (call.lanes - len(columns))  # the last row fills what is left
    numbers = np.stack(columns, axis=1) if call.lanes > 1 else columns[0]
    amplitudes = _amplitudes(call, [rows[k].amplitudes for k in group], index)
    return _Job(index, group, numbers, amplitudes, *room)


def _amplitudes(call: _Call, given: Sequence[Sequence[float]], index: int) -> Floats | None:
    """Amplitudes of all currents for each lane, those of the experiment and those of the candidates."""
    experiment = call.experiments[index]
    if not experiment.free_amplitudes:
        return None
    columns = {i: n for n, (k, i) in enumerate(amplitude_slots(call.experiments)) if k == index}
    lanes = [*given, *[given[-1]] * (call.lanes - len(given))]
    return np.array([
        [lane[columns[i]] if i in columns else getattr(stimulus, "amplitude", 0.0) for lane in lanes]
        for i, stimulus in enumerate(experiment.stimuli)
        if is_current(stimulus)
    ])  # fmt: skip


def _rooms(call: _Call, groups: Sequence[tuple[int, ...]]) -> Iterator[_Room]:
    """The room of each job, by group and experiment; untouched parts cost nothing, and all of cells with compartments
    comes in one piece, from which traces are copied."""
    if call.program.cell.geometry is None:
        yield from (_point_room(call, e, len(group), CROSSINGS_EXPECTED) for group in groups for e in call.experiments)
        return
    capacities = [most_samples(call.program.cell, e, call.steps) for e in call.experiments]
    shapes = [(n, len(e.outputs), call.lanes) for n, e in zip(capacities, call.experiments, strict=True)]
    piece = np.empty(len(groups) * sum(n * (1 + outputs * lanes) for n, outputs, lanes in shapes))
    start = 0
    for _ in groups:
        for n, outputs, lanes in shapes:
            middle, end = start + n, start + n * (1 + outputs * lanes)
            yield piece[start:middle].reshape(1, n), piece[middle:end].reshape(n, outputs, lanes), 0
            start = end


def _point_room(call: _Call, experiment: Experiment, used: int, crossings: int) -> _Room:
    """The room of a job of a point cell with `used` rows."""
    if stride_of(call.program.cell, experiment, call.steps) > 1:
        crossings = 0  # they lie between the samples that are looked at
    whole = most_samples(call.program.cell, experiment, call.steps) + crossings
    return np.empty((1 + used, whole)), np.empty((used, len(experiment.outputs), whole)), crossings


def _ended(call: _Call, jobs: Sequence[_Job]) -> Iterator[tuple[_Job, Any]]:
    """The kernel's structure of each job after it ran; jobs with more crossings than expected run a second time."""
    structures = _call_kernel(call, jobs)
    for job, structure in zip(jobs, structures, strict=True):
        most = max(structure.crossed) if structure.room else 0
        if most > structure.room:
            times, values, room = _point_room(call, call.experiments[job.experiment], len(job.rows), most)
            job = replace(job, times=times, values=values, room=room)
            (structure,) = _call_kernel(call, [job])
        yield job, structure


def _call_kernel(call: _Call, jobs: Sequence[_Job]) -> Any:
    structures = (job_type(call.lanes) * len(jobs))()
    shape = ctypes.addressof(call.shape.structure)
    prepared = [ctypes.addressof(p.structure) for p in call.prepared]
    tables = [call.tables[e.temperature_K] for e in call.experiments]
    for job, structure in zip(jobs, structures, strict=True):
        made = tables[job.experiment]
        structure.shape, structure.experiment = shape, prepared[job.experiment]
        structure.tables = None if made is None else made.address
        structure.numbers = address_of(job.numbers)
        structure.amplitudes = None if job.amplitudes is None else address_of(job.amplitudes)
        structure.times, structure.values = address_of(job.times), address_of(job.values)
        structure.capacity, structure.room = job.times.shape[1] - job.room, job.room
        structure.used = len(job.rows)
    _share_beginnings(call, jobs, structures)
    outcome = kernel_library(call.program.folder)(structures, len(jobs), call.program.settings.threads)
    if outcome != 0:
        raise BackendError(
            Issue("B110", "the native kernel ran out of memory", hint="simulate fewer candidates at once")
        )
    return structures


def _share_beginnings(call: _Call, jobs: Sequence[_Job], structures: Any) -> None:
    """Lets jobs of the same rows begin where an earlier one of them has come to, unless threads would be left idle."""
    begins = [b if b is not None and b.at_ms > call.steps.dt_ms else None for b in branches(call.experiments)]
    is_second_run = len(jobs) < len(begins)
    if is_second_run or begins.count(None) * len(jobs) < call.program.settings.threads * len(begins):
        return
    place = {(job.rows, job.experiment): k for k, job in enumerate(jobs)}
    size = ctypes.sizeof(type(structures[0]))
    later = sorted((b.at_ms, index, b.leader) for index, b in enumerate(begins) if b is not None)
    for rows in dict.fromkeys(job.rows for job in jobs):
        last: dict[int, Any] = {}
        for at_ms, index, leader in later:
            mine = place[rows, index]
            structures[mine].branch = at_ms
            address = ctypes.addressof(structures) + mine * size
            if leader in last:
                last[leader].sibling = address
            else:
                structures[place[rows, leader]].followers = address
            last[leader] = structures[mine]


def _told(call: _Call, job: _Job, ended: Any) -> Iterator[tuple[int, dict[Key, Trace], str]]:
    """(row, its traces, what went wrong with it or '') for each row of a job."""
    experiment = call.experiments[job.experiment]
    is_point = call.program.cell.geometry is None
    lanes = _point_traces(experiment, job, ended) if is_point else _cable_traces(job, ended)
    for lane, (row, pairs) in enumerate(zip(job.rows, lanes, strict=False)):
        if ended.reached[lane] < experiment.duration_ms:
            yield row, {}, f"experiment '{experiment.id}' ended at {ended.reached[lane]:g} ms"
            continue
        traces = {(experiment.id, o.id): Trace(*pair) for o, pair in zip(experiment.outputs, pairs, strict=True)}
        yield row, traces, divergence(experiment, traces)


def _cable_traces(job: _Job, ended: Any) -> Iterator[list[tuple[Floats, Floats]]]:
    """Times and values of each output of each lane; all share the times."""
    times = _shared(job.times[0, : ended.samples].copy())
    for lane in np.array(job.values[: ended.samples].transpose(2, 1, 0), order="C"):
        yield [(times, values) for values in lane]


def _point_traces(experiment: Experiment, job: _Job, ended: Any) -> Iterator[list[tuple[Floats, Floats]]]:
    """Times and values of each output of each lane; voltages with resets have times of their own."""
    times = _shared(job.times[0, : ended.samples])
    is_voltage = [output.variable == "v" for output in experiment.outputs]
    for lane, values in enumerate(job.values):
        shown = ended.length[lane] if job.room and ended.crossed[lane] else 0
        yield [
            (job.times[1 + lane, :shown], y[:shown]) if shown and is_v else (times, y[: ended.samples])
            for y, is_v in zip(values, is_voltage, strict=True)
        ]


def _shared(times: Floats) -> Floats:
    times.flags.writeable = False
    return times
