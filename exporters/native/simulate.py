"""Runs batches in a compiled kernel: one call for all candidates and experiments, the interpreter lock released."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from nmlopt.backend import Floats, Program, Recordings, RunStatus, Trace, divergence
from nmlopt.codegen.crossings import with_crossings
from nmlopt.errors import BackendError, Issue
from nmlopt.experiment.model import Experiment
from nmlopt.exporters.native.accuracy import Steps, most_samples, steps_of
from nmlopt.exporters.native.bind import Binding
from nmlopt.exporters.native.interface import (
    Doubles,
    ExperimentC,
    Int32s,
    Int64s,
    ShapeC,
    doubles,
    int32s,
    job_type,
    kernel_library,
    pointer_to,
)
from nmlopt.exporters.native.source import Kernel
from nmlopt.exporters.native.stimuli import Prepared, prepare, width
from nmlopt.ir.model import Cell

MOST_BYTES = 256 * 1024 * 1024
"""Of recordings in one call; larger batches go in several."""


@dataclass(frozen=True)
class _Row:
    """A candidate: its numbers (SI) by temperature, or what makes it impossible."""

    numbers: dict[float, Floats]
    fault: str


@dataclass(frozen=True)
class _Job:
    """One experiment for up to `lanes` rows, with the room for what it records."""

    experiment: int
    rows: tuple[int, ...]
    times: Floats
    values: Floats


def simulate(
    program: Program, kernel: Kernel, lanes: int, experiments: Sequence[Experiment], values: Floats
) -> tuple[Recordings, ...]:
    """One `Recordings` per row of `values`, in the slots' units."""
    binding = _binding(program, kernel)
    slots = [
        [slot.unit.to_si(x) for slot, x in zip(program.slots, row, strict=True)]
        for row in np.atleast_2d(np.asarray(values, dtype=np.float64)).tolist()
    ]
    shape = _shape(binding)
    steps = steps_of(program.cell, program.settings)
    prepared = [prepare(program.cell, kernel.parts, binding.shape, e, steps) for e in experiments]
    found: list[Recordings] = []
    for chunk in _chunks(program.cell, slots, experiments, steps, lanes):
        rows = [_row(binding, candidate, experiments) for candidate in chunk]
        found += _run(program, lanes, shape, experiments, prepared, rows)
    return tuple(found)


@lru_cache(maxsize=4)
def _binding(program: Program, kernel: Kernel) -> Binding:
    return Binding(program.cell, kernel)


def _shape(binding: Binding) -> Prepared:
    shape = binding.shape
    kept = (int32s(shape.tree.parent), int32s(shape.count), int32s(shape.first), int32s(shape.node), shape.offset)
    made = ShapeC(len(shape.tree.parent), *(pointer_to(array, Int32s) for array in kept[:4]))
    made.offset = pointer_to(shape.offset, Int64s)
    return Prepared(made, kept)


def _chunks(
    cell: Cell, slots: list[list[float]], experiments: Sequence[Experiment], steps: Steps, lanes: int
) -> Iterator[list[list[float]]]:
    each = sum(8 * most_samples(cell, e, steps) * width(cell, e) for e in experiments)
    size = max(lanes, int(MOST_BYTES / max(each, 1)) // lanes * lanes)
    for start in range(0, len(slots), size):
        yield slots[start : start + size]


def _row(binding: Binding, slots: Sequence[float], experiments: Sequence[Experiment]) -> _Row:
    numbers = {e.temperature_K: binding.bind(slots, e.temperature_K) for e in experiments}
    fault = next((text for found in numbers.values() if (text := binding.fault(found))), "")
    return _Row(numbers, fault)


def _run(
    program: Program,
    lanes: int,
    shape: Prepared,
    experiments: Sequence[Experiment],
    prepared: Sequence[Prepared],
    rows: Sequence[_Row],
) -> list[Recordings]:
    able = [k for k, row in enumerate(rows) if not row.fault]
    groups = [tuple(able[k : k + lanes]) for k in range(0, len(able), lanes)]
    jobs = [_job(program, e, index, group, lanes) for group in groups for index, e in enumerate(experiments)]
    type_ = job_type(lanes)
    structures = (type_ * len(jobs))()
    kept: list[Any] = []
    for job, structure in zip(jobs, structures, strict=True):
        numbers = _numbers(rows, job, experiments[job.experiment], lanes)
        kept.append(numbers)
        structure.shape = ctypes.pointer(shape.structure)
        structure.experiment = ctypes.cast(
            ctypes.byref(prepared[job.experiment].structure), ctypes.POINTER(ExperimentC)
        )
        structure.numbers = pointer_to(numbers, Doubles)
        structure.times, structure.values = pointer_to(job.times, Doubles), pointer_to(job.values, Doubles)
        structure.capacity = len(job.times)
    outcome = kernel_library(program.folder)(structures, len(jobs), program.settings.threads)
    if outcome != 0:
        raise BackendError(
            Issue("B110", "the native kernel ran out of memory", hint="simulate fewer candidates at once")
        )
    ended: dict[int, list[tuple[_Job, int, float, int]]] = {}
    for job, structure in zip(jobs, structures, strict=True):
        for lane, row in enumerate(job.rows):
            ended.setdefault(row, []).append((job, lane, structure.reached[lane], structure.samples))
    return [
        Recordings(RunStatus.FAILED, detail=row.fault)
        if row.fault
        else _recordings(program.cell, experiments, ended[k])
        for k, row in enumerate(rows)
    ]


def _job(program: Program, experiment: Experiment, index: int, rows: tuple[int, ...], lanes: int) -> _Job:
    capacity = most_samples(program.cell, experiment, steps_of(program.cell, program.settings))
    return _Job(index, rows, np.empty(capacity), np.empty((capacity, width(program.cell, experiment), lanes)))


def _numbers(rows: Sequence[_Row], job: _Job, experiment: Experiment, lanes: int) -> Floats:
    """The numbers of the rows side by side; the last row fills what is left."""
    columns = [rows[k].numbers[experiment.temperature_K] for k in job.rows]
    columns += [columns[-1]] * (lanes - len(columns))
    return doubles(np.stack(columns, axis=1))


def _recordings(cell: Cell, experiments: Sequence[Experiment], ended: list[tuple[_Job, int, float, int]]) -> Recordings:
    """All traces of one candidate; the first experiment that failed decides the status."""
    traces: dict[tuple[str, str], Trace] = {}
    for job, lane, reached, samples in ended:
        experiment = experiments[job.experiment]
        if reached < experiment.duration_ms:
            return Recordings(RunStatus.DIVERGED, detail=f"experiment '{experiment.id}' ended at {reached:g} ms")
        for position, output in enumerate(experiment.outputs):
            t, y = job.times[:samples].copy(), np.array(job.values[:samples, position, lane])
            trace = Trace(t, y)
            if cell.geometry is None and output.variable == "v":
                trace = with_crossings(t, y, job.values[:samples, -2, lane], job.values[:samples, -1, lane])
            traces[experiment.id, output.id] = trace
        trouble = divergence(experiment, traces)
        if trouble:
            return Recordings(RunStatus.DIVERGED, detail=trouble)
    return Recordings(RunStatus.OK, traces)
