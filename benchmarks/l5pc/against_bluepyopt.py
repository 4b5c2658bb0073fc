"""CPU time of evaluations of the layer 5 pyramidal cell, nmlopt's native kernel against BluePyOpt, and their error.

    python benchmarks/l5pc/against_bluepyopt.py DATA --bluepyopt PYTHON [--library LIB] [--near N] [--uniform N]
        [--rounds N] [--accuracy A ...] [--state FILE] [--instructions x86-64-v3] [--json]

DATA, PYTHON and LIB as for compare.py. All in one run, one thread, all four protocols and 35 features: BluePyOpt's
evaluator as its example makes it, and nmlopt's evaluation with everything it does (binding, simulation, features,
scores, what goes through a worker's pipe, the store), at each accuracy. Scores are compared with those of NEURON
converged (CVODE 1e-6 for the published parameters, 1e-5 for others, in BluePyOpt), eFEL's grid at 0.01 ms on both
sides; times are taken at its default grid. --near: candidates x exp(0.2 N(0, 1)) around the published ones, clipped to
the bounds; --uniform: drawn from the bounds. It is long: with FILE each candidate is kept there, and a second run goes
on with the next. Times on a busy machine vary: both sides take turns, and each time is the best of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from build import build
from compare import twins
from l5pc_data import Data, load

from nmlopt.api.problem import Options
from nmlopt.api.problem import load as load_problem
from nmlopt.backend import Accuracy, Settings
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.evaluate.model import Evaluation, Problem
from nmlopt.exporters.native.build import INSTRUCTIONS
from nmlopt.results.store import RunStore

sys.path.insert(0, str(Path(__file__).parents[1]))
from where_time_goes import info, sent

GRID_MS = 0.01
PUBLISHED_ATOL, OTHER_ATOL = 1e-6, 1e-5
SEED = 1


class Peer:
    """BluePyOpt in a process of its own."""

    def __init__(self, data: Path, python: Path, library: Path | None) -> None:
        lib, names = (library.resolve(), "published") if library is not None else (twins(), "own")
        script = Path(__file__).with_name("evaluations_peer.py").resolve()
        command = [str(python.absolute()), str(script), str(data.resolve()), str(lib), names]
        self.folder = tempfile.TemporaryDirectory()  # NEURON loads mechanisms that it finds in the working folder, too
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=self.folder.name
        )
        self.versions = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit("BluePyOpt failed")
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, **task: Any) -> dict[str, Any]:
        """The answer to a task."""
        assert self.process.stdin is not None
        print(json.dumps(task), file=self.process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """End it."""
        self.process.communicate("")
        self.folder.cleanup()


class Ours:
    """nmlopt at one accuracy: timed at eFEL's own grid, judged at the fine one."""

    def __init__(self, folder: Path, accuracy: Accuracy) -> None:
        options = Options("native", Settings(accuracy=accuracy), folder)
        self.timed, self.judged = (
            load_problem(folder / "model.nml", folder / f"{name}.json", options).problem for name in ("targets", "fine")
        )

    def evaluate(self, problem: Problem, values: Mapping[str, float]) -> Evaluation:
        """One candidate."""
        x = np.array([[values[p.id] for p in problem.parameters.free]])
        (found,) = evaluate_batch(problem, x)
        return found

    def cpu_seconds(self, values: Mapping[str, float], rounds: int) -> list[float]:
        """Of each round everything: the evaluation, the worker's pipe and the store."""
        seconds = []
        with tempfile.TemporaryDirectory() as folder:
            for k in range(rounds + 1):
                with RunStore.create(Path(folder) / f"run{k}", info(self.timed)) as store:
                    begin = time.process_time()
                    found = self.evaluate(self.timed, values)
                    store.commit_generation(1, 0, sent([found]), {}, 0.0)
                    seconds.append(time.process_time() - begin)
        return seconds[1:]  # the first round makes tables


def candidates(data: Data, near: int, uniform: int) -> dict[str, dict[str, float]]:
    """Values by name of parameter for each candidate, the published ones first; the same in every run."""
    bounds = {f"{e['param_name']}.{e['sectionlist']}": e["bounds"] for e in data.parameters if "bounds" in e}
    rng = np.random.default_rng(SEED)
    found = {"published": dict(data.values)}
    for k in range(near):
        factors = np.exp(0.2 * rng.standard_normal(len(bounds)))
        found[f"near{k}"] = {
            name: float(np.clip(data.values[name] * f, *sorted(bounds[name])))
            for name, f in zip(bounds, factors, strict=True)
        }
    rng = np.random.default_rng(SEED + 1)
    for k in range(uniform):
        draws = rng.random(len(bounds))
        found[f"uniform{k}"] = {
            name: float(low + u * (high - low)) for (name, (low, high)), u in zip(bounds.items(), draws, strict=True)
        }
    return found


