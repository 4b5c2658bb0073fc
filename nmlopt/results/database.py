"""Connections to run.sqlite: how it is created, opened for writing, and read while another process writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from nmlopt.errors import Issue, ResultsError
from nmlopt.results.faults import damaged
from nmlopt.results.schema import APPLICATION_ID, LATER_TABLES, SCHEMA_VERSION, TABLES

NAME = "run.sqlite"
_WAIT_S = 30.0
_MOUNTS = Path("/proc/self/mounts")
# SQLite's write-ahead log needs shared memory, which does not exist between machines (sqlite.org/wal.html).
_NETWORK = ("nfs", "cifs", "smb", "afs", "lustre", "gpfs", "beegfs", "ceph", "9p", "fuse.sshfs", "fuse.glusterfs")


def create(folder: Path) -> sqlite3.Connection:
    """A new file with empty tables; the caller has made sure that there is none."""
    connection = _connect(folder / NAME)
    _set_durable(connection, folder)
    with transaction(connection):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        for statement in TABLES:
            connection.execute(statement)
    return connection


def open_for_writing(folder: Path) -> sqlite3.Connection:
    """The file of an earlier run, checked for damage. Raises ResultsError R004, R005, R006."""
    path = existing(folder)
    connection = _connect(path)
    try:
        _identify(connection, folder)
        found = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found is None or found[0] != "ok":
            raise ResultsError(damaged(folder, str(found[0]) if found else "no answer"))
        _set_durable(connection, folder)
        for statement in LATER_TABLES:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(folder: Path) -> sqlite3.Connection:
    """The file as it is, also while it is written, and on read-only media. Raises ResultsError R004, R005, R006."""
    path = existing(folder)
    for query in ("mode=ro", "mode=rw", "immutable=1"):
        # 'rw' rolls back what a killed writer left in a rollback journal; 'immutable' reads a copy on read-only media.
        connection = _connect(path, query)
        try:
            _identify(connection, folder)
            if query == "mode=rw":
                connection.execute("PRAGMA query_only = ON")
        except sqlite3.OperationalError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failure


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """All statements or none. `kind` DEFERRED gives a reader one unchanging view."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _connect(path: Path, query: str = "") -> sqlite3.Connection:
    name = f"file:{quote(str(path.absolute()))}" + (f"?{query}" if query else "")
    connection = sqlite3.connect(name, timeout=_WAIT_S, isolation_level=None, uri=True)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _set_durable(connection: sqlite3.Connection, folder: Path) -> None:
    """Write-ahead log where it is safe, and wait for the disk at each commit.

    FULL costs one flush per generation, some milliseconds; NORMAL could lose the last generations in a power cut.
    """
    mode = "DELETE" if _on_network(folder) else "WAL"
    got = connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0]
    if got.lower() != mode.lower():
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL")


def _on_network(folder: Path) -> bool:
    """Whether the folder lies on a file system that other machines share; False where this cannot be known."""
    try:
        rows = [line.split() for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return False
    here = folder.resolve()
    points = [(len(row[1]), row[2]) for row in rows if len(row) > 2 and here.is_relative_to(row[1])]
    return bool(points) and max(points)[1].startswith(_NETWORK)


def existing(folder: Path) -> Path:
    """The file of a run. Raises ResultsError R004 when there is none."""
    path = folder / NAME
    if path.is_file():
        return path
    what = "there is no such folder" if not folder.exists() else "this is not a run folder: it holds no run.sqlite"
    raise ResultsError(Issue("R004", what, str(folder), "give the folder that `nmlopt fit --out` was given"))


def _identify(connection: sqlite3.Connection, folder: Path) -> None:
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if mark != APPLICATION_ID:
        message = "run.sqlite was not written by nmlopt, or the run was stopped before it had begun"
        raise ResultsError(Issue("R004", message, str(folder), "start the fit again in a new folder"))
    if version > SCHEMA_VERSION:
        message = f"the run was written by a newer nmlopt (store version {version}, this one knows {SCHEMA_VERSION})"
        raise ResultsError(Issue("R005", message, str(folder), "python -m pip install --upgrade nmlopt"))
