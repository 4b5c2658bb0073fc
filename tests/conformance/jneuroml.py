"""Runs the cases in jNeuroML and writes a results folder that the runner judges: an example of another simulator.

python -m tests.conformance.jneuroml OUT [--engine jlems|neuron] [--cases PATTERN]
python -m tests.conformance.runner --results OUT
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conformance.results import HALF_STEP, MESSAGE, OUTPUT
from tests.conformance.suite import CASES, case_ids

_STEP = re.compile(r'step="([0-9.eE+-]+)\s*ms"')


def main(arguments: list[str]) -> int:
    """Runs what is asked for; 2 if Java is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.jneuroml", description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the results; a case that is there is not run again")
    parser.add_argument("--engine", choices=("jlems", "neuron"), default="jlems", help="jLEMS, or its NEURON export")
    parser.add_argument("--cases", default="*", help="which cases (shell pattern)")
    parser.add_argument("--halvings", type=int, default=0, help="how often to halve the step of LEMS_case.xml first")
    options = parser.parse_args(arguments)
    java = shutil.which("java")
    if java is None:
        print("java is missing: sudo apt-get install default-jre-headless")
        return 2
    for case in case_ids(options.cases):
        if (options.out / case).exists():
            continue
        for folder, more in ((options.out / case, 0), (options.out / case / HALF_STEP, 1)):
            said = _run(java, case, folder, options.engine, options.halvings + more)
            print(f"{case} {said or 'ok'}", flush=True)
            if said:
                (options.out / case / MESSAGE).write_text(f"error: {said}", encoding="utf-8")
                break
    return 0


def _run(java: str, case: str, folder: Path, engine: str, halvings: int) -> str:
    """Run a case in a copy of its folder with its step halved so often; what went wrong, '' if nothing."""
    shutil.copytree(CASES / case, folder, dirs_exist_ok=True)
    lems = folder / "LEMS_case.xml"
    text = lems.read_text(encoding="utf-8")
    lems.write_text(_STEP.sub(lambda m: f'step="{float(m[1]) / 2**halvings}ms"', text), encoding="utf-8")
    command = [java, "-Xmx1G", "-jar", str(_jar()), lems.name]
    if engine == "jlems":
        said = _call([*command, "-nogui"], folder)
    else:
        said = _call([*command, "-neuron", "-nogui"], folder)
        script = folder / "LEMS_case_nrn.py"
        if script.exists():
            script.write_text(script.read_text().replace("%e", "%.17g"))  # all digits instead of seven
            said += _call([str(Path(sys.prefix, "bin", "nrnivmodl"))], folder)
            said += _call([sys.executable, script.name, "-nogui"], folder)
    for left in ("x86_64", "arm64"):
        shutil.rmtree(folder / left, ignore_errors=True)
    return "" if (folder / OUTPUT).exists() else _last_line(said)


def _call(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    return ran.stdout + ran.stderr


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if re.search("error|exception|not |no ", line, re.IGNORECASE)]
    return (lines or said.splitlines() or ["no output"])[-1][:300]


def _jar() -> Path:
    import pyneuroml

    found = sorted(Path(pyneuroml.__file__).parent.glob("lib/jNeuroML*-jar-with-dependencies.jar"))
    if not found:
        raise SystemExit("the jar of jNeuroML is not in the installed pyneuroml")
    return found[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
