"""One writer per run folder: a lock that the system drops when its process dies, however it dies.

POSIX record locks (`lockf`) are used because a forked worker does not inherit them: a worker that outlives a killed
fit does not keep the folder locked. They do not protect against the same process, so held files are listed here.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path

from nmlopt.errors import Issue, ResultsError

NAME = "run.lock"
_ATTEMPTS = 5
_PAUSE_S = 0.05
_held: set[tuple[int, int]] = set()


class WriteLock:
    """The right to write into a run folder, from construction to `release`. Raises ResultsError R007."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._file = self._acquire()
        os.ftruncate(self._file, 0)
        os.write(self._file, f"pid {os.getpid()} on {socket.gethostname()}".encode())

    def release(self) -> None:
        """Let others write."""
        status = os.fstat(self._file)
        self._path.unlink(missing_ok=True)
        _held.discard((status.st_dev, status.st_ino))
        os.close(self._file)

    def _acquire(self) -> int:
        for _ in range(_ATTEMPTS):
            file = self._try()
            if file is not None:
                return file
            time.sleep(_PAUSE_S)
        holder = "this process" if _held_here(self._path) else _text(self._path)
        raise ResultsError(
            Issue(
                "R007",
                f"another fit is writing into this folder ({holder})",
                str(self._path.parent),
                "wait until it has ended, or look at it with `nmlopt status`",
            )
        )

    def _try(self) -> int | None:
        """A locked file, or None when it is taken or was replaced just now."""
        if _held_here(self._path):
            return None
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return None
        mine = os.fstat(file)
        key = (mine.st_dev, mine.st_ino)
        if _key(self._path) != key:  # the former holder removed the name between open and lock
            os.close(file)
            return None
        _held.add(key)
        return file


def holder(folder: Path) -> str | None:
    """Who writes into the folder just now ('pid 7 on host'), or None."""
    path = folder / NAME
    if _held_here(path):
        return _text(path)
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _text(path)
    finally:
        os.close(file)
    return None


def _held_here(path: Path) -> bool:
    # Opening and closing a file drops this process's record locks on it, so a held one is never opened again.
    return _key(path) in _held


def _key(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


def _text(path: Path) -> str:
    if _held_here(path):
        return f"pid {os.getpid()} on {socket.gethostname()}"
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or "unknown"
    except OSError:
        return "unknown"
