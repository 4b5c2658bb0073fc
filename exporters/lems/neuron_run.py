"""Runs a LEMS file in NEURON by jNeuroML's own export of it: generate, compile, run as a process."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from nmlopt.codegen.templating import num
from nmlopt.errors import BackendError, Issue
from nmlopt.exporters.lems.java import RunError, complaint, jneuroml, run
from nmlopt.exporters.lems.mechanisms import build

INSTALL: Final = "pip install neuron"


def compiler() -> Path:
    """nrnivmodl of the environment that runs us. Raises BackendError B096 without it."""
    beside = Path(sys.executable).with_name("nrnivmodl")
    if beside.is_file():
        return beside
    found = shutil.which("nrnivmodl")
    if found is None:
        message = "cells with several compartments run in NEURON, by jNeuroML's export; nrnivmodl is not there"
        raise BackendError(Issue("B096", message, hint=f"install NEURON: {INSTALL}"))
    return Path(found)


def run_in_neuron(folder: Path, file: str, places: Mapping[str, float], limit_s: float) -> str:
    """Export, compile and run `file` in `folder`; what the programs printed. Raises RunError.

    Numbers are written with all their digits, where the export would write seven. `places` gives where on its section
    (0 to 1) a column is recorded, by `<column>_<output file>`, if not at the middle of its segment.
    """
    said = jneuroml(folder, [file, "-neuron", "-nogui"])
    script = folder / f"{Path(file).stem}_nrn.py"
    if not script.is_file():
        raise RunError(f"jNeuroML exports nothing: {complaint(said)}")
    text = script.read_text(encoding="utf-8").replace("%e", "%.17g")
    for column, x in places.items():
        record = re.compile(rf"(v_{re.escape(column)}\.record\(&[^()]*)\([^()]*\)\)")
        text, count = record.subn(rf"\g<1>({num(x)}))", text)
        if count != 1:
            raise RunError(f"jNeuroML's export has no recording '{column}' to move to another place")
    script.write_text(text, encoding="utf-8")
    build(folder, compiler())
    return run([sys.executable, script.name, "-nogui"], folder, limit_s)
