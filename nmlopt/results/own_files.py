"""What in the folder of solutions was written by nmlopt as it stands: nothing else may be replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from nmlopt.errors import Issue, ResultsError
from nmlopt.results.files import sha256

_OF_SYSTEMS: Final = frozenset({".DS_Store", "Thumbs.db"})
_MOST: Final = 3


def require_own(folder: Path, scores: str) -> None:
    """Raise ResultsError R031 where a folder of solutions holds files of others, or own ones that were changed.

    `scores`: the name of the file in each solution that lists its files.
    """
    foreign = sorted(_foreign(folder, scores))
    if foreign:
        shown = ", ".join(path.relative_to(folder).as_posix() for path in foreign[:_MOST])
        more = f" and {len(foreign) - _MOST} more" if len(foreign) > _MOST else ""
        message = f"solutions are made anew, and here are files that the fit did not write, or not so: {shown}{more}"
        hint = "move them elsewhere, then nmlopt resume or nmlopt report; every evaluation is stored"
        raise ResultsError(Issue("R031", message, str(foreign[0]), hint))


def _foreign(folder: Path, scores: str) -> Iterator[Path]:
    own = {path for found in folder.glob(f"[0-9]*/{scores}") for path in _own(found)}
    for path in folder.rglob("*"):
        if (path.is_file() or path.is_symlink()) and path not in own and path.name not in _OF_SYSTEMS:
            yield path


def _own(scores: Path) -> Iterator[Path]:
    """The list itself, and the files on it that are as they were written."""
    try:
        contents = json.loads(scores.read_text(encoding="utf-8"))
        names, digests = list(contents["files"]), dict(contents.get("sha256", {}))
    except (OSError, ValueError, KeyError, TypeError):
        return
    yield scores
    for name in names:
        path = scores.parent / name
        if path.is_file() and digests.get(name) in (None, sha256(path.read_bytes())):
            yield path