def row(peer: Peer, ours: Mapping[str, Ours], name: str, values: dict[str, float], rounds: int) -> dict[str, Any]:
    """Everything about one candidate."""
    atol = PUBLISHED_ATOL if name == "published" else OTHER_ATOL
    truth = peer.ask(converge=values, atol=atol, interp_step=GRID_MS)
    theirs = peer.ask(evaluate=values, rounds=1)["cpu_s"]
    found: dict[str, Any] = {"candidate": name, "converged_cpu_s": truth["cpu_s"], "native": {}}
    for accuracy, side in ours.items():
        seconds = side.cpu_seconds(values, rounds)
        judged = side.evaluate(side.judged, values)
        missing = [target for target in judged.scores if target not in judged.features]
        found["native"][accuracy] = {
            "cpu_s": min(seconds),
            "apart": {t: abs(judged.scores[t] - truth["scores"][t]) for t in judged.scores},
            "flips": sorted(set(missing) ^ set(truth["missing"])),
            "score": {t: [judged.scores[t], truth["scores"][t]] for t in judged.scores},
        }
    if rounds > 1 and name == "published":
        theirs += peer.ask(evaluate=values, rounds=rounds - 1)["cpu_s"]
    found["bluepyopt_cpu_s"] = min(theirs)
    return found


def summary(rows: list[dict[str, Any]], kind: str, accuracy: str) -> dict[str, Any] | None:
    """Of the candidates of a kind at an accuracy: times, ratios, differences of scores (of features found in both)."""
    chosen = [r for r in rows if r["candidate"].startswith(kind) and accuracy in r["native"]]
    if not chosen:
        return None
    own = [r["native"][accuracy] for r in chosen]
    apart = [(d, r["candidate"], t) for r, o in zip(chosen, own, strict=True) for t, d in o["apart"].items()]
    flipped = {(r["candidate"], t) for r, o in zip(chosen, own, strict=True) for t in o["flips"]}
    kept = sorted((d, c, t) for d, c, t in apart if (c, t) not in flipped)
    differences = np.array([d for d, _, _ in kept])
    ratios = [r["bluepyopt_cpu_s"] / o["cpu_s"] for r, o in zip(chosen, own, strict=True)]
    return {
        "kind": kind,
        "accuracy": accuracy,
        "candidates": len(chosen),
        "bluepyopt_ms": 1e3 * float(np.median([r["bluepyopt_cpu_s"] for r in chosen])),
        "native_ms": 1e3 * float(np.median([o["cpu_s"] for o in own])),
        "ratio": float(np.median(ratios)),
        "mean": float(differences.mean()),
        "p99": float(np.quantile(differences, 0.99)),
        "max": float(differences.max()),
        "flips": sorted(flipped),
        "largest": [(round(d, 3), c, t) for d, c, t in kept[:-6:-1]],
    }


def show(found: dict[str, Any]) -> None:
    """One line per kind and accuracy."""
    about = {k: v for k, v in found.items() if k != "summary"}
    print(json.dumps(about))
    for s in found["summary"]:
        print(
            f"{s['kind']:10}{s['accuracy']:9}{s['candidates']:4d}  BluePyOpt {s['bluepyopt_ms']:8.0f} ms  native "
            f"{s['native_ms']:7.1f} ms  x{s['ratio']:6.1f}  apart (sd): mean {s['mean']:.4f} p99 {s['p99']:.3f} "
            f"max {s['max']:.3f}  flips {len(s['flips'])}"
        )
        for d, candidate, target in s["largest"]:
            print(f"{'':24}{d:8.3f} {candidate} {target}")
        for candidate, target in s["flips"]:
            print(f"{'':24}    flip {candidate} {target}")


def main() -> None:
    """Run what is not there yet, print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--bluepyopt", type=Path, metavar="PYTHON", required=True)
    parser.add_argument("--library", type=Path, metavar="LIB")
    parser.add_argument("--near", type=int, default=20)
    parser.add_argument("--uniform", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--accuracy", nargs="+", default=[str(a) for a in Accuracy], choices=[str(a) for a in Accuracy])
    parser.add_argument("--state", type=Path, metavar="FILE")
    parser.add_argument("--instructions", metavar="MARCH", help="compile for this processor, not for the one at hand")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.instructions:
        os.environ[INSTRUCTIONS] = given.instructions
    data = load(given.data)
    rows: list[dict[str, Any]] = []
    if given.state is not None and given.state.exists():
        rows = [json.loads(line) for line in given.state.read_text(encoding="utf-8").splitlines()]
    done = {r["candidate"] for r in rows}
    peer = Peer(given.data, given.bluepyopt, given.library)
    with tempfile.TemporaryDirectory() as folder:
        here, fine = Path(folder) / "l5pc", Path(folder) / "fine"
        build(data, here, {})
        build(data, fine, {"interp_step": GRID_MS})
        (fine / "targets.json").rename(here / "fine.json")
        ours = {name: Ours(here, Accuracy(name)) for name in given.accuracy}
        for name, values in candidates(data, given.near, given.uniform).items():
            if name in done:
                continue
            rows.append(row(peer, ours, name, values, given.rounds))
            if given.state is not None:
                with given.state.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    peer.close()
    found = {
        **peer.versions,
        "nmlopt": version("nmlopt"),
        "numpy": np.__version__,
        "instructions": given.instructions or "native",
        "load": os.getloadavg()[0],
        "summary": [
            s for kind in ("published", "near", "uniform") for a in given.accuracy if (s := summary(rows, kind, a))
        ],
    }
    print(json.dumps(found, indent=1)) if given.json else show(found)


if __name__ == "__main__":
    main()
