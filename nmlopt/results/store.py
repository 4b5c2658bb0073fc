"""The run store: every evaluation and the state of every search in one SQLite file, a transaction per generation.

A process that is killed at any moment loses at most the generation in flight. One process writes; any number read
meanwhile. All queries concern the present context (see `schema`), unless they say otherwise.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, final

import numpy as np

from nmlopt.backend import RunStatus
from nmlopt.errors import Issue, ResultsError
from nmlopt.evaluate.model import Evaluation
from nmlopt.optimise.model import State
from nmlopt.results import database, rescored_rows, rows
from nmlopt.results.codec import matrix, to_blob
from nmlopt.results.faults import reported
from nmlopt.results.files import RESUME, require_empty
from nmlopt.results.lock import WriteLock
from nmlopt.results.model import Context, Floats, ParameterInfo, RunInfo, SeedProgress, Stored, Table
from nmlopt.results.rescored import ROLES, NotRun

_ORDER = "ORDER BY seed, generation, position"


@final
class RunStore:
    """Access to run.sqlite. Use as a context manager; errors of disk and file are ResultsError."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: WriteLock | None) -> None:
        self.folder = folder
        self._db = connection
        self._lock = lock

    @staticmethod
    def create(folder: Path, info: RunInfo) -> RunStore:
        """A new store in a folder that is new or empty. Raises ResultsError R001, R002, R003."""
        with reported(folder):
            require_empty(folder, RESUME)
            folder.mkdir(parents=True, exist_ok=True)
            lock = WriteLock(folder)
            try:
                connection = database.create(folder)
                with database.transaction(connection):
                    seeds = [(seed, place) for place, seed in enumerate(info.seeds)]
                    connection.executemany("INSERT INTO seeds (seed, position) VALUES (?, ?)", seeds)
                    rows.enter(connection, info)
            except BaseException:
                lock.release()
                raise
            return RunStore(folder, connection, lock)

    @staticmethod
    def open(folder: Path) -> RunStore:
        """The store for reading, also while a fit writes. Raises ResultsError R004, R005, R006."""
        with reported(folder):
            return RunStore(folder, database.open_for_reading(folder), None)

    @staticmethod
    def resume(folder: Path) -> RunStore:
        """The store for writing on. Raises ResultsError R004, R005, R006, and R007 while another process writes."""
        with reported(folder):
            database.existing(folder)  # before a lock file is put into a folder that is none of ours
            lock = WriteLock(folder)
            try:
                return RunStore(folder, database.open_for_writing(folder), lock)
            except BaseException:
                lock.release()
                raise

    def close(self) -> None:
        """Give the file back."""
        with reported(self.folder):
            self._db.close()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def __enter__(self) -> RunStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Queries inside see one moment of the run, whatever is written meanwhile."""
        with reported(self.folder), database.transaction(self._db, "DEFERRED"):
            yield

    # ------------------------------------------------------------------------------------------------ writing

    def commit_generation(
        self,
        seed: int,
        generation: int,
        evaluations: Sequence[Evaluation],
        state: State,
        wall_s: float,
        *,
        cpu_s: float = 0.0,
    ) -> None:
        """Store a generation and the search state after it, all or nothing; it is on disk when this returns.

        `cpu_s`: CPU seconds spent outside the evaluations. Raises ValueError for a generation out of order.
        """
        with reported(self.folder), database.transaction(self._db):
            here = self._context()
            last = self._one("SELECT MAX(number) FROM generations WHERE context = ? AND seed = ?", here, seed)
            if last is not None and generation != last + 1:
                message = f"generation {generation} of seed {seed} follows {last}"
                raise ValueError(message)
            self._db.execute("UPDATE generations SET state = NULL WHERE context = ? AND seed = ?", (here, seed))
            self._db.execute(
                "INSERT INTO generations VALUES (?, ?, ?, ?, ?, ?, ?)",
                (here, seed, generation, json.dumps(state), wall_s, cpu_s, rows.now()),
            )
            items = (Stored(0, seed, generation, place, e) for place, e in enumerate(evaluations))
            rows.insert(self._db, here, items)

    def set_stop_reason(self, seed: int, reason: str) -> None:
        """Why the search of that seed ended ('' while it may go on)."""
        with reported(self.folder), database.transaction(self._db):
            self._db.execute("UPDATE seeds SET stop_reason = ? WHERE seed = ?", (reason, seed))

    def keep_rescored(self, items: Sequence[rescored_rows.Row]) -> None:
        """Store what was scored again, all or nothing; it is on disk when this returns."""
        with reported(self.folder), database.transaction(self._db):
            rescored_rows.insert(self._db, items)

    def set_not_run(self, found: NotRun | None, role: str) -> None:
        """Why nothing could be scored again in a role; None: it could."""
        with reported(self.folder), database.transaction(self._db):
            self._db.execute("DELETE FROM meta WHERE key = ?", (f"not run: {role}",))
            if found is not None:
                text = json.dumps([found.backend, found.reason])
                self._db.execute("INSERT INTO meta VALUES (?, ?)", (f"not run: {role}", text))

    def carry_over(
        self, info: RunInfo, convert: Callable[[Evaluation], Evaluation], states: Mapping[int, State]
    ) -> None:
        """Begin a new context with all evaluations of the present one as `convert` makes them (other weights, bounds).

        The old rows stay in the file. `states` are the search states to go on from, per seed.
        """
        with reported(self.folder), database.transaction(self._db):
            old = self._context()
            items = list(self._stored("WHERE context = ?", old))
            new = rows.enter(self._db, info)
            self._db.execute(
                "INSERT INTO generations SELECT ?, seed, number, NULL, wall_s, cpu_s, time FROM generations"
                " WHERE context = ?",
                (new, old),
            )
            for seed, state in states.items():
                self._db.execute(
                    "UPDATE generations SET state = ? WHERE context = ? AND seed = ? AND number ="
                    " (SELECT MAX(number) FROM generations WHERE context = ? AND seed = ?)",
                    (json.dumps(state), new, seed, new, seed),
                )
            rows.insert(self._db, new, (replace(item, evaluation=convert(item.evaluation)) for item in items))

    # ------------------------------------------------------------------------------------------------ reading

    @property
    def info(self) -> RunInfo:
        """What this run searches, in its present context."""
        with reported(self.folder):
            here = self._context()
            backend, settings, versions, problem = self._all(
                "SELECT backend, settings, versions, problem FROM contexts WHERE id = ?", here
            )[0]
            parameters = self._all(
                "SELECT id, unit, lower, upper, scale, present FROM parameters WHERE context = ? ORDER BY position",
                here,
            )
            return RunInfo(
                parameters=tuple(ParameterInfo(*row) for row in parameters),
                targets=self._names("targets", here),
                objectives=self._names("objectives", here),
                seeds=tuple(row[0] for row in self._all("SELECT seed FROM seeds ORDER BY position")),
                context=Context(backend, json.loads(settings), json.loads(versions), problem),
            )

    def last_state(self, seed: int) -> tuple[int, State] | None:
        """The last whole generation of a seed and the search state after it; None before the first."""
        with reported(self.folder):
            found = self._all(
                "SELECT number, state FROM generations WHERE context = ? AND seed = ? AND state IS NOT NULL"
                " ORDER BY number DESC LIMIT 1",
                self._context(),
                seed,
            )
            return (found[0][0], json.loads(found[0][1])) if found else None

    def evaluations(self, seed: int | None = None) -> Iterator[Stored]:
        """Every evaluation (of one seed), in order, read as it is needed."""
        with reported(self.folder):
            here = self._context()
            if seed is None:
                yield from self._stored("WHERE context = ?", here)
            else:
                yield from self._stored("WHERE context = ? AND seed = ?", here, seed)

    def evaluation(self, number: int) -> Stored:
        """The evaluation of that number. Raises KeyError."""
        with reported(self.folder):
            for stored in self._stored("WHERE id = ?", number):
                return stored
        raise KeyError(number)

    def rescored(self) -> tuple[rescored_rows.Row, ...]:
        """All that was scored again, in the order of the evaluations."""
        with reported(self.folder):
            return tuple(rescored_rows.read(self._db, self._context()))

    def not_run(self) -> dict[str, NotRun]:
        """The roles in which nothing could be scored again, with the reasons."""
        with reported(self.folder):
            found = ((role, self._one("SELECT value FROM meta WHERE key = ?", f"not run: {role}")) for role in ROLES)
            return {role: NotRun(role, *json.loads(text)) for role, text in found if text is not None}

    def find(self, x: Sequence[float] | Floats) -> Evaluation | None:
        """The first stored evaluation of exactly this candidate (bit for bit) in the present context."""
        with reported(self.folder):
            for stored in self._stored("WHERE context = ? AND x = ?", self._context(), to_blob(x)):
                return stored.evaluation
            return None

    def table(self) -> Table:
        """All evaluations as arrays."""
        with reported(self.folder):
            here = self._context()
            found = self._all(
                "SELECT id, seed, generation, status, x, objectives FROM evaluations WHERE context = ? " + _ORDER, here
            )
            n_free, n_objectives = (
                self._one(f"SELECT COUNT(*) FROM {name} WHERE context = ?", here)
                for name in ("parameters", "objectives")
            )
            return Table(
                numbers=np.array([row[0] for row in found], dtype=np.int64),
                seeds=np.array([row[1] for row in found], dtype=np.int64),
                generations=np.array([row[2] for row in found], dtype=np.int64),
                ok=np.array([row[3] == RunStatus.OK.value for row in found], dtype=np.bool_),
                x=matrix([row[4] for row in found], n_free),
                objectives=matrix([row[5] for row in found], n_objectives),
            )

    def progress(self) -> tuple[SeedProgress, ...]:
        """How far each seed is, in the order in which they were given."""
        with reported(self.folder):
            found = self._all(
                "SELECT s.seed, s.stop_reason,"
                " (SELECT COUNT(*) FROM generations g WHERE g.context = ?1 AND g.seed = s.seed),"
                " (SELECT COALESCE(SUM(wall_s), 0) FROM generations g WHERE g.context = ?1 AND g.seed = s.seed),"
                " (SELECT COALESCE(SUM(cpu_s), 0) FROM generations g WHERE g.context = ?1 AND g.seed = s.seed),"
                " COUNT(e.id), COALESCE(SUM(e.cpu_s), 0), MIN(CASE WHEN e.status = ?2 THEN e.total END)"
                " FROM seeds s LEFT JOIN evaluations e ON e.context = ?1 AND e.seed = s.seed"
                " GROUP BY s.seed ORDER BY s.position",
                self._context(),
                RunStatus.OK.value,
            )
            return tuple(
                SeedProgress(seed, generations, count, best, cpu + own_cpu, wall, reason)
                for seed, reason, generations, wall, own_cpu, count, cpu, best in found
            )

    def failures(self) -> dict[RunStatus, int]:
        """How many evaluations ended in each way other than OK; ways that did not occur are left out."""
        with reported(self.folder):
            found = self._all(
                "SELECT status, COUNT(*) FROM evaluations WHERE context = ? AND status != ? GROUP BY status",
                self._context(),
                RunStatus.OK.value,
            )
            counts = {RunStatus(status): count for status, count in found}
            return {status: counts[status] for status in RunStatus if status in counts}

    def failure_details(self, status: RunStatus, limit: int = 3) -> tuple[tuple[str, int], ...]:
        """The most frequent texts of one kind of failure, with how often they occurred."""
        with reported(self.folder):
            found = self._all(
                "SELECT detail, COUNT(*) FROM evaluations WHERE context = ? AND status = ? AND detail != ''"
                " GROUP BY detail ORDER BY 2 DESC, 1 LIMIT ?",
                self._context(),
                status.value,
                limit,
            )
            return tuple((detail, count) for detail, count in found)

    def best_sum(self, seed: int | None = None) -> float | None:
        """The least sum of objectives of a candidate that ran to its end (of one seed); None if there is none."""
        sums = [p.best_sum for p in self.progress() if p.best_sum is not None and seed in (None, p.seed)]
        return min(sums, default=None)

    def cpu_seconds(self) -> float:
        """CPU seconds of everything that is stored: evaluations and what was spent around them."""
        return sum(p.cpu_s for p in self.progress())

    def _context(self) -> int:
        value: str | None = self._one("SELECT value FROM meta WHERE key = 'context'")
        if value is None:
            message = "the run was stopped before it had begun"
            raise ResultsError(Issue("R004", message, str(self.folder), "start the fit again in a new folder"))
        return int(value)

    def _names(self, table: str, context: int) -> tuple[str, ...]:
        found = self._all(f"SELECT id FROM {table} WHERE context = ? ORDER BY position", context)
        return tuple(row[0] for row in found)

    def _stored(self, condition: str, *values: object) -> Iterator[Stored]:
        for row in self._db.execute(f"SELECT {rows.COLUMNS} FROM evaluations {condition} {_ORDER}", values):
            yield rows.stored(row)

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._db.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> Any:
        row = self._db.execute(query, values).fetchone()
        return None if row is None else row[0]
