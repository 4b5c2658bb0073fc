"""The backends of nmlopt as peers of `native_vs_peers.py`: the native kernel, NEURON and Arbor."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from work_precision import NATIVE, Cell, LeftOut, Measured, Spikes, crossings, largest_error, least

from nmlopt.api.problem import Options, load
from nmlopt.backend import Accuracy, Integrator, Recordings, Settings
from nmlopt.errors import NmloptError
from nmlopt.evaluate.model import Problem
from nmlopt.experiment.model import Experiment

FEW_COMPARTMENTS = 100
"""Candidates of smaller cells go in one call with as many as the backend gains from, as in a fit."""
FINER = (0.7, 0.5, 0.35, 0.25, 0.18, 0.125)
"""Shares of dt at which `tight` is measured too: near enough to each other not to miss the cheapest run of some error
by far."""
ON_THE_GRID = (0.5, 0.25, 0.125)
"""Those of point cells, whose samples fall on the grid that features ask for."""
COARSER = 2.0


class RunFailedError(Exception):
    """A simulation that gave no traces."""


def prepared(cell: Cell, backend: str, settings: Settings) -> Problem:
    """The document on a backend. Raises NmloptError."""
    return load(cell.model, cell.targets, Options(backend, settings, cell.model.parent)).problem


def simulated(problem: Problem, experiments: Sequence[Experiment], count: int) -> Recordings:
    """The first of so many candidates, which all have the document's own values. Raises RunFailedError."""
    values = np.array([[slot.default for slot in problem.program.slots]] * count)
    found = problem.backend.simulate(problem.program, experiments, values)[0]
    if not found.traces:
        raise RunFailedError(found.detail)
    return found


def spikes_of(problem: Problem, found: Recordings) -> Spikes:
    """Spikes of the first recording of each protocol."""
    traces = [found.traces[e.id, e.outputs[0].id] for e in problem.experiments]
    return [crossings(trace.t_ms, trace.y) for trace in traces]


def measure(problem: Problem, rounds: int, limit_s: float) -> tuple[float, Spikes]:
    """CPU milliseconds of a candidate, and its spikes. Raises RunFailedError.

    As a fit has it: samples as its features need them, batches where they help. Point cells have fewer samples then
    than steps: their spikes are those of another run.
    """
    geometry, batch = problem.program.cell.geometry, problem.backend.offer.batch
    is_large = geometry is not None and len(geometry.compartments) > FEW_COMPARTMENTS
    count, last = 1 if is_large else batch, []

    def seconds() -> float:
        begin = time.process_time()
        last[:] = [simulated(problem, problem.sampled, count)]
        return (time.process_time() - begin) / count

    best_s = least(rounds, limit_s, seconds)
    wanted = [(e.id, e.outputs[0].id) for e in problem.experiments]
    complete = geometry is not None and all(key in last[0].traces for key in wanted)
    found = last[0] if complete else simulated(problem, problem.experiments, 1)
    return 1e3 * best_s, spikes_of(problem, found)


def converged(cell: Cell, settings: Settings) -> Spikes:
    """Spikes on NEURON at settings for a reference."""
    problem = prepared(cell, "neuron", settings)
    return spikes_of(problem, simulated(problem, problem.experiments, 1))


def reference(cell: Cell) -> tuple[Spikes, float, str]:
    """Converged spikes of NEURON, how far off they may be (ms), and what made them.

    Variable steps at the second of the cell's tolerances. Point cells have fixed steps only, whose error is of first
    order: their spikes are those of a 64th and a 128th of the step, extrapolated; their error is what a pair of twice
    the steps gives.
    """
    if not is_point(cell):
        runs = [converged(cell, Settings(integrator=Integrator.CVODE, atol=atol)) for atol in cell.converged]
        return runs[1], largest_error(*runs) or 0.0, f"NEURON, CVODE {cell.converged[1]:g}"
    runs = [converged(cell, Settings(dt_ms=0.025 / share)) for share in (32, 64, 128)]
    before, found = ([2.0 * b - a for a, b in zip(*pair, strict=True)] for pair in (runs[:2], runs[1:]))
    return found, largest_error(before, found) or 0.0, "NEURON, fixed steps to zero"


def is_point(cell: Cell) -> bool:
    """Whether it has no compartments."""
    return prepared(cell, "neuron", Settings()).program.cell.geometry is None


def schemes(cell: Cell) -> Iterator[tuple[str, str, str, Settings]]:
    """(peer, setting, backend, settings) of everything that is run here."""
    adaptive, point = Settings(integrator=Integrator.ADAPTIVE), is_point(cell)
    coarse = replace(adaptive, accuracy=Accuracy.FAST, dt_ms=COARSER * adaptive.dt_ms)
    yield NATIVE, f"fast dt x {COARSER:g}", NATIVE, coarse
    for accuracy in Accuracy:
        yield NATIVE, accuracy.value, NATIVE, replace(adaptive, accuracy=accuracy)
    for share in ON_THE_GRID if point else FINER:
        fine = replace(adaptive, accuracy=Accuracy.TIGHT, dt_ms=share * adaptive.dt_ms)
        yield NATIVE, f"tight dt x {share:g}", NATIVE, fine
    fixed = [Settings(dt_ms=step, integrator=Integrator.FIXED) for step in cell.steps_ms]
    yield from ((f"{NATIVE}, fixed", f"{s.dt_ms:g} ms", NATIVE, s) for s in fixed if not point)
    yield from (("NEURON, fixed", f"{s.dt_ms:g} ms", "neuron", s) for s in fixed)
    if not point:
        cvode = (Settings(integrator=Integrator.CVODE, atol=atol) for atol in cell.tolerances)
        yield from (("NEURON, CVODE", f"{s.atol:.0e}", "neuron", s) for s in cvode)
    yield from (("Arbor", f"{s.dt_ms:g} ms", "arbor", s) for s in fixed)


def measured(cell: Cell, rounds: int, limit_s: float) -> Iterator[Measured | LeftOut]:
    """Every scheme; a backend that is missing or refuses the cell is left out once."""
    missing: dict[str, LeftOut] = {}
    for peer, setting, backend, settings in schemes(cell):
        if backend in missing:
            continue
        try:
            yield Measured(peer, setting, *measure(prepared(cell, backend, settings), rounds, limit_s))
        except NmloptError as error:
            missing[backend] = LeftOut(peer, "; ".join(dict.fromkeys(issue.message for issue in error.issues)))
        except RunFailedError as error:
            yield LeftOut(f"{peer} {setting}", f"the run failed: {error}")
    yield from chain(missing.values())
