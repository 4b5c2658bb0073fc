"""Every cell found below a folder: read, checked, compiled and run on NEURON as a user would, each in its own process.

    python benchmarks/sweep.py FOLDER [--json FILE] [--peer] [--only TEXT] [--per-folder N] [--limit SECONDS]

A cell is an element at the top of a NeuroML or LEMS file whose type extends baseCell. Each gets 500 ms with a step of
300 ms whose amplitude is raised until the cell fires. `--peer` also runs jNeuroML's own export to NEURON (Java is
needed) and compares the traces under numerics `jneuroml`. Verdicts:

    ok        ran to its end, both numerics; with --peer every spike falls into the same step as the export's
    refused   an error of ours with a code; the sweep tries the files that include the cell before it believes that
    differs   ran, but departs from the export (with its known defects undone, see tests/tools/export_repairs.py)
    failed    the simulation ended as diverged, crashed, ...
    broken    a traceback, a dead process or the time limit: always our fault
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from nmlopt.lems.types import core_types

ENDINGS = (".nml", ".xml")
ONE = Path(__file__).with_name("sweep_cell.py")
MOST_INCLUDERS = 4


@dataclass(frozen=True)
class Source:
    """What a quick look at a file finds: its top elements (tag, type, id), its includes, temperatures by component."""

    path: Path
    elements: tuple[tuple[str, str, str], ...]
    types: Mapping[str, str]
    includes: tuple[Path, ...]
    temperatures: Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """A cell, and the files it can be reached from: its own, then those that include it."""

    cell: str
    type: str
    path: Path
    temperature: str
    through: tuple[Path, ...] = ()


@dataclass
class Row:
    """What came of one cell; `found` is the record of sweep_cell.py."""

    file: str
    cell: str
    type: str
    verdict: str
    seconds: float
    through: str = ""
    found: dict = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep a folder; 0 if nothing is broken or failed."""
    args = _parser().parse_args(arguments)
    cells = [c for c in find_cells(args.folder, args.per_folder) if args.only in f"{c.path}#{c.cell}"]
    rows = []
    for cell in cells:
        rows.append(row := sweep(cell, args))
        print(_line(row))
        sys.stdout.flush()
        if args.json:
            args.json.write_text(json.dumps([vars(r) for r in rows], indent=1))
    counts = Counter(row.verdict for row in rows)
    print(f"\n{len(rows)} cells: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common()))
    reasons = Counter(code for row in rows if row.verdict == "refused" for code in set(row.found["codes"]))
    if reasons:
        print("refused for " + ", ".join(f"{code} ({n})" for code, n in reasons.most_common()))
    return 1 if counts["broken"] or counts["failed"] or counts["differs"] else 0


def find_cells(folder: Path, per_folder: int) -> Iterator[Found]:
    """All cells that files below `folder` define, at most `per_folder` (spread evenly) from one folder."""
    sources = [s for p in sorted(folder.rglob("*")) if p.suffix in ENDINGS and p.is_file() and (s := _look(p))]
    kinds = _cell_types(sources)
    includers: dict[Path, list[Path]] = defaultdict(list)
    temperatures: dict[str, str] = {}
    for source in sources:
        temperatures |= source.temperatures
        for included in source.includes:
            includers[included].append(source.path)
    by_folder: dict[Path, list[Found]] = defaultdict(list)
    for source in sources:
        for tag, type_, name in source.elements:
            if name and (type_ or tag) in kinds:
                through = tuple(_reached(source.path, includers))[:MOST_INCLUDERS]
                temperature = temperatures.get(name, "")
                by_folder[source.path.parent].append(Found(name, type_ or tag, source.path, temperature, through))
    for cells in by_folder.values():
        step = max(1.0, len(cells) / per_folder) if per_folder else 1.0
        yield from (cells[int(k * step)] for k in range(int(len(cells) / step)))


def _look(path: Path) -> Source | None:
    """None if the file is no NeuroML or LEMS."""
    try:
        root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, huge_tree=True)).getroot()
    except (etree.XMLSyntaxError, OSError):
        return None
    if _local(root) not in ("neuroml", "Lems"):
        return None
    top = [e for e in root if isinstance(e.tag, str)]
    types = {e.get("name", ""): e.get("extends", "") for e in top if _local(e) == "ComponentType"}
    elements = tuple((_local(e), e.get("type", ""), e.get("id", "")) for e in top if _local(e) != "ComponentType")
    named = [e.get("href") or e.get("file") or "" for e in top if _local(e).lower() == "include"]
    includes = tuple((path.parent / name).resolve() for name in named if name)
    return Source(path.resolve(), elements, types, includes, dict(_temperatures(top)))


