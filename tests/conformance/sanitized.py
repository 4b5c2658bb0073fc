"""Runs cases on native kernels that watch their own memory and arithmetic; ends at the first fault, which it shows.

    python -m tests.conformance.sanitized [--sample | --planted] [CASE ...]

Without cases: all of them, two examples and a larger tree. Kernels are compiled with -fsanitize=address,undefined into
the cache as any other, where the compiler's command keeps them apart. The sanitizer must be in the process before
Python is, so that this starts itself again with its library preloaded. Leaks are not looked for: Python itself has them
(`benchmarks/native_memory.py` looks at growth). `--planted` gives a kernel less memory than it is told, which must be
found.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from nmlopt.api.problem import Options, load
from nmlopt.backend import Integrator, Settings
from nmlopt.document.read import read
from nmlopt.errors import UnsupportedError
from nmlopt.experiment.amplitudes import at_amplitudes
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.exporters import registry
from nmlopt.exporters.native import interface, simulate
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site
from tests.conformance.suite import CASES, case_ids

ROOT = Path(__file__).parents[2]
SAMPLE = (
    "105-axial-resistance", "204-gate-rates-inf", "211-ks-two-open-states", "303-density-ghk",
    "310-nonuniform-path-length", "402-pool-decaying", "504-iaf-refractory", "606-voltage-clamp-triple",
    "706-depression-facilitation",
)  # fmt: skip
EXAMPLES = ("ball_and_stick", "izhikevich")
SANITIZE = "-g -fsanitize=address,undefined -fno-sanitize-recover=all"
SETTINGS = (Settings(0.05, integrator=Integrator.FIXED), Settings(threads=2))
_WATCHED = "NMLOPT_WATCHED"


def main(arguments: list[str]) -> int:
    """0 where nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--sample", action="store_true", help="a few cases that need every part of a kernel")
    parser.add_argument("--planted", action="store_true", help="a fault that must be found")
    options = parser.parse_args(arguments)
    if _WATCHED not in os.environ:
        return watched(arguments)
    if options.planted:
        plant()
    for case in options.cases or (SAMPLE if options.sample else case_ids()):
        run_case(CASES / case)
    for example in () if options.cases else EXAMPLES:
        run_example(ROOT / "examples" / example)
    if not options.cases:
        run_tree()
        run_shared()
    return 0


def watched(arguments: list[str]) -> int:
    """This module once more, in a process with the sanitizer."""
    compiler = os.environ.get("CC", "gcc")
    found = subprocess.run(
        [*compiler.split(), "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    environment = {
        **os.environ, _WATCHED: "1", "CC": f"{compiler} {SANITIZE}", "LD_PRELOAD": found,
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.conformance.sanitized", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def plant() -> None:
    """From now on kernels get a fiftieth of each array of doubles."""
    kept: list[object] = []

    def shortened(array: Any) -> int:
        kept.append(array.reshape(-1)[: array.size // 50].copy())
        return interface.address_of(kept[-1])

    simulate.address_of = shortened


def run_case(case: Path) -> None:
    """Every run of a case with fixed and with adaptive steps, three candidates at once."""
    native = registry.load("native")
    simulation = read_simulation(read(case / "LEMS_case.xml"))
    for part in simulation.runs:
        try:
            for settings in SETTINGS:
                program = native.compile(part.cell, settings)
                native.simulate(program, part.experiments, np.zeros((3, 0)))
        except UnsupportedError as error:
            print(f"{case.name}: refused: {error}", flush=True)
            return
    print(f"{case.name}: clean", flush=True)


def run_example(folder: Path) -> None:
    """An example's protocols, candidates from all over its bounds."""
    for settings in SETTINGS:
        problem = load(folder / "model.nml", folder / "targets.json", Options("native", settings)).problem
        unit = np.random.default_rng(3).uniform(0.0, 1.0, (9, len(problem.parameters.free)))
        values = problem.parameters.values(problem.parameters.from_unit_interval(unit))
        for experiments in (problem.experiments, problem.sampled):
            problem.backend.simulate(problem.program, experiments, values)
    print(f"{folder.name}: clean", flush=True)


def run_tree() -> None:
    """A cell whose compartments fill the lanes by themselves: that of `benchmarks/scaling.py`."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    scaling_cell = import_module("scaling_cell")
    native = registry.load("native")
    with tempfile.TemporaryDirectory() as folder:
        for with_rates in (False, True):
            cell = scaling_cell.tree(100, Path(folder), with_rates=with_rates)
            for settings in SETTINGS:
                values = np.outer([0.9, 1.0, 1.1], [slot.default for slot in cell.slots])
                native.simulate(native.compile(cell, settings), (scaling_cell.firing(20.0),), values)
    print("a tree of 100 compartments: clean", flush=True)


def run_shared() -> None:
    """Protocols that part from each other after a while, whose last amplitudes are the candidates' own."""
    scaling_cell = import_module("scaling_cell")
    site, native = Site(0, 0.5, 0), registry.load("native")
    steps = (Pulse(site, 0.0, 30.0, -0.01), Pulse(site, 10.0, 15.0, 0.0))
    base = Experiment("e", 30.0, 300.0, steps, (Output("v", site),))
    more = (*steps[:1], Pulse(site, 10.0, 5.0, 0.2), Pulse(site, 20.0, 5.0, 0.3))
    experiments = (*at_amplitudes(base, 1, 3), *(replace(base, id=k, stimuli=more[: int(k)]) for k in "23"))
    with tempfile.TemporaryDirectory() as folder:
        cells = [lower(read(ROOT / "examples" / example / "model.nml")) for example in EXAMPLES]
        cells.append(scaling_cell.tree(100, Path(folder), with_rates=True))
        for cell, settings in product(cells, SETTINGS):
            values = np.outer(np.linspace(0.9, 1.1, 35), [slot.default for slot in cell.slots])
            amplitudes = np.random.default_rng(2).uniform(-0.1, 0.4, (35, 3))
            native.simulate(native.compile(cell, settings), experiments, np.hstack([values, amplitudes]))
    print("protocols that share their beginnings: clean", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
