"""The table of what was scored again, a row for each candidate and role.

Runs of earlier versions have no such table: writers make it, readers find nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from nmlopt.results.codec import features_to_json, scores_to_json, to_blob
from nmlopt.results.rescored import Rescored
from nmlopt.results.rows import evaluation

TABLE: Final = """CREATE TABLE IF NOT EXISTS rescored (
    evaluation INTEGER NOT NULL REFERENCES evaluations, role TEXT NOT NULL, drawn TEXT NOT NULL,
    after INTEGER NOT NULL, backend TEXT NOT NULL, version TEXT NOT NULL, settings TEXT NOT NULL,
    status TEXT NOT NULL, detail TEXT NOT NULL, cpu_s REAL NOT NULL, objectives BLOB NOT NULL,
    scores TEXT NOT NULL, features TEXT NOT NULL, PRIMARY KEY (evaluation, role))"""
FOR_ESTIMATE: Final = ("best", "random")
"""`drawn` of rows that the search's error was estimated with: the best at that time, or drawn by lot."""
_FIELDS: Final = (
    "r.evaluation, r.role, r.drawn, r.after, r.backend, r.version, r.settings,"
    " e.x, r.status, r.features, r.scores, r.objectives, r.cpu_s, r.detail"
)


@dataclass(frozen=True, slots=True)
class Row:
    """An evaluation (by its number) scored again. `drawn`: why ('' at the end); `after`: that generation (0: at the
    end)."""

    number: int
    rescored: Rescored
    drawn: str = ""
    after: int = 0


def insert(connection: sqlite3.Connection, items: Iterable[Row]) -> None:
    """Add rows; one that is there already is replaced."""
    connection.executemany(
        "INSERT OR REPLACE INTO rescored VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_values, items)
    )


def read(connection: sqlite3.Connection, context: int) -> Iterator[Row]:
    """All rows of a context, in the order of the evaluations."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'rescored'").fetchone():
        return
    found = connection.execute(
        f"SELECT {_FIELDS} FROM rescored r JOIN evaluations e ON e.id = r.evaluation WHERE e.context = ?"
        " ORDER BY e.seed, e.generation, e.position, r.role",
        (context,),
    )
    for number, role, drawn, after, backend, version, settings, *columns in found:
        yield Row(number, Rescored(role, backend, version, json.loads(settings), evaluation(*columns)), drawn, after)


def _values(row: Row) -> tuple[object, ...]:
    r, e = row.rescored, row.rescored.evaluation
    return (
        row.number,
        r.role,
        row.drawn,
        row.after,
        r.backend,
        r.version,
        json.dumps(dict(r.settings)),
        e.status.value,
        e.detail,
        e.cpu_s,
        to_blob(e.objectives),
        scores_to_json(e.scores),
        features_to_json(e.features),
    )
