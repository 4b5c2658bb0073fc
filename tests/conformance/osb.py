"""Judges published test cases (OMV's .omt and .mep) of jNeuroML by running their LEMS files unmodified.

python -m tests.conformance.osb FOLDER [--json] [--numerics jneuroml|cnexp] [--reference] [--table] [--jobs N] ...

Every .omt of the engines jNeuroML and jNeuroML_NEURON below FOLDER is run in a process of its own and judged: with
numerics jneuroml by its own published tolerance, with cnexp by spike times extrapolated to dt = 0 against jNeuroML's
(--reference; without it against our numerics jneuroml) within 0.05 ms. Statuses: pass, fail, refused (the document
holds something that is refused by name, such as connected cells), error (the case is broken, or ran out of time).
Exit code: 0 no case failed or broke, 1 some did, 2 the command line makes no sense.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

from omv_cases import find_cases  # noqa: E402 - the tools lie in a folder that tests add to the path
from omv_judge import Result, judge  # noqa: E402
from omv_table import show_table, summary  # noqa: E402

LIMIT_S = 900.0
MEMORY = 12 << 30


def main(arguments: list[str] | None = None) -> int:
    """Judge every case of a folder, print, and return the exit code."""
    args = _parser().parse_args(arguments)
    if args.result is not None:
        return _work(args)
    folder = Path(args.folder).resolve()
    if not folder.is_dir():
        print(f"'{args.folder}' is not a folder", file=sys.stderr)
        return 2
    cases = [omt for omt in find_cases(folder) if all(part in str(omt) for part in args.only)]
    with ThreadPoolExecutor(max_workers=max(1, args.jobs)) as pool:
        results = list(pool.map(lambda omt: _judged(omt, folder, args), cases))
    if args.json:
        print(json.dumps({"cases": [result.public() for result in results]}, indent=2, ensure_ascii=False))
    else:
        show_table(results, everything=args.table)
        print(summary(results))
    return 1 if any(result.status in ("fail", "error") for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance.osb",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", help="where .omt files are looked for, at any depth")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument("--numerics", choices=["jneuroml", "cnexp"], default="jneuroml")
    parser.add_argument("--reference", action="store_true", help="run jNeuroML's own NEURON export, too (needs Java)")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="with cnexp: first step of the three, in steps of the LEMS file (default: 1)",
    )
    parser.add_argument("--table", action="store_true", help="both numerics and CPU times in a table for people")
    parser.add_argument("--jobs", type=int, default=1, help="cases at the same time (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds per case (default: %(default)g)")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="cases whose path holds this text")
    parser.add_argument("--result", help=argparse.SUPPRESS)
    parser.add_argument("--omt", help=argparse.SUPPRESS)
    return parser


def _judged(omt: Path, folder: Path, args: argparse.Namespace) -> Result:
    """A case in a process of its own, in an empty folder; whatever happens to the process is a result."""
    name = omt.relative_to(folder).as_posix()
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "result.json"
        command = [sys.executable, "-m", "tests.conformance.osb", str(folder), "--omt", str(omt)]
        command += ["--result", str(result), "--numerics", args.numerics, "--limit", str(args.limit)]
        command += ["--scale", str(args.scale)]
        command += [flag for flag, is_on in (("--reference", args.reference), ("--table", args.table)) if is_on]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        process = subprocess.Popen(
            command,
            cwd=scratch,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            _, said = process.communicate(timeout=args.limit)
        except subprocess.TimeoutExpired:
            return Result(name, "error", message=f"took longer than {args.limit:g} s")
        finally:
            _end(process)
        try:
            return Result(**json.loads(result.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            last = " ".join(said.strip().splitlines()[-1:])[:300]
            return Result(name, "error", message=f"the process ended with code {process.returncode}: {last}")


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _work(args: argparse.Namespace) -> int:
    """Judge one case in this process and leave the result in a file."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY or most > MEMORY:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, most))
    folder, omt = Path(args.folder), Path(args.omt)
    try:
        found = judge(
            omt,
            folder,
            numerics=args.numerics,
            with_reference=args.reference,
            everything=args.table,
            scale=args.scale,
        )
    except Exception as error:  # a broken case must not hide the others
        found = Result(omt.relative_to(folder).as_posix(), "error", message=f"{type(error).__name__}: {error}")
    _write(Path(args.result), vars(found))
    return 0


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
