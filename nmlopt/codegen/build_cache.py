"""A cache of compiled mechanisms that is safe for concurrent builders and interruptions.

A build happens in a temporary folder beside its final place and is renamed into it when complete, so a folder with the
final name always is a finished one.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from nmlopt.errors import BackendError, Issue

_SHOWN_LINES = 15


def cache_folder(backend: str) -> Path:
    """$NMLOPT_CACHE/<backend>, else that of the user's cache folder."""
    root = os.environ.get("NMLOPT_CACHE")
    base = Path(root) if root else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nmlopt"
    return base.expanduser() / backend


def cached(
    backend: str, digest: str, is_complete: Callable[[Path], bool], make: Callable[[Path], None]
) -> Path:  # fmt: skip
    """The folder that `make` filled for `digest`, now or earlier.

    Raises BackendError B004 where the cache cannot be written, and whatever `make` raises.
    """
    final = cache_folder(backend) / digest
    if is_complete(final):
        return final
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        working = Path(tempfile.mkdtemp(prefix=f".{digest[:12]}-", dir=final.parent))
    except OSError as error:
        raise _unwritable(final.parent, error) from None
    try:
        make(working)
        _publish(working, final, is_complete)
    except OSError as error:
        raise _unwritable(final.parent, error) from None
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return final


def require_compiler(simulator: str, tools: Sequence[str]) -> None:
    """Raise BackendError B002 unless a C++ compiler ($CXX or c++) and `tools` are there."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    compiler = os.environ.get("CXX", "c++").split()[0]
    if not shutil.which(compiler):
        missing.append(compiler)
    if missing:
        raise no_compiler(simulator, f"not found: {', '.join(missing)}", tools)


def no_compiler(simulator: str, detail: str, tools: Sequence[str]) -> BackendError:
    """BackendError B002 with the command that brings a compiler and `tools`."""
    names = " ".join(("g++", *tools))
    hint = "install one: xcode-select --install" if platform.system() == "Darwin" else (
        f"install one: sudo apt-get install {names} (Fedora: sudo dnf install {names.replace('g++', 'gcc-c++')})"
    )  # fmt: skip
    return BackendError(
        Issue("B002", f"{simulator} needs a C++ compiler and {' and '.join(tools)} ({detail})", hint=hint)
    )


def failed_build(command: str, working: Path, log: str) -> BackendError:
    """BackendError B003 for generated mechanisms that `command` refuses; `working` is kept for a look."""
    kept = Path(tempfile.mkdtemp(prefix="failed-", dir=working.parent))
    shutil.copytree(working, kept, dirs_exist_ok=True)
    tail = "\n".join(log.strip().splitlines()[-_SHOWN_LINES:])
    hint = "this is a fault of the generated code or of the compiler; build.log in that folder holds everything"
    message = f"{command} could not compile the generated mechanisms:\n{tail}"
    return BackendError(Issue("B003", message, str(kept), hint))


def _publish(working: Path, final: Path, is_complete: Callable[[Path], bool]) -> None:
    """Rename into place; if another builder was faster, its result is as good."""
    try:
        working.rename(final)
    except OSError:
        if not is_complete(final):
            raise


def _unwritable(folder: Path, error: OSError) -> BackendError:
    reason = error.strerror or str(error)
    hint = "free some space or point NMLOPT_CACHE to a folder that can be written"
    return BackendError(
        Issue("B004", f"the cache of compiled mechanisms cannot be written: {reason}", str(folder), hint)
    )
