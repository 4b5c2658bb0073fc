"""The 35 features of the layer 5 pyramidal cell at its published parameters: nmlopt's NeuroML against BluePyOpt.

    python benchmarks/l5pc/compare.py DATA [--bluepyopt PYTHON [--library LIB]] [--json]

DATA as for build.py. Without --bluepyopt, nmlopt's values at BluePyOpt's own settings (CVODE, tolerance 1e-3; eFEL's
grid of 0.1 ms) stand beside the published ones of DATA/expected_bluepyopt.json. PYTHON is that of an environment that
holds BluePyOpt (it needs no nmlopt): then both are run converged and sampled alike, too (tolerance 1e-6, grid of
0.01 ms). BluePyOpt runs with the mechanisms of mods/nmodl, compiled here, or with LIB, a library of the published ones.
Exit code 1 if a converged value differs by more than 0.1 sd.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from build import build
from l5pc_data import expected, load

from nmlopt.api.inspecting import score
from nmlopt.api.problem import Options
from nmlopt.backend import Integrator, Settings
from nmlopt.exporters.neuron.build import build as compile_mechanisms
from nmlopt.exporters.neuron.build import library

OWN = {"atol": 1e-3, "interp_step": None}
CONVERGED = {"atol": 1e-6, "interp_step": 0.01}
LIMIT_SD = 0.1


def ours(data: Path, setting: dict[str, Any]) -> dict[str, Any]:
    """Feature values, scores, their sum and CPU seconds (building and compiling included) of the document."""
    grid = {} if setting["interp_step"] is None else {"interp_step": setting["interp_step"]}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "l5pc"
        build(load(data), out, grid)
        options = Options(settings=Settings(integrator=Integrator.CVODE, atol=setting["atol"]), root=out)
        begin = time.process_time()
        _, evaluation = score(out / "model.nml", out / "targets.json", options)
    values = {name: sum(found) / len(found) for name, found in evaluation.features.items() if len(found)}
    return {
        "values": values,
        "scores": dict(evaluation.scores),
        "sum": evaluation.total,
        "cpu_s": time.process_time() - begin,
    }


def bluepyopts(data: Path, python: Path, given: Path | None) -> list[dict[str, Any]]:
    """The same of BluePyOpt, at both settings."""
    lib, names = (given.resolve(), "published") if given is not None else (twins(), "own")
    script = Path(__file__).with_name("peer.py")
    command = [
        str(python.absolute()),
        str(script.resolve()),
        str(data.resolve()),
        str(lib),
        names,
        json.dumps([OWN, CONVERGED]),
    ]
    with tempfile.TemporaryDirectory() as empty:  # NEURON loads mechanisms that it finds in the working folder, too
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=empty)
    if run.returncode:
        sys.exit(f"BluePyOpt failed:\n{run.stderr[-3000:]}")
    runs: list[dict[str, Any]] = json.loads(run.stdout)["runs"]
    return runs


def twins() -> Path:
    """The compiled library of mods/nmodl."""
    folder = Path(str(files("nmlopt.mods") / "nmodl"))
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.mod"))}
    found = library(compile_mechanisms(texts, hashlib.sha256(json.dumps(texts).encode()).hexdigest()))
    if found is None:
        sys.exit("the mechanisms of mods/nmodl were not compiled")
    return found


def main() -> int:
    """Run, print the table, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--bluepyopt", type=Path, metavar="PYTHON")
    parser.add_argument("--library", type=Path, metavar="LIB")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    published = expected(given.data)
    sds = {t: sd for t, (_, sd) in _wanted(load(given.data).features).items()}
    runs = {"nmlopt": ours(given.data, OWN)}
    if given.bluepyopt is not None:
        runs["BluePyOpt"], runs["BluePyOpt converged"] = bluepyopts(given.data, given.bluepyopt, given.library)
        runs["nmlopt converged"] = ours(given.data, CONVERGED)
    apart = _apart(runs, sds)
    if given.json:
        print(json.dumps({"published": published, "runs": runs, "converged_difference_sd": apart}, indent=1))
    else:
        _show(published, runs, sds, apart)
    return int(any(not value <= LIMIT_SD for value in apart.values()))


def _wanted(features: dict[str, Any]) -> dict[str, tuple[float, float]]:
    return {
        f"{p}.{at}.{f}": row for p, places in features.items() for at, fs in places.items() for f, row in fs.items()
    }


def _apart(runs: dict[str, Any], sds: dict[str, float]) -> dict[str, float]:
    """Distance in sd of the converged values, feature by feature; empty if they were not made."""
    if "nmlopt converged" not in runs:
        return {}
    mine, theirs = runs["nmlopt converged"]["values"], runs["BluePyOpt converged"]["values"]
    return {name: abs(mine.get(name, float("nan")) - theirs[name]) / sd for name, sd in sds.items()}


def _show(published: dict[str, Any], runs: dict[str, Any], sds: dict[str, float], apart: dict[str, float]) -> None:
    columns = list(runs)
    print(f"{'feature':42}{'sd':>9}{'published':>13}" + "".join(f"{name:>22}" for name in columns) + "   apart (sd)")
    for name, sd in sds.items():
        cells = "".join(f"{runs[c]['values'].get(name, float('nan')):22.6g}" for c in columns)
        distance = f"{apart[name]:13.4f}" if apart else ""
        print(f"{name:42}{sd:9.4g}{published['features'][name]['value']:13.6g}{cells}{distance}")
    sums = "".join(f"{runs[c]['sum']:22.4f}" for c in columns)
    worst = f"{max(apart.values()):13.4f}" if apart else ""
    print(f"{'sum of scores':51}{published['sum_of_scores']:13.4f}{sums}{worst}")
    print(f"{'CPU seconds':64}" + "".join(f"{runs[c]['cpu_s']:22.1f}" for c in columns))


if __name__ == "__main__":
    sys.exit(main())
