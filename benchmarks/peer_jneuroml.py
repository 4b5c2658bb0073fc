"""jNeuroML's own export to NEURON as a peer of `native_vs_peers.py`. Java's and the compiler's time do not count."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from peers_of_ours import prepared
from work_precision import Cell, LeftOut, Measured, Spikes, least

from nmlopt.backend import Settings
from nmlopt.errors import NmloptError
from nmlopt.exporters import registry
from nmlopt.exporters.lems.java import RunError, complaint, jneuroml
from nmlopt.exporters.lems.mechanisms import build
from nmlopt.exporters.lems.neuron_run import compiler

PEER = "jNeuroML, NEURON"
RUN = Path(__file__).with_name("exported_run.py")


def measured(cell: Cell, rounds: int, limit_s: float) -> Iterator[Measured | LeftOut]:
    """The cell's steps, coarse to fine; what fails ends it."""
    with tempfile.TemporaryDirectory(prefix="nmlopt-peer-") as name:
        try:
            folder, scripts = exported(cell, Path(name) / "cell")
            for step_ms in cell.steps_ms:
                best_s, spikes = best_of(rounds, limit_s, folder, scripts, step_ms)
                yield Measured(PEER, f"{step_ms:g} ms", 1e3 * best_s, spikes)
        except NmloptError as error:
            yield LeftOut(PEER, "; ".join(dict.fromkeys(issue.message for issue in error.issues)))
        except RunError as error:
            yield LeftOut(PEER, str(error))


def exported(cell: Cell, folder: Path) -> tuple[Path, list[Path]]:
    """The folder of the export, compiled, and its script for each protocol. Raises NmloptError, RunError.

    Each protocol records at its first place only: LEMS names no other than the middle of a segment.
    """
    lems = registry.load("lems")
    lems.version()
    problem = prepared(cell, "neuron", Settings())
    experiments = tuple(replace(e, outputs=e.outputs[:1]) for e in problem.experiments)
    lems.export(lems.compile(problem.program.cell, Settings()), experiments, folder)
    scripts = []
    for experiment in experiments:
        (file,) = (f for f in folder.rglob("LEMS_*.xml") if f.stem == f"LEMS_{experiment.id}")
        folder = file.parent
        said = jneuroml(folder, [file.name, "-neuron", "-nogui"])
        scripts.append(file.with_name(f"{file.stem}_nrn.py"))
        if not scripts[-1].is_file():
            raise RunError(f"it exports nothing: {complaint(said)}")
    build(folder, compiler())
    return folder, scripts


def best_of(rounds: int, limit_s: float, folder: Path, scripts: list[Path], step_ms: float) -> tuple[float, Spikes]:
    """The least CPU seconds of all scripts, and their spikes. Raises RunError."""
    spikes: list[np.ndarray] = []

    def seconds() -> float:
        runs = [ran(folder, script, step_ms) for script in scripts]
        spikes[:] = [np.array(run["spikes"]) for run in runs]
        return float(sum(run["cpu_s"] for run in runs))

    return least(rounds, limit_s, seconds), spikes


def ran(folder: Path, script: Path, step_ms: float) -> dict[str, Any]:
    """CPU seconds and spikes of one run. Raises RunError."""
    command = [sys.executable, str(RUN), script.name, str(step_ms)]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RunError(complaint(run.stderr))
    found: dict[str, Any] = json.loads(run.stdout)
    return found
