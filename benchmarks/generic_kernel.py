"""What the generic kernel, which machines without a compiler run, costs beside the one that is compiled for a cell.

    python benchmarks/generic_kernel.py [FOLDER ...] [--candidates N] [--rounds N]

FOLDER holds model.nml and targets.json (default: the simple cell and the calcium cell here, three examples;
`l5pc/build.py` makes the one of the L5PC). Simulation alone, CPU time of one thread, both in turns in one run, the best
of the rounds. Recordings have to be the same to the bit.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from where_time_goes import candidates

from nmlopt.api.problem import Options, load
from nmlopt.backend import Recordings, Settings
from nmlopt.evaluate.model import Problem

ROOT = Path(__file__).parent.parent
DEFAULT = (
    *(ROOT / "benchmarks" / name for name in ("simplecell", "calciumcell")),
    *(ROOT / "examples" / name for name in ("hh_soma", "izhikevich", "ball_and_stick")),
)
KERNELS = ("compiled", "generic")


def problem(folder: Path, kernel: str) -> Problem:
    """The problem of a folder, its program made for that kernel."""
    os.environ["NMLOPT_KERNEL"] = kernel
    return load(folder / "model.nml", folder / "targets.json", Options("native", Settings(), folder)).problem


def measured(folder: Path, count: int, rounds: int) -> tuple[list[float], bool]:
    """(least CPU seconds per candidate in each kernel, whether they record the same)."""
    problems = [problem(folder, kernel) for kernel in KERNELS]
    values = problems[0].parameters.values(candidates(problems[0], count))
    best = [float("inf")] * len(KERNELS)
    found: list[Sequence[Recordings]] = [()] * len(KERNELS)
    for turn in range(rounds + 1):
        for k, one in enumerate(problems):
            begin = time.process_time()
            found[k] = one.backend.simulate(one.program, one.experiments, values)
            spent = (time.process_time() - begin) / count
            best[k] = min(best[k], spent) if turn else best[k]  # tables are made in the first turn
    return best, same(*found)


def same(ours: Sequence[Recordings], theirs: Sequence[Recordings]) -> bool:
    """Whether all traces are the same to the bit."""
    return all(
        a.status == b.status
        and a.traces.keys() == b.traces.keys()
        and all(
            np.array_equal(t.t_ms, b.traces[key].t_ms) and t.y.tobytes() == b.traces[key].y.tobytes()
            for key, t in a.traces.items()
        )
        for a, b in zip(ours, theirs, strict=True)
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=DEFAULT, metavar="FOLDER")
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    print(f"{'':16} {'compiled':>10} {'generic':>10} {'ratio':>6}   load {os.getloadavg()[0]:.1f}")
    for folder in given.folders:
        (compiled, generic), is_same = measured(folder, given.candidates, given.rounds)
        verdict = "same to the bit" if is_same else "RECORDINGS DIFFER"
        print(
            f"{folder.name:16} {1e3 * compiled:7.3f} ms {1e3 * generic:7.3f} ms {generic / compiled:6.2f}   {verdict}"
        )


if __name__ == "__main__":
    main()
