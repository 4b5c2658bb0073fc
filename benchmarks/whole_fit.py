"""A whole fit of the layer 5 pyramidal cell on the native kernel, beside what BluePyOpt needs for as many evaluations.

    python benchmarks/whole_fit.py DATA --out RUN [--bluepyopt PYTHON] [--generations 50] [--offspring 64] [--json]

DATA: the cell's published files (see l5pc/build.py). Runs `nmlopt fit` with IBEA on two workers, without the published
values among the first candidates, and leaves its run folder at RUN. Prints wall and CPU time (of all its processes,
looked at twice a second), the best sums, and how the solutions that the fit wrote score on NEURON (which the fit does
by itself at its end; it counts in the CPU time of 'all', not in that of the search). With --bluepyopt: the CPU time of
BluePyOpt for `--sample` candidates taken evenly from the whole run, times the number of evaluations; so that is no fit,
but a measurement multiplied. An existing RUN is only read.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nmlopt.results.store import RunStore

HERE = Path(__file__).resolve().parent
TIMES = "whole_fit.json"
EACH_S = 0.5
SHOWN = 5


def cpu_seconds_of(group: int) -> float:
    """CPU seconds of the living processes of a process group and of their children that have ended (Linux)."""
    ticks, total = os.sysconf("SC_CLK_TCK"), 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[2]) == group:
            total += sum(int(field) for field in fields[11:15])
    return total / ticks


def fit(data: Path, out: Path, given: argparse.Namespace) -> None:
    """Build the cell beside the run, fit it, and keep the times in the run's folder."""
    cell = out.with_name(out.name + "_cell")
    if not (cell / "model.nml").exists():
        command = [sys.executable, str(HERE / "l5pc" / "build.py"), str(data), str(cell)]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode != 0:
            sys.exit(f"the layer 5 cell was not built: {built.stderr.strip()}")
    command = [
        *(sys.executable, "-m", "nmlopt", "fit", str(cell / "model.nml"), str(cell / "targets.json")),
        *("--out", str(out), "--algorithm", "ibea", "--offspring", str(given.offspring)),
        *("--generations", str(given.generations), "--workers", str(given.workers), "--seed", str(given.seed)),
        *("--backend", "native", "--without-present", "--root", str(cell)),
    ]
    begin, used = time.perf_counter(), 0.0
    process = subprocess.Popen(command, start_new_session=True, stdout=sys.stderr)
    while process.poll() is None:
        used = max(used, cpu_seconds_of(process.pid))
        time.sleep(EACH_S)
    if process.returncode not in (0, 1):
        sys.exit(f"the fit ended with {process.returncode}")
    times = {"wall_s": time.perf_counter() - begin, "cpu_s": used, "load": os.getloadavg()[2]}
    (out / TIMES).write_text(json.dumps(times), encoding="utf-8")


def found(out: Path) -> dict[str, Any]:
    """What a run folder holds: times, evaluations, best sums, solutions and their scores on NEURON."""
    command = [sys.executable, "-m", "nmlopt", "status", str(out), "--json"]
    summary = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    with RunStore.open(out) as store:
        table = store.table()
    best = [float(table.objectives[table.generations <= g].sum(axis=1).min()) for g in np.unique(table.generations)]
    return {
        "all": json.loads((out / TIMES).read_text(encoding="utf-8")),
        "search": {"wall_s": summary["wall_seconds"], "cpu_s": summary["cpu_seconds"]},
        "evaluations": summary["evaluations"],
        "best_sum": summary["best_sum"],
        "best_by_generation": best,
        "solutions": [again(solution) for solution in summary["solutions"][:SHOWN]],
        "warnings": [warning["message"] for warning in summary["warnings"]],
    }


def again(solution: dict[str, Any]) -> dict[str, Any]:
    """The sums of a solution: of the search, at a tighter setting, on NEURON; and the largest change of a score."""
    parts = {part["role"]: part for part in solution["rescored"]}
    row: dict[str, Any] = {"name": solution["name"], "search": solution["sum"]}
    for role, part in parts.items():
        row[role] = part["sum"]
        if part["largest"] is not None:
            largest = part["largest"]
            row[f"{role}_largest"] = [largest["objective"], abs(largest["again"] - largest["search"])]
    return row


