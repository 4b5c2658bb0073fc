"""Every backend on the conformance cases and on published cells: what is the same, what differs, what is refused.

python -m tests.conformance.backends [FOLDER] [--backends neuron,arbor,lems] [--cases PATTERN] [--json] [--keep FILE]
    [--references FOLDER] [--accuracy fast|default|tight|converged]

The conformance cases are judged by their own references. Of the LEMS files that the test cases (.omt) below FOLDER
name, every recorded voltage is compared with NEURON's cnexp, both extrapolated to a step of zero (the tolerances and
their reasons: tests/equivalence/tolerances.toml). Each backend has its own numerics, at fixed steps where it has them.
With --accuracy, adaptive steps of the native kernel are judged instead: by the errors that are stated for the accuracy
(docs/backends.md; tests/tools/stated_error.py), or, converged, as fixed steps are.
Statuses: same, differs (known: a reason stands in known_differences.toml or in the case's departures), refused (by
name), error.
Exit code: 0 no difference or error without a known reason, 1 some, 2 the command line makes no sense.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import backend_comparison as comparison  # noqa: E402 - the tools lie in a folder that tests add to the path
import stated_error  # noqa: E402
from omv_cases import CaseError, OmvCase, find_cases, read_case  # noqa: E402
from omv_ours import document_of  # noqa: E402

from nmlopt.document.read import read  # noqa: E402
from nmlopt.errors import NmloptError, SimulationError, UnsupportedError  # noqa: E402
from nmlopt.exporters import registry  # noqa: E402
from tests.conformance.nmlopt_runs import run  # noqa: E402
from tests.conformance.suite import case_ids  # noqa: E402
from tests.conformance.suite import load as load_case  # noqa: E402

KNOWN = Path(__file__).with_name("known_differences.toml")
TOOLS = {"compartments": "jNeuroML_NEURON", "single compartment": "jLEMS", "point cell": "jLEMS"}
"""What runs a kind of cell in the backend lems, by the name under which cases list departures."""
STATUSES = {"pass": "same", "fail": "differs"}
TOGETHER = 4
"""Conformance cases in one process."""
LIMIT_S = 900.0


@dataclass(frozen=True)
class Row:
    """One case on one backend. `suite` is 'conformance' or 'published'; `reason` says why, where it is known.

    `accuracy`: of adaptive steps, whose `errors` are those of `stated_error.Seen`.
    """

    suite: str
    case: str
    kind: str
    backend: str
    status: str
    message: str = ""
    reason: str = ""
    seconds: float = 0.0
    accuracy: str = ""
    errors: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> Task:
        """What it is about."""
        return self.suite, self.case, self.backend, self.accuracy


Task: TypeAlias = tuple[str, str, str, str]
"""Suite, case, backend, accuracy or ''."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, print it, and return the exit code."""
    args = _parser().parse_args(arguments)
    if args.work is not None:
        return _work(args)
    chosen = args.backends.split(",") if args.backends else ["native"] if args.accuracy else list(registry.names())
    unknown = [name for name in chosen if name not in registry.names()]
    if unknown or (args.folder is not None and not Path(args.folder).is_dir()):
        print(f"there is no {', '.join(unknown) or args.folder}", file=sys.stderr)
        return 2
    if args.accuracy and chosen != ["native"]:
        print("only the native kernel has accuracies", file=sys.stderr)
        return 2
    tasks = [("conformance", case, name, args.accuracy) for name in chosen for case in case_ids(args.cases)]
    tasks += [("published", case, name, args.accuracy) for case in _published(args) for name in chosen]
    kept = _kept(args.keep)
    rows = [_explained(kept[task]) for task in tasks if task in kept]  # reasons may have been found since
    with tempfile.TemporaryDirectory() as scratch:
        for row in _rows([task for task in tasks if task not in kept], args, Path(scratch)):
            rows.append(row)
            if args.keep is not None:
                with args.keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(row)) + "\n")
            if not args.json:
                print(_line(row), flush=True)
    if args.json:
        print(json.dumps({"counts": counts(rows), "rows": [asdict(row) for row in rows]}, indent=1))
    else:
        print("\n".join(_table(rows)))
    return 1 if any(row.status in ("differs", "error") and not row.reason for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance.backends",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", help="where .omt files are looked for, at any depth")
    parser.add_argument("--backends", metavar="NAMES", help="names with commas between (default: all)")
    parser.add_argument("--cases", default="*", metavar="PATTERN", help="which cases of both kinds (shell pattern)")
    parser.add_argument("--accuracy", default="", choices=stated_error.LEVELS, help="judge adaptive steps of it")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="add outcomes to FILE; what is there is not run again"
    )
    parser.add_argument(
        "--references", type=Path, metavar="FOLDER", help="keep NEURON's traces there, for the next time"
    )
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds per case (default: %(default)g)")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    return parser


