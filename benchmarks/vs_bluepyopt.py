"""CPU time per evaluation of the simplecell problem: nmlopt against BluePyOpt, same candidates, same run.

    python benchmarks/vs_bluepyopt.py --peer PYTHON [--candidates N] [--rounds K]

PYTHON is the interpreter of an environment of its own that holds BluePyOpt (`python -m venv bpo && bpo/bin/pip install
bluepyopt`). Everything is included on both sides: parameters, simulation, features, scores, worker processes and their
start, which nmlopt spreads over five times the candidates. Both run with their default settings: BluePyOpt with CVODE
and one process per evaluation, nmlopt with a fixed step of 0.025 ms and one sandboxed worker; nmlopt with CVODE is
shown too. Prints the ratio, and how many feature values of each differ from converged ones (CVODE at 1e-7).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from nmlopt.api.problem import Options, load
from nmlopt.backend import Integrator, Settings
from nmlopt.evaluate.model import Evaluation
from nmlopt.evaluate.pool import Evaluator

HERE = Path(__file__).parent / "simplecell"
REPEATS = 5
"""The start of the worker, about a second, is spread over this many times the candidates: a small fit of a thousand."""
PEER = Path(__file__).with_name("bluepyopt_peer.py")


def cpu_seconds() -> float:
    """CPU seconds of all living processes of this process group, and of their children that have ended (Linux).

    The workers are children of a fork server, which is not waited for: their time is in no rusage of this process.
    """
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[2]) == os.getpgrp():
            total += sum(int(field) for field in fields[11:15])
    return total / ticks


def ours(x: np.ndarray, settings: Settings, repeats: int = REPEATS) -> tuple[float, tuple[Evaluation, ...]]:
    """CPU seconds per evaluation and the evaluations, with one worker process, its start and end included."""
    loaded = load(HERE / "model.nml", HERE / "targets.json", Options(settings=settings))
    before = cpu_seconds()
    with Evaluator(loaded.problem, workers=1, timeout_s=60.0) as evaluator:
        found = evaluator.evaluate(np.tile(x, (repeats, 1)))
        used = cpu_seconds() - before
    return used / len(found), found[: len(x)]


def theirs(x: np.ndarray, python: str) -> dict:
    """What BluePyOpt says of the same candidates."""
    run = subprocess.run([python, PEER], input=json.dumps(x.tolist()), capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def main() -> int:
    """Run both, print the comparison; 1 if ours differ from the converged values in more than 2 of 100 candidates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, metavar="PYTHON", help="interpreter of the BluePyOpt environment")
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3, help="best of these counts")
    args = parser.parse_args()
    os.setpgid(0, 0)  # a process group of our own, so that its CPU time is that of the benchmark
    x = np.random.default_rng(1).uniform([0.05, 0.01], [0.125, 0.075], (args.candidates, 2))
    peers = [theirs(x, args.peer) for _ in range(args.rounds)]
    peer_s = min(p["cpu_seconds"] for p in peers) / len(x)
    converged = values(ours(x, Settings(integrator=Integrator.CVODE, atol=1e-7), repeats=1)[1])
    print(f"BluePyOpt {peers[0]['bluepyopt']}, NEURON {peers[0]['neuron']}, eFEL {peers[0]['efel']}")
    print(f"nmlopt {version('nmlopt')}, NEURON {version('neuron')}, eFEL {version('efel')}, {len(x)} candidates")
    wrong = differing(peers[0]["values"], converged)
    print(f"  BluePyOpt (CVODE)      {1e3 * peer_s:8.2f} ms CPU per evaluation; {said(wrong, converged)}")
    most = 0
    for integrator in (Integrator.FIXED, Integrator.CVODE):
        runs = [ours(x, Settings(integrator=integrator)) for _ in range(args.rounds)]
        mine_s = min(seconds for seconds, _ in runs)
        wrong = differing(values(runs[0][1]), converged)
        most = max(most, wrong)
        print(
            f"  nmlopt ({integrator:5})         {1e3 * mine_s:8.2f} ms CPU per evaluation: 1/{peer_s / mine_s:.1f};"
            f" {said(wrong, converged)}"
        )
    return 1 if most > 0.02 * sum(map(len, converged)) else 0


def values(evaluations: tuple[Evaluation, ...]) -> list[dict[str, float | None]]:
    """The first value of each feature, by candidate."""
    return [{name: e.features.get(name, (None,))[0] for name in e.features} for e in evaluations]


def differing(found: list[dict], wanted: list[dict]) -> int:
    """How many feature values are not the same."""
    return sum(
        one.get(name) != value for one, other in zip(found, wanted, strict=True) for name, value in other.items()
    )


def said(wrong: int, wanted: list[dict]) -> str:
    """The count in words."""
    return f"{wrong} of {sum(map(len, wanted))} spike counts differ from the converged ones"


if __name__ == "__main__":
    sys.exit(main())
