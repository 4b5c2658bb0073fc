"""Rows of the store from and to our values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from nmlopt.backend import RunStatus
from nmlopt.evaluate.model import Evaluation
from nmlopt.results.codec import (
    features_from_json,
    features_to_json,
    from_blob,
    scores_from_json,
    scores_to_json,
    to_blob,
)
from nmlopt.results.model import RunInfo, Stored

COLUMNS = "id, seed, generation, position, x, status, features, scores, objectives, cpu_s, detail"


def stored(row: tuple[Any, ...]) -> Stored:
    """An evaluation from a row of `COLUMNS`."""
    number, seed, generation, position, *columns = row
    return Stored(number, seed, generation, position, evaluation(*columns))


def evaluation(
    x: bytes, status: str, features: str, scores: str, objectives: bytes, cpu_s: float, detail: str
) -> Evaluation:
    """An evaluation from its columns."""
    return Evaluation(
        x=from_blob(x),
        status=RunStatus(status),
        features=features_from_json(features),
        scores=scores_from_json(scores),
        objectives=from_blob(objectives),
        cpu_s=cpu_s,
        detail=detail,
    )


def insert(connection: sqlite3.Connection, context: int, items: Iterable[Stored]) -> None:
    """Add evaluations; their `number` is given by the store."""
    connection.executemany(
        "INSERT INTO evaluations (context, seed, generation, position, status, detail, cpu_s, total, x, objectives,"
        " scores, features) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (_values(context, item) for item in items),
    )


def enter(connection: sqlite3.Connection, info: RunInfo) -> int:
    """Add a context with its names and make it the present one; its id."""
    c = info.context
    row = (c.digest, c.backend, json.dumps(dict(c.settings)), json.dumps(dict(c.versions)), c.problem, now())
    cursor = connection.execute(
        "INSERT INTO contexts (digest, backend, settings, versions, problem, time) VALUES (?, ?, ?, ?, ?, ?)", row
    )
    here = int(cursor.lastrowid or 0)
    connection.executemany(
        "INSERT INTO parameters VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(here, i, p.id, p.unit, p.lower, p.upper, p.scale, p.present) for i, p in enumerate(info.parameters)],
    )
    for table, names in (("targets", info.targets), ("objectives", info.objectives)):
        rows = [(here, i, name) for i, name in enumerate(names)]
        connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('context', ?)", (str(here),))
    return here


def now() -> str:
    """The time, in UTC, as ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _values(context: int, item: Stored) -> tuple[object, ...]:
    e = item.evaluation
    return (
        context,
        item.seed,
        item.generation,
        item.position,
        e.status.value,
        e.detail,
        e.cpu_s,
        e.total,
        to_blob(e.x),
        to_blob(e.objectives),
        scores_to_json(e.scores),
        features_to_json(e.features),
    )
