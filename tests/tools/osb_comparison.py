"""Our NEURON backend against jNeuroML's export on published cells, and its two numerics against each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from export_repairs import Repair
from osb_cells import Case, ours, peers, problem
from spikes import crossings, extrapolate, refined, step_indices

from nmlopt.backend import Numerics


@dataclass(frozen=True)
class Difference:
    """One recording in both: number of spikes, steps by which each is later in ours, largest difference of traces.

    `largest` is in mV for voltages, else relative to the largest value.
    """

    recording: str
    spikes: int
    peer_spikes: int
    shifts: tuple[int, ...]
    largest: float
    is_voltage: bool


@dataclass(frozen=True)
class Convergence:
    """Largest distance (ms) of spikes of the two numerics at dt, dt/2, dt/4, and of what each tends to at dt = 0.

    `limits` are the last spikes' extrapolated times (cnexp, jneuroml).
    """

    spikes: int
    steps_ms: tuple[float, ...]
    distances_ms: tuple[float, ...]
    extrapolated_ms: float
    limits: tuple[float, float]


def differences(case: Case, data: Path, folder: Path, repair: Repair | None = None) -> tuple[Difference, ...]:
    """Numerics jneuroml against jNeuroML's own NEURON export of the published LEMS file, at the same step."""
    found = problem(case, data)
    theirs = peers(case, found, data, folder, engine="neuron", dt_ms=case.dt_ms, repair=repair)
    mine = ours(found, Numerics.JNEUROML, case.dt_ms)
    units = {(e.id, o.id): o.variable == "v" for e in found.experiments for o in e.outputs}
    rows = []
    for key, peer in theirs.items():
        trace = mine[key]
        assert trace.y.shape == peer.y.shape, (key, trace.y.shape, peer.y.shape)
        scale = 1.0 if units[key] else np.abs(peer.y).max()
        here, there = step_indices(trace, case.threshold), step_indices(peer, case.threshold)
        shifts = tuple((here - there).tolist()) if len(here) == len(there) else ()
        largest = float(np.abs(trace.y - peer.y).max() / scale)
        rows.append(Difference("/".join(key), len(here), len(there), shifts, largest, units[key]))
    return tuple(rows)


def limit_in_jlems(case: Case, data: Path, folder: Path, dt_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """Spike times (ms) that jLEMS and our cnexp tend to, each from runs at dt and dt/2."""
    found = problem(case, data)
    key = (found.experiments[0].id, found.experiments[0].outputs[0].id)

    def jlems(step_ms: float) -> np.ndarray:
        traces = peers(case, found, data, folder / f"{step_ms}", engine="jlems", dt_ms=step_ms)
        return crossings(traces[key], case.threshold)

    def cnexp(step_ms: float) -> np.ndarray:
        return crossings(ours(found, Numerics.CNEXP, step_ms)[key], case.threshold)

    theirs, mine = (extrapolate(*refined(spikes, dt_ms, steps=2)) for spikes in (jlems, cnexp))
    return theirs, mine


def convergence(case: Case, data: Path) -> Convergence:
    """Numerics cnexp against jneuroml at halved steps, spikes of the first recording."""
    found = problem(case, data)
    first = found.experiments[0]
    key = (first.id, first.outputs[0].id)

    def spikes(numerics: Numerics, dt_ms: float) -> np.ndarray:
        times = crossings(ours(found, numerics, dt_ms)[key], case.threshold)
        return times[times <= case.until_ms]

    times = {n: refined(lambda dt_ms, n=n: spikes(n, dt_ms), case.coarse_ms) for n in Numerics}
    textbook, euler = times[Numerics.CNEXP], times[Numerics.JNEUROML]
    limits = {n: extrapolate(*found_times[-2:]) for n, found_times in times.items()}
    apart = np.abs(limits[Numerics.CNEXP] - limits[Numerics.JNEUROML])
    return Convergence(
        len(textbook[-1]),
        tuple(case.coarse_ms / 2**k for k in range(len(textbook))),
        tuple(float(np.abs(a - b).max()) for a, b in zip(textbook, euler, strict=True)),
        float(apart.max()),
        (float(limits[Numerics.CNEXP][-1]), float(limits[Numerics.JNEUROML][-1])),
    )
