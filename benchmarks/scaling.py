"""What a run on the native kernel costs by compartments, time, candidates and threads, and whether it is linear.

    python benchmarks/scaling.py [--rounds N] [--largest 10000] [--json] [--png FILE]

CPU milliseconds of one call of `simulate` per candidate, binding and copying included, the best of N. `growth` is the
power of the axis that the cost goes with between two rows, 1 being linear: below it something constant is shared, above
it something does not fit any more. By compartments, `a step` is the power that the cost of one step goes with: how many
adaptive steps there are is a matter of what the cell does (samples are steps, but for some at turns of v), and more is
under way in a larger one.
Threads are measured by the clock, where two must have two idle cores to be worth two, and in CPU time, which tells on a
busy machine, too, what they cost each other: growth -1 by the clock is twice as fast, -0.85 is 1.8 times; growth 0 in
CPU time is no cost.
The cells are a soma with a binary tree of excitable dendrites (`scaling_cell.py`), fixed steps of 0.025 ms and adaptive
ones; for candidates also `examples/izhikevich`, whose candidates share loops.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from scaling_cell import ROOT, firing, tree

from nmlopt.backend import Integrator, Program, RunStatus, Settings
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment
from nmlopt.exporters import registry
from nmlopt.ir.lower import lower

FIXED, ADAPTIVE = Settings(integrator=Integrator.FIXED), Settings(integrator=Integrator.ADAPTIVE)
SCHEMES = {"fixed": FIXED, "adaptive": ADAPTIVE}
COMPARTMENTS_AXIS = "compartments"
COMPARTMENTS = (10, 30, 100, 300, 1000, 3000, 10000)
TIMES_MS = (100.0, 200.0, 400.0, 800.0, 1600.0)
CANDIDATES = (1, 8, 32, 128, 1000)
THREADS = (1, 2)
CLOCKS = {"wall": time.perf_counter, "CPU": time.process_time}
SMALL, MIDDLE = 10, 100
BACKEND = registry.load("native")


@dataclass(frozen=True)
class Row:
    """One measurement: milliseconds per candidate at `size` on `axis`."""

    axis: str
    case: str
    size: float
    ms: float
    samples: int
    growth: float | None = None
    growth_of_step: float | None = None


def cost(
    program: Program, experiment: Experiment, count: int, rounds: int, clock: Callable[[], float]
) -> tuple[float, int]:
    """(milliseconds per candidate, samples of the first) for `count` candidates in one call."""
    return costs((program,), experiment, count, rounds, clock)[0]


def costs(
    programs: Sequence[Program], experiment: Experiment, count: int, rounds: int, clock: Callable[[], float]
) -> list[tuple[float, int]]:
    """The same for programs of one cell that take turns, so that the machine is the same for all."""
    slots = programs[0].slots
    factors = np.random.default_rng(1).uniform(0.95, 1.05, (count, len(slots)))
    values = factors * [slot.default for slot in slots]
    for program in programs:
        BACKEND.simulate(program, (experiment,), values[:1])
    best, samples = np.full(len(programs), np.inf), [0] * len(programs)
    for _ in range(rounds):
        for k, program in enumerate(programs):
            begin = clock()
            found = BACKEND.simulate(program, (experiment,), values)
            best[k] = min(best[k], clock() - begin)
            if any(one.status is not RunStatus.OK for one in found):
                sys.exit(f"a run failed: {found[0].detail}")
            samples[k] = len(found[0].traces[experiment.id, experiment.outputs[0].id].t_ms)
    return [(1e3 * float(ms) / count, n) for ms, n in zip(best, samples, strict=True)]


def by_compartments(folder: Path, rounds: int, largest: int) -> Iterator[Row]:
    """50 ms of activity."""
    for name, settings in SCHEMES.items():
        for size in (n for n in COMPARTMENTS if n <= largest):
            cell = tree(size, folder)
            assert cell.geometry is not None
            ms, samples = cost(BACKEND.compile(cell, settings), firing(50.0), 8, rounds, time.process_time)
            yield Row(COMPARTMENTS_AXIS, name, len(cell.geometry.compartments), ms, samples)


def by_time(folder: Path, rounds: int) -> Iterator[Row]:
    """100 compartments."""
    cell = tree(MIDDLE, folder)
    for name, settings in SCHEMES.items():
        program = BACKEND.compile(cell, settings)
        for duration in TIMES_MS:
            yield Row("simulated ms", name, duration, *cost(program, firing(duration), 4, rounds, time.process_time))


def by_candidates(folder: Path, rounds: int) -> Iterator[Row]:
    """Ten compartments, and a point cell; the cost of all candidates together."""
    model = read(ROOT / "examples" / "izhikevich" / "model.nml")
    point = lower(model, [resolve(model, "izhikevich2007Cell:regular_spiking/k")[0]])
    cases = {f"{name}, {SMALL} compartments": (tree(SMALL, folder), s, firing(50.0)) for name, s in SCHEMES.items()}
    cases["izhikevich, 1 s"] = (point, ADAPTIVE, firing(1000.0, 0.2))
    for name, (cell, settings, experiment) in cases.items():
        program = BACKEND.compile(cell, settings)
        for count in CANDIDATES:
            ms, samples = cost(program, experiment, count, rounds, time.process_time)
            yield Row("candidates (all of them)", name, count, ms * count, samples)


def by_threads(folder: Path, rounds: int) -> Iterator[Row]:
    """64 candidates with 100 compartments, by the clock and in CPU time of all threads, which take turns."""
    cell = tree(MIDDLE, folder)
    for name, settings in SCHEMES.items():
        for kind, clock in CLOCKS.items():
            programs = [BACKEND.compile(cell, replace(settings, threads=threads)) for threads in THREADS]
            found = costs(programs, firing(200.0), 64, rounds, clock)
            for threads, one in zip(THREADS, found, strict=True):
                yield Row(f"threads ({kind})", name, threads, *one)


def grown(rows: list[Row]) -> list[Row]:
    """The rows with the power between each and the one before it."""
    found = rows[:1]
    for before, row in pairwise(rows):
        if (before.axis, before.case) != (row.axis, row.case):
            found.append(row)
            continue
        per, steps = log(row.size / before.size), log(row.samples / before.samples)
        growth = log(row.ms / before.ms) / per
        of_step = growth - steps / per if row.axis == COMPARTMENTS_AXIS else None
        found.append(replace(row, growth=growth, growth_of_step=of_step))
    return found


def show(rows: list[Row]) -> None:
    """A table per axis and case."""
    place = ("", "")
    for row in rows:
        if place != (row.axis, row.case):
            place = (row.axis, row.case)
            print(f"\n{row.axis}: {row.case}")
        growth = "" if row.growth is None else f"growth {row.growth:5.2f}"
        growth += "" if row.growth_of_step is None else f", a step {row.growth_of_step:5.2f}"
        print(f"  {row.size:9g} {row.ms:12.4f} ms {row.samples:8d} samples  {growth}")


def plot(rows: list[Row], file: Path) -> None:
    """Cost by axis, double logarithmic, with a linear slope."""
    from matplotlib.figure import Figure

    axes = list(dict.fromkeys(row.axis for row in rows if not row.axis.startswith("threads")))
    figure = Figure(figsize=(4.2 * len(axes), 3.6), layout="constrained")
    for panel, axis in zip(figure.subplots(1, len(axes)), axes, strict=True):
        here = [row for row in rows if row.axis == axis]
        for case in dict.fromkeys(row.case for row in here):
            line = [(row.size, row.ms) for row in here if row.case == case]
            panel.loglog(*zip(*line, strict=True), "o-", label=case)
        sizes = sorted({row.size for row in here})
        middle = here[len(here) // 2]
        panel.loglog(sizes, [middle.ms * s / middle.size for s in sizes], ":", color="grey", label="linear")
        panel.set(xlabel=axis, ylabel="CPU ms")
        panel.legend(fontsize=7)
    figure.savefig(file, dpi=130)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="the best of these counts")
    parser.add_argument("--largest", type=int, default=COMPARTMENTS[-1], help="compartments")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--png", type=Path, help="a picture, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            *by_compartments(folder, options.rounds, options.largest),
            *by_time(folder, options.rounds),
            *by_candidates(folder, options.rounds),
            *by_threads(folder, options.rounds),
        ]
    rows = grown(rows)
    about: dict[str, Any] = {"machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    if options.png:
        plot(rows, options.png)
    if options.json:
        print(json.dumps({**about, "rows": [vars(row) for row in rows]}, indent=1))
        return
    print(f"{about['machine']}, {about['cores']} cores, load {about['load']:.1f}, best of {options.rounds}")
    show(rows)


if __name__ == "__main__":
    main()
