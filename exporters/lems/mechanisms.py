"""The mechanisms of jNeuroML's export to NEURON: compiled once for all runs whose mod files are the same.

Densities and steps stand in other files, so that candidates and refined runs mostly share theirs. Constants of
channels stand in the mod files: a fit of them leaves a library for each candidate, so only the latest are kept.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from nmlopt.codegen.build_cache import cached
from nmlopt.errors import BackendError
from nmlopt.exporters.lems.java import RunError, complaint, run

_CACHE: Final = "lems"
_KEPT: Final = 32
_IN_USE_S: Final = 3600.0
"""What was used so lately may still be loaded by a run of another process."""


def build(folder: Path, nrnivmodl: Path) -> None:
    """Put the compiled mod files of `folder` into it. Raises RunError if they cannot be compiled."""
    mods = sorted(folder.glob("*.mod"))
    try:
        made = cached(_CACHE, _digest(mods, nrnivmodl), _is_complete, lambda here: _compile(mods, here, nrnivmodl))
    except BackendError:  # no cache can be written here: nothing is shared, then
        _compile(mods, folder, nrnivmodl)
        return
    os.utime(made)
    for compiled in (path for path in made.iterdir() if path.is_dir()):
        (folder / compiled.name).symlink_to(compiled, target_is_directory=True)
    prune(made.parent)


def prune(cache: Path, *, kept: int = _KEPT) -> None:
    """Delete all but the latest `kept` builds of a cache folder, and none that may be in use."""
    used: dict[Path, float] = {}
    for path in cache.iterdir():
        with suppress(FileNotFoundError):  # another process prunes, too
            used |= {} if path.name.startswith(".") else {path: path.stat().st_mtime}
    for path in sorted(used, key=lambda path: used[path])[:-kept]:
        if time.time() - used[path] > _IN_USE_S:
            shutil.rmtree(path, ignore_errors=True)


def _digest(mods: Sequence[Path], nrnivmodl: Path) -> str:
    try:
        neuron = version("neuron")
    except PackageNotFoundError:  # one that was not installed by pip
        neuron = str(nrnivmodl.stat().st_mtime)
    parts = [str(nrnivmodl), neuron, platform.system(), platform.machine()]
    parts += [part for mod in mods for part in (mod.name, mod.read_text(encoding="utf-8"))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _is_complete(folder: Path) -> bool:
    return any(folder.glob("*/special")) or any(folder.glob("*/libnrnmech*"))


def _compile(mods: Sequence[Path], folder: Path, nrnivmodl: Path) -> None:
    for mod in mods:
        if mod.parent != folder:
            shutil.copyfile(mod, folder / mod.name)
    said = run([str(nrnivmodl)], folder)
    if not _is_complete(folder):
        raise RunError(f"nrnivmodl fails on jNeuroML's export: {complaint(said)}")
    for left in folder.glob("*/*.o"):
        left.unlink()