def _published(args: argparse.Namespace) -> list[str]:
    """The LEMS files that test cases name, each once, relative to the folder."""
    if args.folder is None:
        return []
    folder = Path(args.folder).resolve()
    targets = set()
    for omt in find_cases(folder):
        try:
            targets.add(read_case(omt).target.relative_to(folder).as_posix())
        except (CaseError, ValueError):
            continue
    return sorted(name for name in targets if fnmatch.fnmatch(name, args.cases))


def _kept(path: Path | None) -> dict[Task, Row]:
    if path is None or not path.exists():
        return {}
    rows = [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row.key: row for row in rows}


# ------------------------------------------------------------------------------------------------ running


def _rows(tasks: Sequence[Task], args: argparse.Namespace, scratch: Path) -> Iterator[Row]:
    """The rows of all tasks; conformance cases of a backend share processes, whose death costs the case at work."""
    groups: list[list[Task]] = []
    for task in tasks:
        last = groups[-1][-1] if groups else None
        joins = last is not None and last[0] == task[0] == "conformance" and last[2] == task[2]
        if joins and len(groups[-1]) < TOGETHER:
            groups[-1].append(task)
        else:
            groups.append([task])
    while groups:
        group = groups.pop(0)
        found, said = _process(group, args, scratch)
        yield from found
        left = group[len(found) :]
        if left:
            suite, case, backend, accuracy = left[0]
            yield _explained(Row(suite, case, "", backend, "error", said, accuracy=accuracy))
            groups[:0] = [left[1:]] if left[1:] else []


def _process(group: Sequence[Task], args: argparse.Namespace, scratch: Path) -> tuple[list[Row], str]:
    """Rows of the tasks that came to their end in a process of their own, in order, and what else it said."""
    orders = scratch / "orders.json"
    done = scratch / "done.jsonl"
    done.unlink(missing_ok=True)
    held = (args.references or scratch).resolve()
    held.mkdir(parents=True, exist_ok=True)
    orders.write_text(json.dumps({"tasks": group, "done": str(done), "references": str(held)}), encoding="utf-8")
    command = [sys.executable, "-m", "tests.conformance.backends", "--work", str(orders)]
    command += [str(Path(args.folder).resolve())] if args.folder is not None else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    try:
        ended = subprocess.run(
            command, cwd=scratch, env=environment, capture_output=True, text=True, errors="replace",
            timeout=args.limit * len(group), check=False,
        )  # fmt: skip
        said = (
            f"the process ended with code {ended.returncode}: {' '.join(ended.stderr.strip().splitlines()[-1:])[:300]}"
        )
    except subprocess.TimeoutExpired:
        said = f"took longer than {args.limit:g} s"
    return list(_kept(done).values()), said