def _temperatures(top: Sequence[etree._Element]) -> Iterator[tuple[str, str]]:
    for network in top:
        temperature = network.get("temperature", "")
        for population in network if temperature else ():
            if component := population.get("component"):
                yield component, temperature


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _cell_types(sources: Sequence[Source]) -> frozenset[str]:
    """Names of all types that extend baseCell, through those that the files define; no spike sources."""
    core = core_types()
    kinds = {n for n, t in core.types.items() if t.extends("baseCell") and t.dynamics is not None}
    parents = {n: p for source in sources for n, p in source.types.items()}
    abstract = {n for n, t in core.types.items() if t.extends("baseCell")}
    for _ in parents:
        kinds |= {n for n, p in parents.items() if p in kinds | abstract}
    return frozenset(kinds)


def _reached(path: Path, includers: Mapping[Path, Sequence[Path]]) -> Iterator[Path]:
    """Files that include `path`, nearest first."""
    seen, front = {path}, [path]
    while front:
        front = [p for f in front for p in includers.get(f, ()) if p not in seen]
        for p in front:
            if p not in seen:
                seen.add(p)
                yield p


def sweep(cell: Found, args: argparse.Namespace) -> Row:
    """One cell in a process of its own; through the files that include it if its own file is not enough."""
    began = time.monotonic()
    verdict, record = _run(cell, cell.path, args)
    through = ""
    for path in cell.through if verdict == "refused" else ():
        better, found = _run(cell, path, args)
        if better != "refused":
            verdict, record, through = better, found, str(path.relative_to(args.folder.resolve()))
            break
    name = str(cell.path.relative_to(args.folder.resolve()))
    return Row(name, cell.cell, cell.type, verdict, round(time.monotonic() - began, 1), through, record)


def _run(cell: Found, path: Path, args: argparse.Namespace) -> tuple[str, dict]:
    with tempfile.TemporaryDirectory() as scratch:
        record = Path(scratch, "record.json")
        command = [sys.executable, str(ONE), str(path), cell.cell, scratch, "--dt", str(args.dt)]
        command += ["--temperature", cell.temperature] if cell.temperature else []
        command += ["--peer"] if args.peer else []
        try:
            ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=args.limit)
            said = (ran.stdout + ran.stderr)[-2000:]
        except subprocess.TimeoutExpired:
            said = f"over {args.limit:g} s"
        found = json.loads(record.read_text()) if record.exists() else {}
    if found.get("verdict"):
        return found["verdict"], found
    return "broken", {"codes": [], **found, "message": said}


def _line(row: Row) -> str:
    found = row.found
    where = f"{row.file}#{row.cell}" + (f" through {row.through}" if row.through else "")
    parts = [f"{row.verdict:8}", f"{row.seconds:6.1f} s", where, f"({row.type})"]
    if row.verdict == "refused":
        parts.append(f"{' '.join(sorted(set(found['codes'])))}: {found['message']}")
    elif row.verdict == "broken":
        parts.append(f"at {found.get('stage', 'start')}: {found['message'].strip().splitlines()[-1:]}")
    else:
        shown = ("amplitude", "spikes", "bindable", "euler_dt_ms", "peer", "message")
        parts += [f"{key} {found[key]}" for key in shown if key in found]
    return "  ".join(map(str, parts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="write all that was found to this file")
    parser.add_argument("--peer", action="store_true", help="compare with jNeuroML's export to NEURON")
    parser.add_argument("--only", default="", help="cells whose file#id holds this text")
    parser.add_argument("--per-folder", type=int, default=0, help="at most so many cells of one folder")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for one cell")
    parser.add_argument("--dt", type=float, default=0.025, help="time step (ms)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
