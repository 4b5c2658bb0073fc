"""Spike times of a published case in the limit of small steps, ours and those of jNeuroML's export."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path

import numpy as np
from lems_peer import run_peer
from omv_cases import CaseError, Observable, OmvCase, spike_rows
from omv_ours import Outcome, curve, document_of, run_ours
from spikes import extrapolate

from nmlopt.backend import Numerics
from nmlopt.errors import SimulationError

SCALES = (1.0, 0.8)
"""Steps that are tried, as shares of the published one: dt, dt/2, dt/4, and where these do not do, 4/5 of each.

At a single step a run can fail that converges: where a switch of jNeuroML's export changes a current by I, NEURON takes
the change for a conductance I / 0.001 mV, and a step with C/dt = I / 0.001 mV divides by zero.
"""

Times = Mapping[str, np.ndarray]
"""Spike times (ms) of each observable."""

Run = Callable[[float], tuple[Times, float]]
"""From a step in ms to spike times and CPU time in s; raises CaseError or SimulationError."""


@dataclass(frozen=True)
class Limit:
    """What spike times (ms) tend to, or why that cannot be said.

    `unsettled_ms`: how far the estimate from all three steps lies from the linear one of dt/2 and dt/4; nan if the
    latter is all there is.
    """

    times: np.ndarray | str
    unsettled_ms: float = float("nan")


@dataclass(frozen=True)
class Limits:
    """The limits by observable, the CPU time (s) of the coarsest run, and what had to be done to get there."""

    found: Mapping[str, Limit]
    cpu_s: float
    note: str


def limits(names: Sequence[str], dt_ms: float, run: Run) -> Limits:
    """Extrapolate in dt and dt² from dt, dt/2, dt/4, and in dt alone where the coarsest is of no use.

    Raises what the last run that was tried raises.
    """
    notes: list[str] = []
    for scale in SCALES:
        first = scale * dt_ms
        runs = [_tried(run, first / 2**k) for k in range(3)]
        faults = [f"{first / 2**k:g} ms: {made}" for k, made in enumerate(runs) if isinstance(made, Exception)]
        coarse, middle, fine = runs
        if isinstance(middle, Exception) or isinstance(fine, Exception):
            notes += faults
            continue
        found = {name: _limit(name, coarse, middle[0], fine[0]) for name in names}
        counted = [f"{name}: {limit.times}" for name, limit in found.items() if isinstance(limit.times, str)]
        if not counted or scale == SCALES[-1]:
            cpu_s = next(made[1] for made in runs if not isinstance(made, Exception))
            return Limits(found, cpu_s, "; ".join(notes + faults))
        notes += faults + counted
    raise next(made for made in reversed(runs) if isinstance(made, Exception))


def _tried(run: Run, dt_ms: float) -> tuple[Times, float] | CaseError | SimulationError:
    try:
        return run(dt_ms)
    except (CaseError, SimulationError) as error:
        return error


def _limit(name: str, coarse: tuple[Times, float] | Exception, middle: Times, fine: Times) -> Limit:
    before = None if isinstance(coarse, Exception) else coarse[0][name]
    if len(middle[name]) != len(fine[name]):
        counts = ["-" if before is None else len(before), len(middle[name]), len(fine[name])]
        return Limit(f"{', '.join(map(str, counts))} spikes at dt, dt/2, dt/4")
    linear = extrapolate(middle[name], fine[name])
    if before is None or len(before) != len(linear):
        return Limit(linear)
    best = extrapolate(extrapolate(before, middle[name]), linear, order=2)
    return Limit(best, float(np.abs(best - linear).max(initial=0.0)))


# ------------------------------------------------------------------------------------------------ runs


def our_run(case: OmvCase, items: Sequence[Observable], folder: Path, numerics: Numerics) -> Run:
    """Runs of ours."""

    def run(dt_ms: float) -> tuple[Times, float]:
        outcome = run_ours(case, folder, numerics, dt_ms)
        return spike_times(case, items, outcome), outcome.cpu_s

    return run


def peer_run(case: OmvCase, items: Sequence[Observable], folder: Path) -> Run:
    """Runs of jNeuroML's NEURON export."""

    def run(dt_ms: float) -> tuple[Times, float]:
        names = sorted({name_in(case, item) for item in items})
        with tempfile.TemporaryDirectory() as copy:
            peer = run_peer(document_of(case, folder), names, Path(copy), dt_ms=dt_ms)
        found = {}
        for item in items:
            given = item.given["file"]
            table = peer.tables[(case.target.parent / name_in(case, item)).resolve()]
            _, column = given.get("columns", (0, 1))
            t_scale, y_scale = given.get("scaling", (1.0, 1.0))
            # rows are steps; the printed times are rounded by the export
            t = np.arange(len(table)) * dt_ms / 1000.0 * float(t_scale)
            found[item.name] = _spike_ms(item, t, table[:, int(column)] * float(y_scale))
        return found, peer.cpu_s

    return run


def name_in(case: OmvCase, item: Observable) -> str:
    """The file of an observable relative to the LEMS file."""
    return Path(relpath(case.omt.parent / str(item.given["file"]["path"]).strip(), case.target.parent)).as_posix()


def spike_times(case: OmvCase, items: Sequence[Observable], outcome: Outcome) -> Times:
    """Spike times (ms) of each observable in a run of ours. Raises CaseError."""
    return {item.name: _spike_ms(item, *curve(outcome, case, item)) for item in items}


def _spike_ms(item: Observable, t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Spikes in ms between the samples: crossings by a straight line, peaks by a parabola."""
    how = item.given["spike detection"] or {}
    method, threshold = str(how.get("method", "threshold")), float(how.get("threshold", 0.0))
    rows = spike_rows(y, method, threshold)
    scale = 1000.0 / float(item.given["file"].get("scaling", (1.0, 1.0))[0])
    if method == "threshold":
        t0, t1, y0, y1 = t[rows - 1], t[rows], y[rows - 1], y[rows]
        return scale * (t0 + (threshold - y0) / (y1 - y0) * (t1 - t0))
    before, at, after = y[rows - 1], y[rows], y[rows + 1]
    bend = before - 2.0 * at + after
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros_like(bend), where=bend != 0.0)
    return scale * (t[rows] + shift * (t[rows] - t[rows - 1]))
