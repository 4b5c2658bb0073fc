"""Results that a simulator wrote: one JSON file, or a folder with the output files of LEMS_case.xml (README.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from lxml import etree

from tests.conformance.judge import Floats, Outcome, Status, Trace, extrapolated, judge, measure
from tests.conformance.suite import Case

FORMAT = "conformance-results/1"
OUTPUT = "case.dat"
HALF_STEP = "half_step"
MESSAGE = "message.txt"


@dataclass(frozen=True)
class Result:
    """What a simulator gave for one case: its quantities (by id), or why it did not ('refused' or 'error')."""

    measured: Mapping[str, Floats] = field(default_factory=dict)
    status: Status = "pass"
    message: str = ""

    def outcome(self, case: Case) -> Outcome:
        """The verdict."""
        if self.status in ("refused", "error"):
            return Outcome(case.id, self.status, {}, self.message)
        return judge(case, self.measured)


def read(path: Path, case: Case) -> Result:
    """A case's result in a results file or folder; an 'error' result if it is not there or cannot be read."""
    try:
        return _from_folder(path / case.id, case) if path.is_dir() else _from_file(path, case)
    except (OSError, KeyError, ValueError) as error:
        return Result(status="error", message=f"{type(error).__name__}: {error}")


def column_ids(lems: Path) -> list[str]:
    """The ids of the OutputColumns of a LEMS file, in their order in the output file (after the time)."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    found = etree.parse(str(lems), parser).iter("{*}OutputColumn", "OutputColumn")
    return list(dict.fromkeys(str(element.get("id")) for element in found))


def read_columns(file: Path, lems: Path) -> dict[str, Trace]:
    """The columns of an output file that LEMS_case.xml asked for: time in s first, all in SI."""
    table = np.loadtxt(file, ndmin=2)
    names = column_ids(lems)
    if table.shape[1] != 1 + len(names):
        raise ValueError(f"{file.name} has {table.shape[1]} columns, not {1 + len(names)}: the time and {names}")
    return {name: Trace(table[:, 0], table[:, k]) for k, name in enumerate(names, start=1)}


def measured(case: Case, columns: Mapping[str, Trace]) -> dict[str, Floats]:
    """All quantities of a case in the columns of a run."""
    return {quantity.id: measure(quantity, columns) for quantity in case.quantities}


def _from_folder(folder: Path, case: Case) -> Result:
    note = folder / MESSAGE
    if note.exists():
        kind, _, message = note.read_text(encoding="utf-8").partition(":")
        return Result(status="refused" if kind == "refused" else "error", message=message.strip())
    coarse = measured(case, read_columns(folder / OUTPUT, case.lems))
    fine = folder / HALF_STEP / OUTPUT
    return Result(extrapolated(coarse, measured(case, read_columns(fine, case.lems))) if fine.exists() else coarse)


def _from_file(file: Path, case: Case) -> Result:
    data = json.loads(file.read_text(encoding="utf-8"))
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']!r}, not {FORMAT!r}")
    entry: dict[str, Any] = data["cases"][case.id]
    if entry.get("status", "ok") != "ok":
        refused = entry["status"] == "refused"
        return Result(status="refused" if refused else "error", message=str(entry.get("message", "")))
    columns = {
        name: Trace(np.asarray(c["times_s"], dtype=float), np.asarray(c["values"], dtype=float))
        for name, c in entry.get("columns", {}).items()
    }
    direct = {key: np.asarray(values, dtype=float) for key, values in entry.get("quantities", {}).items()}
    found = {q.id: measure(q, columns) for q in case.quantities if q.id not in direct and q.column in columns}
    return Result({**direct, **found})
