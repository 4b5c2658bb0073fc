"""The copy of what was fitted, inside the run folder: resuming and reporting work when the originals have moved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nmlopt.document.model import Document
from nmlopt.errors import Issue, ResultsError
from nmlopt.results.faults import reported
from nmlopt.results.files import sha256, write_tree
from nmlopt.results.run_toml import Record
from nmlopt.spec.models import Played, Targets, TraceTarget

FOLDER = "inputs"
_MODEL = f"{FOLDER}/model"


@dataclass(frozen=True, slots=True)
class Copies:
    """Files to be written below the run folder, and where the main ones are among them."""

    files: Mapping[str, bytes]
    model: str
    targets: str
    search_paths: tuple[str, ...]

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file."""
        return {name: sha256(data) for name, data in self.files.items()}


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where the copies of a run lie: the main model file, the folder that holds all of it, the targets."""

    model: Path
    root: Path
    search_paths: tuple[Path, ...]
    targets: Path


def copies(document: Document, targets: Targets, targets_path: Path) -> Copies:
    """What a run keeps: the document as read, targets.json byte for byte, the data files that it names.

    Data files named by an absolute path stay where they are.
    """
    model = {f"{_MODEL}/{source.path}": source.data for source in document.files}
    place, spec = targets_copy(targets, targets_path, f"{FOLDER}/targets")
    return Copies({**model, **spec}, f"{_MODEL}/{document.main}", place, search_paths_below(document, _MODEL))


def targets_copy(targets: Targets, targets_path: Path, folder: str) -> tuple[str, dict[str, bytes]]:
    """(place of targets.json, files) as they would lie below `folder`, with their places to each other."""
    path = Path(os.path.normpath(targets_path.absolute()))
    names = [name for name in data_files(targets) if not Path(name).is_absolute()]
    data = [Path(os.path.normpath(path.parent / name)) for name in names]
    top = Path(os.path.commonpath([path.parent, *(p.parent for p in data)]))
    with reported(path):
        files = {f"{folder}/{p.relative_to(top).as_posix()}": p.read_bytes() for p in (path, *data)}
    return f"{folder}/{path.relative_to(top).as_posix()}", files


def data_files(targets: Targets) -> tuple[str, ...]:
    """Names of the files that targets.json refers to, each once, in its order."""
    played = [s.file for p in targets.protocols for s in p.stimuli if isinstance(s, Played)]
    traces = [t.file for t in targets.targets if isinstance(t, TraceTarget)]
    return tuple(dict.fromkeys(played + traces))


def search_paths_below(document: Document, folder: str) -> tuple[str, ...]:
    """The document's search paths as they are in a copy below `folder`; those outside its files are left out."""
    root = Path(os.path.normpath(document.root.absolute()))
    found = [Path(os.path.normpath(path.absolute())) for path in document.search_paths]
    return tuple((PurePosixPath(folder) / p.relative_to(root)).as_posix() for p in found if p.is_relative_to(root))


def add(run: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Put further files into a run (other targets, on resuming); their digests. Raises ResultsError R002, R003."""
    with reported(run):
        write_tree(run, files)
    return {name: sha256(data) for name, data in files.items()}


def next_targets_folder(run: Path) -> str:
    """A name for a further copy of targets that is not taken yet."""
    number = 2
    while (run / FOLDER / f"targets-{number}").exists():
        number += 1
    return f"{FOLDER}/targets-{number}"


def locate(run: Path, record: Record) -> Inputs:
    """The copies of a run, after a look that they are as they were. Raises ResultsError R008 with all that are not."""
    issues = [issue for name, digest in record.files.items() for issue in _changed(run / name, digest)]
    if issues:
        raise ResultsError(issues)
    return Inputs(
        model=run / record.model,
        root=run / _MODEL,
        search_paths=tuple(run / path for path in record.search_paths),
        targets=run / record.targets,
    )


def _changed(path: Path, digest: str) -> tuple[Issue, ...]:
    hint = "a run is tied to its inputs: restore the file, or start a new fit with the changed one"
    try:
        data = path.read_bytes()
    except OSError as error:
        return (Issue("R008", f"a copy of the inputs is gone: {error.strerror}", str(path), hint),)
    if sha256(data) != digest:
        return (Issue("R008", "a copy of the inputs was changed after the fit had begun", str(path), hint),)
    return ()