def in_bluepyopt(data: Path, out: Path, python: Path, count: int) -> dict[str, Any]:
    """CPU seconds of BluePyOpt for candidates taken evenly from the run, in the order in which they were evaluated."""
    with RunStore.open(out) as store:
        table = store.table()
        names = [parameter.id for parameter in store.info.parameters]
    rows = np.linspace(0, len(table.numbers) - 1, count).round().astype(int)
    candidates = [dict(zip(names, table.x[row].tolist(), strict=True)) for row in rows]
    sys.path.insert(0, str(HERE / "l5pc"))
    from compare import twins

    command = [str(python.absolute()), str(HERE / "bluepyopt_cost.py"), str(data.resolve()), str(twins())]
    with tempfile.TemporaryDirectory() as empty:  # NEURON loads mechanisms that it finds in the working folder
        run = subprocess.run(
            command, input=json.dumps(candidates), capture_output=True, text=True, check=False, cwd=empty
        )
    if run.returncode != 0:
        sys.exit(f"BluePyOpt failed:\n{run.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(run.stdout)
    sums = [float(table.objectives[row].sum()) for row in rows]
    mean = float(np.mean(told["cpu_s"]))
    return {**told, "native_sums": sums, "mean_cpu_s": mean, "all_cpu_h": mean * len(table.numbers) / 3600.0}


def show(about: dict[str, Any]) -> None:
    """Print it."""
    run, search = about["all"], about["search"]
    print(f"nmlopt {about['nmlopt']}, {about['machine']}, {about['cores']} cores, load {run['load']:.1f}")
    each = 1e3 * search["cpu_s"] / about["evaluations"]
    print(f"{about['evaluations']} evaluations, {each:.0f} ms CPU each")
    print(f"search: {search['wall_s']:.0f} s wall, {search['cpu_s']:.0f} s CPU of its workers")
    print(f"all, solutions scored again included: {run['wall_s']:.0f} s wall, {run['cpu_s']:.0f} s CPU")
    steps = about["best_by_generation"]
    shown = sorted({0, len(steps) // 10, len(steps) // 4, len(steps) // 2, len(steps) - 1})
    print("best sum (sd) by generation: " + ", ".join(f"{k}: {steps[k]:.1f}" for k in shown))
    for solution in about["solutions"]:
        parts = (f"{k} {v:.2f}" if isinstance(v, float) else f"{k} {v}" for k, v in solution.items() if k != "name")
        print(f"  solution {solution['name']}: {', '.join(parts)}")
    for warning in about["warnings"]:
        print(f"  warning: {warning}")
    peer = about.get("bluepyopt")
    if peer is None:
        print("BluePyOpt left out: no --bluepyopt PYTHON was given")
        return
    print(
        f"BluePyOpt {peer['bluepyopt']}, NEURON {peer['neuron']}: {peer['mean_cpu_s']:.1f} s CPU per evaluation "
        f"(mean of {len(peer['cpu_s'])} candidates of this run), times {about['evaluations']}: "
        f"{peer['all_cpu_h']:.1f} h CPU"
    )
    print(f"  search {3600.0 * peer['all_cpu_h'] / search['cpu_s']:.0f} times cheaper in CPU time")


def main() -> None:
    """Fit, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN")
    parser.add_argument("--bluepyopt", type=Path, metavar="PYTHON")
    parser.add_argument("--generations", type=int, default=50)
    parser.add_argument("--offspring", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=20, help="candidates for BluePyOpt")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not (given.out / TIMES).exists():
        if given.out.exists():
            parser.error(f"{given.out} exists and holds no fit of this script")
        fit(given.data, given.out, given)
    about = {"nmlopt": version("nmlopt"), "machine": platform.machine(), "cores": os.cpu_count(), **found(given.out)}
    if given.bluepyopt is not None:
        about["bluepyopt"] = in_bluepyopt(given.data, given.out, given.bluepyopt, given.sample)
    print(json.dumps(about, indent=1)) if given.json else show(about)


if __name__ == "__main__":
    main()
