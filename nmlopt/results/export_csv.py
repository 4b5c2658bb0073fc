"""Every evaluation as one CSV table, for spreadsheets and notebooks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from nmlopt.results.faults import reported
from nmlopt.results.files import write_file
from nmlopt.results.model import RunInfo, Stored
from nmlopt.results.store import RunStore

NAME = "evaluations.csv"


def write_csv(store: RunStore, path: Path) -> Path:
    """Write all evaluations of the present context; several values of a feature are joined by ';'.

    Columns: seed, generation, position, status, cpu_s, sum, then `x:` parameters (header with unit), `objective:`,
    `score:` and `feature:` by id. Numbers have all their digits. Raises ResultsError R002, R003.
    """
    info = store.info
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_header(info))
    writer.writerows(_rows(store, info))
    with reported(path.parent):
        write_file(path, text.getvalue().encode())
    return path


def _header(info: RunInfo) -> list[str]:
    return [
        "seed",
        "generation",
        "position",
        "status",
        "cpu_s",
        "sum",
        *(f"x:{p.id} ({p.unit})" if p.unit else f"x:{p.id}" for p in info.parameters),
        *(f"objective:{name}" for name in info.objectives),
        *(f"score:{name}" for name in info.targets),
        *(f"feature:{name}" for name in info.targets),
        "detail",
    ]


def _rows(store: RunStore, info: RunInfo) -> Iterator[list[object]]:
    for stored in store.evaluations():
        yield _row(stored, info)


def _row(stored: Stored, info: RunInfo) -> list[object]:
    e = stored.evaluation
    return [
        stored.seed,
        stored.generation,
        stored.position,
        e.status.value,
        repr(e.cpu_s),
        repr(e.total),
        *(repr(value) for value in e.x),
        *(repr(value) for value in e.objectives),
        *(repr(e.scores[name]) if name in e.scores else "" for name in info.targets),
        *(";".join(repr(v) for v in e.features.get(name, ())) for name in info.targets),
        e.detail,
    ]
