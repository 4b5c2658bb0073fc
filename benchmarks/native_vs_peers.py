"""The native kernel against its peers on five cells: CPU time of a candidate, and the error of its spikes.

    python benchmarks/native_vs_peers.py [--l5pc DATA] [--bluepyopt PYTHON] [--png FILE] [--json] [CELL ...]
    python benchmarks/native_vs_peers.py --read FILE [FILE ...] [--png FILE]

Cells: simplecell, ball_and_stick, calciumcell, izhikevich, and l5pc, whose published files are in DATA (see
l5pc/build.py). Peers: this package's native kernel, NEURON (fixed and variable steps) and Arbor; jNeuroML's export to
NEURON; BluePyOpt in the interpreter PYTHON, at its defaults, where it has a model of the cell. What is missing here or
does not run a cell is left out and named.

CPU time: of a candidate with all its protocols in one process that is warm; best of `--rounds`, fewer where the runs
take longer than `--limit` seconds. For ours it is a call of `simulate` (binding, copying), with the samples that the
features need; candidates of cells with few compartments go in one call with as many as the backend gains from, as in a
fit. BluePyOpt builds the cell anew for each protocol, in a process of its own; jNeuroML's export builds it once. No
features on any side.

Error: the largest difference of a spike time (upward crossing of -20 mV in the first recording of each protocol) from
NEURON's converged ones, `-` where the number of spikes differs. What the reference's own error is, is printed: below it
nothing can be said. `gain`: CPU time as a multiple of that of the cheapest native run whose error is no larger.
Times on a busy machine vary: compare the ratios of one run only. `--read` shows what earlier runs wrote with `--json`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any

import peer_bluepyopt
import peer_jneuroml
import peers_of_ours
from work_precision import Cell, LeftOut, Measured, plot, rows

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
STEPS_MS = (0.1, 0.05, 0.025, 0.0125, 0.00625)
FOLDERS = {
    "simplecell": HERE / "simplecell",
    "ball_and_stick": EXAMPLES / "ball_and_stick",
    "calciumcell": HERE / "calciumcell",
    "izhikevich": EXAMPLES / "izhikevich",
}
L5PC = "l5pc"
L5PC_STEPS_MS = (0.1, 0.05, 0.025)
L5PC_CONVERGED = (1e-6, 1e-7)


def cells(names: list[str], data: Path | None, folder: Path) -> Iterator[Cell]:
    """The cells; that of DATA is built in `folder`."""
    for name in names:
        if name == L5PC:
            command = [sys.executable, str(HERE / "l5pc" / "build.py"), str(data), str(folder / L5PC)]
            built = subprocess.run(command, capture_output=True, text=True, check=False)
            if built.returncode != 0:
                sys.exit(f"the layer 5 cell was not built: {built.stderr.strip()}")
            model, targets = (folder / L5PC / file for file in ("model.nml", "targets.json"))
            yield Cell(L5PC, model, targets, L5PC_STEPS_MS, converged=L5PC_CONVERGED)
        else:
            yield Cell(name, FOLDERS[name] / "model.nml", FOLDERS[name] / "targets.json", STEPS_MS)


def compare(cell: Cell, given: argparse.Namespace) -> dict[str, Any]:
    """Everything about a cell."""
    wanted, uncertain, how = peers_of_ours.reference(cell)
    measured: list[Measured] = []
    left_out: list[LeftOut] = []
    for found in chain(
        peers_of_ours.measured(cell, given.rounds, given.limit),
        peer_jneuroml.measured(cell, given.rounds, given.limit),
        peer_bluepyopt.measured(cell, given.rounds, given.bluepyopt, given.l5pc),
    ):
        if isinstance(found, Measured):
            measured.append(found)
        else:
            left_out.append(found)
        print(".", end="", file=sys.stderr, flush=True)
    return {
        "cell": cell.name,
        "reference": how,
        "reference_error_ms": uncertain,
        "spikes": sum(map(len, wanted)),
        "rows": rows(cell, measured, wanted),
        "left_out": {one.peer: one.reason for one in left_out},
    }


def show(about: dict[str, Any]) -> None:
    """Print a cell's table."""
    print(
        f"\n{about['cell']}: {about['spikes']} spikes; reference {about['reference']}, "
        f"its own error {about['reference_error_ms']:.1g} ms"
    )
    print(f"  {'':18}{'':22}{'CPU ms':>11}{'spikes':>8}{'error ms':>11}{'gain':>8}")
    for row in about["rows"]:
        error = "-" if row["error_ms"] is None else f"{row['error_ms']:.5f}"
        gain = "-" if row["gain"] is None else f"{row['gain']:.1f}"
        columns = f"{row['cpu_ms']:11.3f}{row['spikes']:8d}{error:>11}{gain:>8}"
        print(f"  {row['peer']:18}{row['setting']:22}{columns}")
    for peer, reason in about["left_out"].items():
        print(f"  {peer} left out: {reason}")


def versions() -> dict[str, str]:
    """Of what is installed here."""
    found = {"Python": platform.python_version()}
    for name in ("nmlopt", "neuron", "arbor", "pyneuroml", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", nargs="*", metavar="CELL", help=f"of {', '.join((*FOLDERS, L5PC))} (default: all)")
    parser.add_argument("--l5pc", type=Path, metavar="DATA")
    parser.add_argument("--bluepyopt", type=Path, metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--steps", type=float, nargs="+", metavar="MS", help="fixed steps, in place of a cell's own")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--read", type=Path, nargs="+", metavar="FILE", help="results of earlier runs")
    parser.add_argument("--png", type=Path, metavar="FILE", help="work-precision plot")
    given = parser.parse_args()
    unknown = [name for name in given.cells if name not in (*FOLDERS, L5PC)]
    if unknown:
        parser.error(f"there is no cell {unknown[0]}; there are {', '.join((*FOLDERS, L5PC))}")
    if L5PC in given.cells and given.l5pc is None:
        parser.error("l5pc needs --l5pc DATA, the folder of its published files")
    given.cells = given.cells or [*FOLDERS, *([L5PC] if given.l5pc is not None else [])]
    return given


def main() -> None:
    """Measure or read, print."""
    given = arguments()
    runs = [read(file) for file in given.read or ()] or [run(given)]
    if given.png:
        plot([cell for about in runs for cell in about["cells"]], given.png)
    for about in runs:
        if given.json:
            print(json.dumps(about, indent=1))
            continue
        said = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
        print(f"{said}; {about['machine']}, load {about['load']:.1f}, best of {about['rounds']}")
        for cell in about["cells"]:
            show(cell)
    if given.l5pc is None and not given.read:
        print("\nl5pc left out: no --l5pc DATA was given", file=sys.stderr)


def read(file: Path) -> dict[str, Any]:
    """What an earlier run wrote."""
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"{file}: no results of an earlier run: {error}")
    return found


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Measure all cells."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for cell in cells(given.cells, given.l5pc, Path(folder)):
            steps_ms = tuple(given.steps or cell.steps_ms)
            found.append(compare(replace(cell, steps_ms=steps_ms), given))
            print(f" {cell.name}", file=sys.stderr, flush=True)
    about = {"versions": versions(), "machine": platform.machine(), "load": os.getloadavg()[0], "rounds": given.rounds}
    return {**about, "cells": found}


if __name__ == "__main__":
    main()
