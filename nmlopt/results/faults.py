"""Failures of disks and databases as errors that say what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nmlopt.errors import Issue, ResultsError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_SCHEMA")
_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")
_UNWRITABLE = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")


@contextmanager
def reported(folder: Path) -> Iterator[None]:
    """Turn errors of the file system and of SQLite about `folder` into ResultsError R002, R003, R006 or R007."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise ResultsError(_database_issue(error, folder)) from error
    except OSError as error:
        raise ResultsError(_file_issue(error, folder)) from error


def unwritable(folder: Path, why: str) -> Issue:
    """R002: the run folder cannot be written."""
    return Issue("R002", f"cannot write here: {why}", str(folder), "choose another folder, or mend its permissions")


def full(folder: Path) -> Issue:
    """R003: no space left."""
    hint = "free some space; what was written before is whole, and `nmlopt resume` goes on from it"
    return Issue("R003", "the disk is full", str(folder), hint)


def damaged(folder: Path, why: str) -> Issue:
    """R006: the run's file is not whole."""
    return Issue("R006", f"run.sqlite is damaged ({why})", str(folder), "restore it from a copy, or fit again")


def _file_issue(error: OSError, folder: Path) -> Issue:
    if error.errno in _FULL:
        return full(folder)
    return unwritable(Path(error.filename) if isinstance(error.filename, str) else folder, error.strerror or str(error))


def _database_issue(error: sqlite3.DatabaseError, folder: Path) -> Issue:
    # Errors that Python's module raises itself (not SQLite) carry no name.
    name: str = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(_DAMAGED):
        return damaged(folder, str(error))
    if name.startswith(_LOCKED):
        return Issue("R007", "another process holds run.sqlite", str(folder), "wait until it has ended")
    if name.startswith(_UNWRITABLE):
        return unwritable(folder, str(error))
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return full(folder) if name == "SQLITE_FULL" else _failing(folder, name)
    return damaged(folder, str(error))


def _failing(folder: Path, name: str) -> Issue:
    hint = "look at free space, quota and the health of the disk; then `nmlopt resume`"
    return Issue("R003", f"the disk does not take more data ({name})", str(folder), hint)
