"""Writing files so that a reader finds the old ones or the new ones, never half of one."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from nmlopt.errors import Issue, ResultsError

NEW_NAME = "choose another name, or empty the folder"
RESUME = "choose another name; to go on with the run in it, `nmlopt resume`"


def require_empty(folder: Path, hint: str = NEW_NAME) -> None:
    """Raise ResultsError R001 with that hint unless the folder is new or empty."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        message = "the folder exists and is not empty" if folder.is_dir() else "a file of that name exists"
        raise ResultsError(Issue("R001", f"{message}: nothing is overwritten", str(folder), hint))


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, replacing an older one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_tree(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Write files by relative posix path below a folder; the paths written, in order."""
    written = []
    for name, data in files.items():
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            message = f"'{name}' does not stay in its folder"
            raise ValueError(message)
        path = folder.joinpath(*relative.parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.append(path)
    return tuple(written)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` to fill; it takes that name (new, or of an empty folder) when all went well."""
    require_empty(folder)
    with _partial(folder) as part:
        yield part
        part.rename(folder)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` to fill; it takes the place of an older one when all went well."""
    with _partial(folder) as part:
        yield part
        old = part.with_name(part.name + ".old")
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def sha256(data: bytes) -> str:
    """The digest that run.toml states of every file."""
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part"))
    part.chmod(0o777 & ~_umask())
    try:
        yield part
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
