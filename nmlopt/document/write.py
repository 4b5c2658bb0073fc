"""Writes a document as files."""

from __future__ import annotations

from pathlib import Path

from nmlopt.document.model import Document
from nmlopt.errors import DocumentError, Issue


def write(document: Document, folder: Path) -> tuple[Path, ...]:
    """Write all files below `folder` with their relative paths; the paths written, main file first.

    Nothing is overwritten. Raises DocumentError D012 (before anything is written, if files exist already).
    """
    targets = [(folder / source.path, source.data) for source in document.files]
    there = [path for path, _ in targets if path.exists() or path.is_symlink()]
    if there:
        raise DocumentError(
            [Issue("D012", f"'{path}' exists already", hint="choose a new folder") for path in there],
        )
    for path, data in targets:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                stream.write(data)
        except OSError as error:
            raise DocumentError(Issue("D012", f"'{path}' cannot be written: {error.strerror}")) from error
    return tuple(path for path, _ in targets)
