"""Whether the generic kernel and those that are compiled for a cell give the same numbers, to the last bit.

    python -m tests.conformance.both_kernels [FOLDER] [--cases PATTERN]

Runs the conformance cases and, of the LEMS files that the test cases (.omt) below FOLDER name, every simulation, at
fixed and at adaptive steps, both kernels with one compiler. The generic kernel interprets what the others have as code,
and every operation has one result.
Exit code: 0 the same everywhere, 1 not so.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import backend_comparison as comparison  # noqa: E402 - the tools lie in a folder that tests add to the path
from omv_cases import OmvCase, find_cases, read_case  # noqa: E402
from omv_ours import document_of  # noqa: E402

from nmlopt.backend import Integrator, Recordings, Settings  # noqa: E402
from nmlopt.document.model import Document  # noqa: E402
from nmlopt.document.read import read  # noqa: E402
from nmlopt.errors import NmloptError, UnsupportedError, raise_errors  # noqa: E402
from nmlopt.exporters import registry  # noqa: E402
from nmlopt.importers.simulation_model import LemsSimulation  # noqa: E402
from tests.conformance.suite import case_ids, load  # noqa: E402

KERNELS = ("compiled", "generic")
INTEGRATORS = (Integrator.FIXED, Integrator.ADAPTIVE)


@dataclass(frozen=True)
class Compared:
    """`difference` is '' where both say the same; `refused`: what both refuse it with. CPU seconds by kernel."""

    difference: str
    refused: str
    seconds: tuple[float, ...]


@contextmanager
def kernel(name: str) -> Iterator[None]:
    """Programs made inside run in this kernel."""
    with mock.patch.dict(os.environ, {"NMLOPT_KERNEL": name}):
        yield


def compared(simulation: LemsSimulation, integrator: Integrator) -> Compared:
    """Both kernels on all runs of a simulation."""
    step = simulation.step_ms if integrator is Integrator.FIXED else None
    settings = Settings(integrator=integrator) if step is None else Settings(step, integrator=integrator)
    found: list[list[Recordings] | str] = []
    seconds = []
    for name in KERNELS:
        begin = time.process_time()
        with kernel(name):
            try:
                found.append(list(recorded(simulation, settings)))
            except NmloptError as error:
                found.append(" ".join(str(error).split()))
        seconds.append(time.process_time() - begin)
    ours, theirs = found
    if isinstance(ours, str) or isinstance(theirs, str):
        same = ours == theirs
        return Compared("" if same else f"{ours} / {theirs}", str(ours) if same else "", tuple(seconds))
    differences = (difference(a, b) for a, b in zip(ours, theirs, strict=True))
    return Compared(next(filter(None, differences), ""), "", tuple(seconds))


def recorded(simulation: LemsSimulation, settings: Settings) -> Iterator[Recordings]:
    """What each run of a simulation records."""
    native = registry.load("native")
    for part in simulation.runs:
        raise_errors(native.unsupported(part.cell, part.experiments), UnsupportedError)
        yield from native.simulate(native.compile(part.cell, settings), part.experiments, np.zeros((1, 0)))


def difference(ours: Recordings, theirs: Recordings) -> str:
    """The first trace that differs in any bit, or how else they differ; '' if they do not."""
    if (ours.status, ours.detail) != (theirs.status, theirs.detail):
        return f"{ours.status} {ours.detail} / {theirs.status} {theirs.detail}"
    for (experiment, output), trace in ours.traces.items():
        other = theirs.traces[experiment, output]
        if trace.t_ms.tobytes() != other.t_ms.tobytes():
            return f"{experiment} {output}: {len(trace.t_ms)} and {len(other.t_ms)} samples, or other times"
        if trace.y.tobytes() != other.y.tobytes():
            ours_bits, their_bits = (np.ascontiguousarray(t.y).view(np.uint64) for t in (trace, other))
            first = int(np.flatnonzero(ours_bits != their_bits)[0])
            return f"{experiment} {output}: sample {first}: {trace.y[first]!r} and {other.y[first]!r}"
    return ""


def documents(folder: Path | None, pattern: str) -> Iterator[tuple[str, Document]]:
    """Every case and every published simulation by its name."""
    yield from ((case, read(load(case).lems)) for case in case_ids(pattern))
    if folder is None:
        return
    folder = folder.resolve()
    targets = sorted({read_case(omt).target.resolve() for omt in find_cases(folder)})
    for target in targets:
        name = target.relative_to(folder).as_posix()
        if fnmatch.fnmatch(name, pattern):
            yield name, document_of(OmvCase(target, "", target, ()), folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare all that is asked for, print a line for each, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="where .omt files are looked for, at any depth")
    parser.add_argument("--cases", default="*", metavar="PATTERN", help="which cases of both kinds (shell pattern)")
    options = parser.parse_args(arguments)
    different = compared_in_all = 0
    for name, document in documents(options.folder, options.cases):
        for integrator in INTEGRATORS:
            try:
                found = compared(comparison.simulation_of(document), integrator)
            except NmloptError as error:
                print(f"refused   {name}: {' '.join(str(error).split())[:200]}", flush=True)
                break
            verdict = "differs" if found.difference else "refused" if found.refused else "same"
            times = " and ".join(f"{t:.2f}" for t in found.seconds)
            print(
                f"{verdict:9} {integrator:9} {times} s  {name}  {found.difference or found.refused[:200]}", flush=True
            )
            different += bool(found.difference)
            compared_in_all += not found.refused
    print(f"{compared_in_all} runs compared, {different} differ")
    return 1 if different or not compared_in_all else 0


if __name__ == "__main__":
    raise SystemExit(main())
