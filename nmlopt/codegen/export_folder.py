"""Writes what an exporter printed into a new folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nmlopt.errors import Issue, ResultsError


def write_folder(folder: Path, texts: Mapping[str, str | bytes]) -> tuple[Path, ...]:
    """Write `texts` by relative name; the files written, in order.

    Raises ResultsError R010 if the folder exists and is not empty, R011 if it cannot be written.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ResultsError(Issue("R010", "the folder for the export is not empty", str(folder), "choose another"))
        written = []
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
            written.append(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultsError(Issue("R011", f"the export cannot be written: {reason}", str(folder))) from None
    return tuple(written)
