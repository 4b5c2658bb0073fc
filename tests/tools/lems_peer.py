"""jNeuroML's own NEURON export of a LEMS file, run in a copy: a peer that reads the same file."""

from __future__ import annotations

import os
import re
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from export_repairs import Repair
from omv_cases import CaseError

from nmlopt.document.model import Document
from nmlopt.errors import BackendError
from nmlopt.exporters.lems.java import RunError, jneuroml, run
from nmlopt.exporters.lems.neuron_run import compiler

LIMIT_S = 3600.0

_RANDOM = re.compile(r"(?m)^(?:double|void\*) nrn_random_(?:pick|arg)\(.*\);\n")
_STEP = re.compile(rb"(\sstep\s*=\s*)([\"'])[^\"']*\2")


@dataclass(frozen=True)
class Peer:
    """What jNeuroML's export wrote (absolute paths as if beside the published file), and its CPU time in s."""

    tables: dict[Path, np.ndarray]
    cpu_s: float


def run_peer(
    document: Document, names: list[str], folder: Path, *, dt_ms: float | None = None, repair: Repair | None = None
) -> Peer:
    """Export a LEMS file to NEURON and run it; `names` are the tables that it writes, relative to it.

    The document's files are copied to `folder` first; `dt_ms` replaces the step of the Simulation. Numbers are printed
    with all their digits instead of seven. Declarations that contradict the headers of NEURON 9 are left out: with them
    nothing that draws random numbers compiles. `repair` changes the text of each exported file, too. Raises CaseError
    if a step of the way fails, or Java or NEURON is missing.
    """
    try:
        return _peer(document, names, folder, dt_ms, repair)
    except (RunError, BackendError) as error:
        raise CaseError(str(error)) from None


def _peer(document: Document, names: list[str], folder: Path, dt_ms: float | None, repair: Repair | None) -> Peer:
    _copy(document, folder)
    lems = folder / document.main
    if dt_ms is not None:
        lems.write_bytes(_with_step(lems.read_bytes(), dt_ms))
    for name in names:
        (lems.parent / name).parent.mkdir(parents=True, exist_ok=True)
    said = jneuroml(lems.parent, [lems.name, "-neuron", "-nogui"], LIMIT_S)
    script = lems.with_name(f"{lems.stem}_nrn.py")
    if not script.exists():
        raise CaseError(f"jNeuroML exports nothing: {' '.join(said.split())[-300:]}")
    script.write_text(script.read_text().replace("%e", "%.17g"))
    for file in lems.parent.glob("*.mod"):
        file.write_text(_RANDOM.sub("", file.read_text()))
    for file in (f for ending in ("mod", "hoc", "py") for f in lems.parent.glob(f"*.{ending}") if repair):
        file.write_text(repair(file.name, file.read_text()))
    said = run([str(compiler())], lems.parent, LIMIT_S)
    before = _children_s()
    said += run([sys.executable, script.name, "-nogui"], lems.parent, LIMIT_S)
    cpu_s = _children_s() - before
    missing = [name for name in names if not (lems.parent / name).is_file()]
    if missing:
        raise CaseError(f"jNeuroML's export does not write {missing[0]}: {' '.join(said.split())[-300:]}")
    beside = (document.root / document.main).parent
    return Peer({Path(os.path.normpath(beside / n)): np.loadtxt(lems.parent / n, ndmin=2) for n in names}, cpu_s)


def _copy(document: Document, folder: Path) -> None:
    for source in document.files:
        path = folder / source.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.data)


def _with_step(text: bytes, dt_ms: float) -> bytes:
    changed, count = _STEP.subn(rb"\g<1>\g<2>" + f"{dt_ms!r}ms".encode() + rb"\g<2>", text)
    if count != 1:
        raise CaseError(f"{count} attributes 'step' in the LEMS file: which is the Simulation's?")
    return changed


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
