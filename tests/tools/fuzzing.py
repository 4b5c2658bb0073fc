"""Drives mutated documents through reading, checking, lowering and the generation of NMODL, and judges what happens."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lxml import etree
from mutations import Mutant, mutate

from nmlopt.backend import Numerics, Settings
from nmlopt.document.model import Document
from nmlopt.document.read import read
from nmlopt.errors import Issue, NmloptError, Severity, raise_errors
from nmlopt.exporters.neuron.mod import plan
from nmlopt.exporters.neuron.support import unsupported
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.ir.lower import lower
from nmlopt.lint.check import check

LIMIT_S = 10
SEEN_AS_WARNINGS = frozenset({"L023"})
"""References without effect: reported, but the model runs."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: 'accepted', 'reported', or a fault: 'traceback', 'hang', 'silent'."""

    outcome: str
    detail: str
    seconds: float

    @property
    def is_fault(self) -> bool:
        """Whether the program did what it must never do."""
        return self.outcome not in ("accepted", "reported")


class Hang(BaseException):
    """Raised by the alarm; no `except Exception` catches it."""


def seeds(repository: Path) -> list[Path]:
    """The documents of the project that are broken here."""
    folders = ("examples", "benchmarks", "tests/data/fuzz", "tests/conformance/cases")
    found = [p for f in folders for kind in ("*.nml", "*.xml") for p in (repository / f).rglob(kind)]
    return sorted(p for p in found if p.stat().st_size < 100_000)


def shared_seeds(data: Path, largest: int = 150_000) -> list[Path]:
    """Published documents, as far as they are at hand and not large."""
    found = [p for kind in ("*.nml", "LEMS*.xml") for p in sorted((data / "osb").rglob(kind)) if p.is_file()]
    return [p for p in found if p.stat().st_size < largest and "TemporaryFiles" not in str(p)]


def fuzz(path: Path, seed: int, folder: Path, root: Path | None = None) -> tuple[Mutant, Verdict]:
    """Break one file of the model at `path`, write the whole model into `folder`, and see what becomes of it."""
    document = read(path, root=root)
    rng = random.Random(f"{seed} {path.name}")
    broken = rng.choice(document.files) if rng.random() < 0.5 else document.files[0]
    folder_of = Path(broken.path).parent
    names = [os.path.relpath(source.path, folder_of) for source in document.files]
    mutant = mutate(broken.data, rng.randrange(2**32), names)
    shutil.rmtree(folder, ignore_errors=True)
    for source in document.files:
        target = folder / source.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(mutant.data if source is broken else source.data)
    numerics = rng.choice((Numerics.CNEXP, Numerics.JNEUROML))
    return mutant, judge(folder / document.main, mutant, Settings(numerics=numerics))


def judge(path: Path, mutant: Mutant, settings: Settings) -> Verdict:
    """Read, check, lower and generate; then hold what was said against what had to be said."""
    began = time.process_time()
    issues: list[Issue] = []
    try:
        with _alarm():
            _through(path, settings, issues)
    except Hang:
        return Verdict("hang", f"more than {LIMIT_S} s", LIMIT_S)
    except Exception:
        return Verdict("traceback", traceback.format_exc(limit=-12), time.process_time() - began)
    seconds = time.process_time() - began
    if seconds > LIMIT_S:
        return Verdict("hang", f"{seconds:.1f} s", seconds)
    errors = [i for i in issues if i.severity is Severity.ERROR]
    text = "\n".join(str(i)[:400] for i in errors)
    reporting = [i for i in issues if i.severity is Severity.ERROR or i.code in SEEN_AS_WARNINGS]
    if mutant.dangling and not any(mutant.dangling in i.message for i in reporting):
        return Verdict("silent", f"'{mutant.dangling}' is not reported: {text or 'no errors'}", seconds)
    unsaid = [] if errors else _dangling(path)
    if unsaid:
        return Verdict("silent", f"accepted with dangling references: {unsaid}", seconds)
    broken = [i for i in issues if not (i.code and i.message)]
    if broken:
        return Verdict("traceback", f"an issue without code or message: {broken}", seconds)
    return Verdict("reported" if errors else "accepted", text, seconds)


_HOLDERS = {
    "ionChannel": ("membraneProperties", None),
    "concentrationModel": ("intracellularProperties", None),
    "component": ("network", None),
    "synapse": ("network", None),
    "segmentGroup": ("membraneProperties", "segmentGroup"),
}
"""Attributes that refer, the parents whose children use them so, and what they refer to (None: any component)."""


def _dangling(path: Path) -> list[str]:
    """References of an accepted model that lead nowhere, found without the program's own code (but its reader)."""
    roots = [etree.fromstring(source.data) for source in read(path, root=_root(path)).files]
    ids = {e.get("id") for root in roots for e in root}
    groups = {"all"} | {e.get("id") for root in roots for e in root.iter("{*}segmentGroup")}
    found = []
    for root in roots:
        for attribute, (holder, kind) in _HOLDERS.items():
            for parent in root.iter(f"{{*}}{holder}", holder):
                values = [e.get(attribute) for e in parent if isinstance(e.tag, str) and attribute in e.attrib]
                found += [f"{attribute}={v}" for v in values if v not in (ids if kind is None else groups)]
    return found


def _through(path: Path, settings: Settings, issues: list[Issue]) -> None:
    try:
        document = read(path, root=_root(path))
        issues.extend(check(document))
        if any(e.tag == "Simulation" for e in document.files[0].root.children):
            issues.extend(read_simulation(document).issues)
        _generate(document, settings, issues)
    except NmloptError as error:
        issues.extend(error.issues)


def _root(path: Path) -> Path:
    return next(p for p in path.parents if p.name.startswith("fuzz"))


def _generate(document: Document, settings: Settings, issues: list[Issue]) -> None:
    cell = lower(document)
    found = unsupported(cell, ())
    issues.extend(found)
    raise_errors(found, NmloptError)
    plan(cell, settings, "fuzz")


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(_number: int, _frame: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(6 * LIMIT_S)  # of wall-clock time, on a machine that may be busy; CPU time is judged afterwards
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
