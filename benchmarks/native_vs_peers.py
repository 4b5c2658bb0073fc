"""The native kernel against NEURON: CPU time of a candidate and the error of its spikes, all in one run.

    python benchmarks/native_vs_peers.py [--rounds N] [--json] [MODEL TARGETS ...]

Without models: the simple cell, hh_soma, ball-and-stick and izhikevich; the layer 5 pyramidal cell is one of the models
that can be given, once l5pc/build.py has written it. CPU time is that of one call of `simulate` for
one candidate with all its protocols (binding and copying included), the best of N; fixed steps of few compartments cost
the same for one candidate as for eight. The error is the largest difference of a spike time (upward crossing of -20 mV
of the first recording of each protocol) from NEURON's with CVODE at 1e-8, of point cells from that with a sixteenth of
the step; `-` where the number of spikes differs. Ratios are to NEURON's CVODE at 1e-3 (its fixed step for point cells).
Times on a busy machine vary: compare the ratios of one run only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nmlopt.api.problem import Options, load
from nmlopt.backend import Accuracy, Integrator, Recordings, Settings, Trace
from nmlopt.exporters import registry

ROOT = Path(__file__).parents[1]
OWN = ("benchmarks/simplecell", "examples/hh_soma", "examples/ball_and_stick", "examples/izhikevich")
THRESHOLD_MV = -20.0
CVODE = Integrator.CVODE
PEERS: dict[str, tuple[str, Settings]] = {
    "neuron cvode 1e-3": ("neuron", Settings(integrator=CVODE, atol=1e-3)),
    "neuron fixed 0.025": ("neuron", Settings(integrator=Integrator.FIXED)),
    "native fixed 0.025": ("native", Settings(integrator=Integrator.FIXED)),
    **{f"native {a}": ("native", Settings(integrator=Integrator.ADAPTIVE, accuracy=a)) for a in Accuracy},
}


def spikes(trace: Trace) -> np.ndarray:
    """Upward crossings, ms."""
    t, y = trace.t_ms, trace.y
    k = np.flatnonzero((y[:-1] < THRESHOLD_MV) & (y[1:] >= THRESHOLD_MV))
    found: np.ndarray = t[k] + (THRESHOLD_MV - y[k]) * (t[k + 1] - t[k]) / (y[k + 1] - y[k])
    return found


def run(model: Path, targets: Path, backend: str, settings: Settings, rounds: int) -> tuple[float, int, list[Any]]:
    """(CPU ms, samples of the first recordings, spike times of each protocol)."""
    problem = load(model, targets, Options(backend, settings, model.parent)).problem
    x = np.array([[slot.default for slot in problem.program.slots]])
    simulator, best = registry.load(backend), np.inf
    simulator.simulate(problem.program, problem.experiments, x)
    for _ in range(rounds):
        begin = time.process_time()
        (found,) = simulator.simulate(problem.program, problem.experiments, x)
        best = min(best, time.process_time() - begin)
    traces = _first(found, problem.experiments)
    return 1e3 * best, sum(len(t.t_ms) for t in traces), [spikes(t) for t in traces]


def _first(found: Recordings, experiments: Any) -> list[Trace]:
    if not found.traces:
        raise SystemExit(f"a run failed: {found.detail}")
    return [found.traces[e.id, e.outputs[0].id] for e in experiments]


def measure(model: Path, targets: Path, rounds: int) -> list[dict[str, Any]]:
    """A row per peer."""
    point = load(model, targets, Options(root=model.parent)).cell.geometry is None
    converged = Settings(dt_ms=0.025 / 16) if point else Settings(integrator=CVODE, atol=1e-8)
    _, _, wanted = run(model, targets, "neuron", converged, 1)
    rows = []
    for name, (backend, settings) in PEERS.items():
        if point and settings.integrator is CVODE:
            continue
        ms, samples, found = run(model, targets, backend, settings, rounds)
        same = all(len(a) == len(b) for a, b in zip(found, wanted, strict=True))
        gaps = [float(np.abs(a - b).max()) for a, b in zip(found, wanted, strict=True) if len(a)] if same else []
        row = {"cell": model.parent.name, "peer": name, "cpu_ms": ms, "samples": samples}
        row |= {"spikes": sum(map(len, found)), "error_ms": max(gaps, default=None)}
        rows.append(row | {"gain": rows[0]["cpu_ms"] / ms if rows else 1.0})
    return rows


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="MODEL TARGETS")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pairs = list(zip(options.files[::2], options.files[1::2], strict=True)) or [
        (ROOT / folder / "model.nml", ROOT / folder / "targets.json") for folder in OWN
    ]
    rows = [row for model, targets in pairs for row in measure(model, targets, options.rounds)]
    about = {"neuron": version("neuron"), "machine": platform.machine(), "load": os.getloadavg()[0], "rows": rows}
    if options.json:
        print(json.dumps(about, indent=1))
        return
    print(f"NEURON {about['neuron']}, {about['machine']}, load {about['load']:.1f}")
    for row in rows:
        error = "-" if row["error_ms"] is None else f"{row['error_ms']:.4f}"
        print(
            f"{row['cell']:15} {row['peer']:20} {row['cpu_ms']:9.2f} ms  x{row['gain']:6.1f}  "
            f"{row['samples']:7d} samples  {row['spikes']:4d} spikes  error {error} ms"
        )


if __name__ == "__main__":
    main()