def _work(args: argparse.Namespace) -> int:
    """Run tasks in this process and leave a line for each."""
    orders = json.loads(args.work.read_text(encoding="utf-8"))
    for suite, case, backend, accuracy in orders["tasks"]:
        begin = time.perf_counter()
        try:
            if accuracy:
                row = _judged(suite, case, accuracy, args, Path(orders["references"]))
            elif suite == "conformance":
                row = _conformance(case, backend)
            else:
                row = _compared(case, backend, Path(args.folder), Path(orders["references"]))
        except Exception as error:  # whatever a simulator dies of is its result
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
            row = Row(suite, case, "", backend, "error", said, accuracy=accuracy)
        seconds = round(time.perf_counter() - begin, 1)
        with Path(orders["done"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps({**asdict(_explained(row)), "seconds": seconds}) + "\n")
    return 0


def _conformance(case_id: str, backend: str) -> Row:
    case = load_case(case_id)
    outcome = run(case, backend=backend, numerics=None).outcome(case)
    kind = comparison.kind_of(comparison.simulation_of(read(case.lems)))
    return Row("conformance", case_id, kind, backend, STATUSES.get(outcome.status, outcome.status), outcome.message)


def _judged(suite: str, name: str, accuracy: str, args: argparse.Namespace, references: Path) -> Row:
    """Adaptive steps of the native kernel by what is stated for an accuracy."""
    kind = ""
    try:
        if suite == "conformance":
            case = load_case(name)
            kind = comparison.kind_of(comparison.simulation_of(read(case.lems)))
            seen = stated_error.of_case(case, accuracy)
        else:
            folder = Path(args.folder)
            document = document_of(OmvCase(folder / name, "", folder / name, ()), folder)
            kind = comparison.kind_of(comparison.simulation_of(document))
            seen = stated_error.of_simulation(document, accuracy, references / name.replace("/", "_"))
    except (UnsupportedError, SimulationError) as error:
        return Row(suite, name, kind, "native", "refused", _told(error), accuracy=accuracy)
    message = f"{100.0 * seen.of_stated:.0f} % of what is stated"
    message = f"{seen.fault} ({message})" if seen.fault else message
    status = "differs" if seen.fault else "same"
    return Row(suite, name, kind, "native", status, message, accuracy=accuracy, errors=seen.numbers)


def _compared(name: str, backend: str, folder: Path, references: Path) -> Row:
    """A published simulation against the reference, whose traces are kept for the next backend."""
    kind = ""
    try:
        document = document_of(OmvCase(folder / name, "", folder / name, ()), folder)
        kind = comparison.kind_of(comparison.simulation_of(document))
        kept = references / name.replace("/", "_")
        if backend == comparison.REFERENCE:
            step = comparison.first_step(comparison.simulation_of(document), backend)
            comparison.Runs(document, backend, kept).both(step)
            return Row("published", name, kind, backend, "same", "it is the reference")
        found = comparison.against_reference(document, backend, kept)
    except (UnsupportedError, SimulationError) as error:
        return Row("published", name, kind, backend, "refused", _told(error))
    message = f"{found.spikes} spikes, {found.apart_ms:.4f} ms and {found.apart_mV:.4f} mV apart"
    if found.fault:
        return Row("published", name, kind, backend, "differs", f"{found.fault} ({message})")
    return Row("published", name, kind, backend, "same", message)


def _told(error: NmloptError) -> str:
    return "; ".join(dict.fromkeys(f"{issue.code} {issue.message}" for issue in error.issues))


# ------------------------------------------------------------------------------------------------ reasons


def _explained(row: Row) -> Row:
    """The same with the reason that is written down for it."""
    if row.status not in ("differs", "error"):
        return row
    table = f"{row.backend} {row.accuracy}".rstrip()
    known = tomllib.loads(KNOWN.read_text(encoding="utf-8")).get(table, {})
    reasons = [why for pattern, why in known.items() if fnmatch.fnmatch(row.case, pattern)]
    if row.suite == "conformance":
        case = load_case(row.case)
        tool = TOOLS.get(row.kind, "") if row.backend == "lems" else ""
        reasons += [f"{tool}: {case.departures[tool]}"] if tool in case.departures else []
    return Row(**{**asdict(row), "reason": "; ".join(reasons)})


# ------------------------------------------------------------------------------------------------ showing


def counts(rows: Sequence[Row]) -> dict[str, dict[str, dict[str, dict[str, int]]]]:
    """How many of each status, by suite, backend and kind of cell ('all' for all); 'differs, known' apart."""
    found: dict[str, dict[str, dict[str, dict[str, int]]]] = {}
    for suite in dict.fromkeys(row.suite for row in rows):
        for backend in dict.fromkeys(row.backend for row in rows):
            chosen = [row for row in rows if (row.suite, row.backend) == (suite, backend)]
            kinds = {"all": chosen} | {k: [r for r in chosen if r.kind == k] for k in sorted({r.kind for r in chosen})}
            by_kind = {kind or "not read": dict(Counter(map(_status, some))) for kind, some in kinds.items()}
            found.setdefault(suite, {})[backend] = by_kind
    return found


def _status(row: Row) -> str:
    return f"{row.status}, known" if row.reason else row.status


def _line(row: Row) -> str:
    why = f" [{row.reason}]" if row.reason else ""
    return f"{row.backend:8}{row.status:9}{row.seconds:7.1f} s  {row.case}  {row.message}{why}".rstrip()


def _table(rows: Sequence[Row]) -> Iterator[str]:
    for suite, backends in counts(rows).items():
        yield f"\n{suite}"
        for backend, kinds in backends.items():
            for kind, numbers in kinds.items():
                shown = ", ".join(f"{n} {status}" for status, n in sorted(numbers.items()))
                yield f"  {backend:8} {kind:20} {sum(numbers.values()):4} cases: {shown}"


if __name__ == "__main__":
    sys.exit(main())
