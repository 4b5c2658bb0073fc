"""BluePyOpt as a peer of `native_vs_peers.py`, for the cells of which there is a model for it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from work_precision import Cell, LeftOut, Measured

PEER = "BluePyOpt"
RUN = Path(__file__).resolve().with_name("bluepyopt_spikes.py")


def measured(cell: Cell, rounds: int, python: Path | None, data: Path | None) -> Iterator[Measured | LeftOut]:
    """One run at BluePyOpt's own settings."""
    if python is None:
        yield LeftOut(PEER, "no --bluepyopt PYTHON was given")
    elif cell.name == "simplecell":
        yield _ran(python, ["simplecell", str(rounds)])
    elif cell.name == "l5pc" and data is not None:
        yield _ran(python, ["l5pc", str(rounds), str(data.resolve()), str(_mechanisms())])
    else:
        yield LeftOut(PEER, "there is no model of this cell for it")


def _ran(python: Path, arguments: list[str]) -> Measured | LeftOut:
    command = [str(python.absolute()), str(RUN), *arguments]
    with tempfile.TemporaryDirectory() as empty:  # NEURON loads mechanisms that it finds in the working folder
        try:
            run = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False)
        except OSError as error:
            return LeftOut(PEER, f"'{python}' cannot be started: {error.strerror}")
    if run.returncode != 0:
        return LeftOut(PEER, f"'{python}' failed: {(run.stderr.strip() or 'without a word').splitlines()[-1]}")
    found: dict[str, Any] = json.loads(run.stdout)
    versions = f"{found['bluepyopt']}, NEURON {found['neuron']}"
    return Measured(PEER, versions, 1e3 * found["cpu_s"], [np.array(times) for times in found["spikes"]])


def _mechanisms() -> Path:
    """The compiled mechanisms of mods/nmodl, which are those of the published cell."""
    sys.path.insert(0, str(RUN.parent / "l5pc"))
    from compare import twins

    library: Path = twins()
    return library
