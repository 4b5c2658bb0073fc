"""Recovery of known parameters on published cells: how many evaluations a fit needs, and what it finds.

    python benchmarks/recovery.py [--case NAME ...] [--seeds 1,2,3] [--algorithm ibea] [--generations 150]

Targets are made by simulating the published values (sd 5 % of the mean, with a floor per unit); the search starts from
a random population that does not hold them and ends when one candidate has every objective below 1 sd. Needs the
published models at ../shared/data beside the checkout. The cases are in tests/tools/recovery_cases.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

from recovery import Recovery, recover  # noqa: E402 - tests' tools lie in a folder that is added to the path first
from recovery_cases import CASES  # noqa: E402 - the same

from nmlopt.optimise.model import AlgorithmSettings  # noqa: E402 - follows them

DATA = ROOT.parent / "shared" / "data"


def main() -> int:
    """Run the cases one after another and print a line for each seed; 1 if a search missed the mark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES], help="default: all")
    parser.add_argument("--seeds", default="1,2,3", help="default 1,2,3")
    parser.add_argument("--algorithm", default="ibea")
    parser.add_argument("--offspring", type=int, default=32)
    parser.add_argument("--generations", type=int, default=150, help="at most")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    settings = AlgorithmSettings(name=given.algorithm, offspring=given.offspring)
    found: list[Recovery] = []
    for case in CASES:
        if given.case and case.name not in given.case:
            continue
        for seed in map(int, given.seeds.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                result = recover(
                    case,
                    DATA / case.model,
                    Path(folder),
                    seed=seed,
                    generations=given.generations,
                    algorithm=settings,
                    workers=given.workers,
                )
            found.append(result)
            show(result)
    return int(any(result.worst >= 1.0 for result in found))


def show(result: Recovery) -> None:
    """One search: a line of figures, then each parameter beside its published value."""
    print(
        f"{result.case} {result.algorithm} seed {result.seed}: {result.evaluations} evaluations, "
        f"{result.generations} generations, worst {result.worst:.2f} sd, sum {result.total:.2f} sd, "
        f"{result.failures} failures, {result.cpu_s:.0f} s CPU",
        flush=True,
    )
    for name, value in result.values.items():
        truth, share = result.truth[name], result.distance[name]
        print(f"    {name:16s} {value:12.5g}   true {truth:12.5g}   {share:4.0%} of the bounds' width off", flush=True)


if __name__ == "__main__":
    sys.exit(main())
