"""Cells, measurements, and what they say at equal error: the common part of `native_vs_peers.py` and its peers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

THRESHOLD_MV = -20.0
NATIVE = "native"
LEAST_ERROR_MS = 1e-6
"""Where errors are drawn that are smaller."""

Spikes = Sequence[np.ndarray]
"""Times (ms) by protocol."""


@dataclass(frozen=True)
class Cell:
    """A model with its targets. `steps_ms` and `tolerances` are those that its simulators are asked for."""

    name: str
    model: Path
    targets: Path
    steps_ms: tuple[float, ...]
    tolerances: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5)
    converged: tuple[float, float] = (1e-7, 1e-8)
    """Tolerances of the reference: that of the second, which differs from that of the first by its own error."""


@dataclass(frozen=True)
class Measured:
    """One run: CPU milliseconds of a candidate with all its protocols, and its spikes."""

    peer: str
    setting: str
    cpu_ms: float
    spikes: Spikes


@dataclass(frozen=True)
class LeftOut:
    """A peer that a cell has no run of."""

    peer: str
    reason: str


def crossings(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Upward crossings of the threshold (ms), linear between samples."""
    k = np.flatnonzero((y[:-1] < THRESHOLD_MV) & (y[1:] >= THRESHOLD_MV))
    found: np.ndarray = t[k] + (THRESHOLD_MV - y[k]) * (t[k + 1] - t[k]) / (y[k + 1] - y[k])
    return found


def largest_error(found: Spikes, wanted: Spikes) -> float | None:
    """The largest difference of a spike time (ms); None where the number of spikes of a protocol differs."""
    if any(len(a) != len(b) for a, b in zip(found, wanted, strict=True)):
        return None
    return max((float(np.abs(a - b).max()) for a, b in zip(found, wanted, strict=True) if len(a)), default=0.0)


def least(rounds: int, limit_s: float, call: Callable[[], float]) -> float:
    """The least seconds of `rounds` calls; of fewer, but one, where they take longer than the limit together."""
    spent = [call()]
    while len(spent) < rounds and sum(spent) < limit_s:
        spent.append(call())
    return min(spent)


def rows(cell: Cell, measured: Sequence[Measured], wanted: Spikes) -> list[dict[str, Any]]:
    """A row for each run with its error, and how many times the cost of native at no larger error (`gain`)."""
    found = [
        {
            "cell": cell.name,
            "peer": m.peer,
            "setting": m.setting,
            "cpu_ms": m.cpu_ms,
            "spikes": sum(map(len, m.spikes)),
            "error_ms": largest_error(m.spikes, wanted),
        }
        for m in measured
    ]
    for row in found:
        row["gain"] = None if row["error_ms"] is None else gain(row, found)
    return found


def gain(row: dict[str, Any], among: Sequence[dict[str, Any]]) -> float | None:
    """CPU time of a run as a multiple of the cheapest native one whose error is no larger; None if there is none."""
    as_good = [
        other["cpu_ms"]
        for other in among
        if other["peer"].startswith(NATIVE) and other["error_ms"] is not None and other["error_ms"] <= row["error_ms"]
    ]
    return float(row["cpu_ms"] / min(as_good)) if as_good else None


def plot(cells: Sequence[dict[str, Any]], file: Path) -> None:
    """CPU time against error, a panel for each cell, double logarithmic; other numbers of spikes are named."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.0 * len(cells), 4.6), layout="constrained")
    panels = figure.subplots(1, len(cells), squeeze=False)[0]
    peers = list(dict.fromkeys(row["peer"] for cell in cells for row in cell["rows"]))
    for panel, cell in zip(panels, cells, strict=True):
        missed = []
        for number, peer in enumerate(peers):
            here = [row for row in cell["rows"] if row["peer"] == peer]
            line = sorted((max(r["error_ms"], LEAST_ERROR_MS), r["cpu_ms"]) for r in here if r["error_ms"] is not None)
            missed += [f"{peer} {r['setting']}" for r in here if r["error_ms"] is None]
            style = {"color": f"C{number}", "marker": "o", "markersize": 4, "label": peer}
            panel.loglog(*(zip(*line, strict=True) if line else ((), ())), "-", **style)
        panel.axvspan(LEAST_ERROR_MS / 2, max(cell["reference_error_ms"], LEAST_ERROR_MS), color="0.92")
        panel.set(title=cell["cell"], xlabel="largest error of a spike time, ms")
        if missed:
            panel.text(0.01, -0.2, "other number of spikes:\n" + ",\n".join(missed), fontsize=6, va="top",
                       transform=panel.transAxes)  # fmt: skip
    panels[0].set(ylabel="CPU ms per candidate")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(peers), 3 * len(cells)), fontsize=8)
    figure.savefig(file, dpi=130)
