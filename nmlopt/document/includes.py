"""Where an include may lead: inside one folder only, to files of the disk only."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from nmlopt.document.model import Element
from nmlopt.errors import DocumentError, Issue

CORE_FILES: Final = frozenset(
    name + ".xml"
    for name in (
        *("Cells", "Channels", "Inputs", "Networks", "NeuroML2CoreTypes", "NeuroMLCoreCompTypes"),
        *("NeuroMLCoreDimensions", "PyNN", "Simulation", "Synapses"),
    )
)
"""Core type files: an include of one that is not on the disk means the installed definitions."""

FOLDERS_UP: Final = 3
"""Published models include `../../channels/x.nml`; without a version-control root, no include climbs higher."""

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HINT_ROOT: Final = "give the folder that holds all files of the model as root (--root)"


@dataclass(frozen=True, slots=True)
class Limits:
    """The folder below which files are read, and the folders that are searched after the including file's own."""

    root: Path
    search_paths: tuple[Path, ...]

    def holds(self, path: Path) -> bool:
        """Whether a file lies below the root, also after symbolic links are followed."""
        return path.is_relative_to(self.root) and Path(os.path.realpath(path)).is_relative_to(
            os.path.realpath(self.root)
        )


def limits(main: Path, root: Path | None, search_paths: Sequence[Path]) -> Limits:
    """The limits for a model file (absolute path).

    The root is the given one, else the version-control root that holds the model, else three folders up.
    Raises DocumentError D008 when the model or a search path lies outside.
    """
    folder = absolute(root) if root is not None else _version_control_root(main) or _folders_up(main)
    found = Limits(folder, tuple(absolute(path) for path in search_paths))
    issues = [
        Issue("D008", f"{what} '{path}' lies outside the root '{folder}'", hint=_HINT_ROOT)
        for what, path in (("the model", main), *(("search path", p) for p in found.search_paths))
        if not found.holds(path)
    ]
    issues += [
        Issue("D001", f"search path '{path}' is not a folder") for path in found.search_paths if not path.is_dir()
    ]
    if issues:
        raise DocumentError(issues)
    return found


def locate(include: Element, including: Path, allowed: Limits) -> Path | Issue | None:
    """The file that an include means, or what is wrong with it, or None for a core type file."""
    name = (include.attributes.get("href") or include.attributes.get("file") or "").strip()
    where = include.where
    if not name:
        return Issue("D010", "the include names no file", where, "write href='file.nml'")
    if _SCHEME.match(name) or name.startswith(("/", "\\")):
        message = f"include '{name}' is an absolute path or a network address"
        return Issue("D007", message, where, "copy the file beside the model and include it by a relative path")
    folders = (including.parent, *allowed.search_paths)
    candidates = [absolute(folder / name) for folder in folders]
    outside = [path for path in candidates if not _is_inside(path, allowed)]
    for path in candidates:
        if path not in outside and os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for long names
            return path
    if Path(name).name in CORE_FILES:
        return None
    if outside:
        return Issue("D008", f"include '{name}' lies outside the root '{allowed.root}'", where, _HINT_ROOT)
    return Issue("D009", f"included file '{name}' does not exist", where, _did_you_mean(candidates))


def absolute(path: Path) -> Path:
    """The absolute path without '..', symbolic links kept."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - Path.absolute keeps '..'


def _is_inside(path: Path, allowed: Limits) -> bool:
    try:
        return allowed.holds(path)
    except OSError:  # a name that the system does not take, such as one that is too long
        return False


def _did_you_mean(candidates: Sequence[Path]) -> str:
    near: list[str] = []
    for path in candidates:
        if os.path.isdir(path.parent):  # noqa: PTH112 - as above
            near += get_close_matches(path.name, (p.name for p in path.parent.iterdir()), n=2, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(repr(n) for n in dict.fromkeys(near))}?"
    return f"looked in {', '.join(dict.fromkeys(str(p.parent) for p in candidates))}"


def _version_control_root(main: Path) -> Path | None:
    return next((folder for folder in main.parents[:-1] if any((folder / name).exists() for name in _MARKS)), None)


_MARKS: Final = (".git", ".hg", ".svn")


def _folders_up(main: Path) -> Path:
    """At most `FOLDERS_UP` above the model's folder, but neither the top of the file system nor above the home."""
    folder, home = main.parent, absolute(Path("~"))
    for _ in range(FOLDERS_UP):
        above = folder.parent
        if above == Path(above.anchor) or (home.is_relative_to(above) and home != above):
            break
        folder = above
    return folder
