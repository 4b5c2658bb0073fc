"""Reads a model file and everything it includes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from nmlopt.document.includes import Limits, absolute, limits, locate
from nmlopt.document.model import Document, SourceFile, digest, is_include
from nmlopt.document.parse import parse_source
from nmlopt.errors import DocumentError, Issue

MAX_BYTES: Final = 200_000_000
MAX_FILES: Final = 5000
_ROOT_TAGS: Final = ("neuroml", "Lems")


def read(path: Path | str, *, root: Path | None = None, search_paths: Sequence[Path] = ()) -> Document:
    """The document of a model file: that file and all that it includes, directly or not.

    Includes are sought beside the including file, then in `search_paths`; all must lie below one folder: `root`, else
    the version-control root that holds the model, else at most three folders up.
    Raises DocumentError with all faults found (D001-D011).
    """
    main = absolute(Path(path))
    if not os.path.isfile(main):  # noqa: PTH113 - Path.is_file raises for long names
        raise DocumentError(_unreadable(main, path))
    if root is None:  # the user's own links are followed; the limit is that of the place where the model really is
        main = Path(os.path.realpath(main))
    allowed = limits(main, root, search_paths)
    sources = _read_all(main, allowed)
    folder = Path(os.path.commonpath([p.parent for p in sources]))
    files = tuple(_named(source, p.relative_to(folder).as_posix()) for p, source in sources.items())
    return Document(folder, files[0].path, files, digest(files), allowed.search_paths, allowed.root)


def _read_all(main: Path, allowed: Limits) -> dict[Path, SourceFile]:
    """All files, depth first; cycles and repeated includes end at the file that is already known."""
    sources: dict[Path, SourceFile] = {}
    real: dict[str, Path] = {}
    issues: list[Issue] = []
    waiting: list[tuple[Path, str]] = [(main, "")]
    failed: set[Path] = set()
    while waiting:
        path, where = waiting.pop()
        if path in sources or path in failed:
            continue
        alias = real.setdefault(os.path.realpath(path), path)
        if alias != path:
            message = f"'{_shown(path, main)}' and '{_shown(alias, main)}' are one file under two names"
            issues.append(Issue("D011", message, where, "include it by one name"))
            failed.add(path)
            continue
        try:
            if len(sources) >= MAX_FILES:
                raise DocumentError(Issue("D005", f"the model includes more than {MAX_FILES} files", where))
            sources[path] = source = _read_one(path, _shown(path, main), where)
        except DocumentError as error:
            issues.extend(error.issues)
            failed.add(path)
            continue
        found = [(locate(e, path, allowed), e.where) for e in source.root.children if is_include(e)]
        issues.extend(item for item, _ in found if isinstance(item, Issue))
        waiting.extend(reversed([(item, place) for item, place in found if isinstance(item, Path)]))
    if issues:
        raise DocumentError(issues)
    return sources


def _read_one(path: Path, shown: str, where: str) -> SourceFile:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            message = f"'{shown}' has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} are read"
            raise DocumentError(Issue("D005", message, where))
        data = path.read_bytes()
    except OSError as error:
        raise DocumentError(Issue("D001", f"'{shown}' cannot be read: {error.strerror}", where or shown)) from error
    source = parse_source(data, shown)
    if source.root.tag not in _ROOT_TAGS:
        message = f"the top element is <{source.root.tag}>; NeuroML files start with <neuroml>, LEMS files with <Lems>"
        raise DocumentError(Issue("D006", message, source.root.where))
    return source


def _shown(path: Path, main: Path) -> str:
    return Path(os.path.relpath(path, main.parent)).as_posix()


def _named(source: SourceFile, path: str) -> SourceFile:
    """The file under its final name (the document's root is known only when all files are)."""
    if path == source.path:
        return source
    for element in source.root.walk():
        element.file = path
    return replace(source, path=path)


def _unreadable(main: Path, given: Path | str) -> Issue:
    if os.path.exists(main):  # noqa: PTH110 - Path.exists raises for long names
        return Issue("D001", f"'{given}' is not a file", str(given), hint="give the .nml or .xml file itself")
    hint = f"there is no folder '{main.parent}'"
    if os.path.isdir(main.parent):  # noqa: PTH112 - as above
        near = [p.name for p in sorted(main.parent.iterdir()) if p.suffix in (".nml", ".xml")][:5]
        hint = f"models in that folder: {', '.join(near)}" if near else f"there is no .nml or .xml in '{main.parent}'"
    return Issue("D001", f"'{given}' does not exist", str(given), hint)
