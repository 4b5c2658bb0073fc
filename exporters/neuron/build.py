"""Builds mod files with nrnivmodl into a cache folder that is safe for concurrent builders and interruptions.

A build happens in a temporary folder beside its final place and is renamed into it when complete, so a folder with
the final name always is a finished one.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from nmlopt.errors import BackendError, Issue

# No fused multiply-add: the same operations give the same bits on every processor. NEURON maps exp and pow to its
# own functions; the other functions must not be folded by the compiler, whose rounding differs from the library's.
COMPILER_FLAGS = "-ffp-contract=off -fno-builtin-log -fno-builtin-sin -fno-builtin-cos -fno-builtin-tan " \
    "-fno-builtin-sinh -fno-builtin-cosh -fno-builtin-tanh"  # fmt: skip
_LIBRARY_NAMES = ("libnrnmech.so", "libnrnmech.dylib")
_SHOWN_LINES = 15


def toolchain(neuron_version: str) -> str:
    """What a compiled library depends on beside its texts."""
    return f"{neuron_version}|{platform.system()}|{platform.machine()}|{COMPILER_FLAGS}"


def cache_folder() -> Path:
    """$NMLOPT_CACHE/neuron, else the user's cache folder."""
    root = os.environ.get("NMLOPT_CACHE")
    base = Path(root) if root else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nmlopt"
    return base.expanduser() / "neuron"


def library(folder: Path) -> Path | None:
    """The compiled library in a build folder, None if there is none."""
    return next((p for name in _LIBRARY_NAMES for p in sorted(folder.glob(f"*/{name}"))), None)


def build(files: Mapping[str, str], digest: str) -> Path:
    """The folder with the compiled `files`, built unless the cache holds it.

    Raises BackendError: B002 no compiler, B003 nrnivmodl fails, B004 the cache folder cannot be written.
    """
    final = cache_folder() / digest
    if library(final) is not None:
        return final
    if not files:
        return _empty(final)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        working = Path(tempfile.mkdtemp(prefix=f".{digest[:12]}-", dir=final.parent))
    except OSError as error:
        raise _unwritable(final.parent, error) from None
    try:
        _compile(files, working)
        _publish(working, final)
    except OSError as error:
        raise _unwritable(final.parent, error) from None
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return final


def _empty(final: Path) -> Path:
    """A cell without mechanisms needs no library."""
    return final


def _compile(files: Mapping[str, str], working: Path) -> None:
    for name, text in files.items():
        (working / name).write_text(text, encoding="utf-8")
    command = [sys.executable, str(_nrnivmodl()), "-incflags", COMPILER_FLAGS, "."]
    environment = {**os.environ, "PYTHONNOUSERSITE": "1"}
    try:
        done = subprocess.run(command, cwd=working, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise _no_compiler(str(error)) from None
    (working / "build.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode == 0 and library(working) is not None:
        return
    missing = [
        tool for tool in ("make", "g++" if platform.system() != "Darwin" else "clang++") if not shutil.which(tool)
    ]
    if missing and not shutil.which(os.environ.get("CXX", "c++")):
        raise _no_compiler(f"not found: {', '.join(missing)}")
    if not shutil.which("make"):
        raise _no_compiler("not found: make")
    kept = Path(tempfile.mkdtemp(prefix="failed-", dir=working.parent))
    shutil.copytree(working, kept, dirs_exist_ok=True)
    tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_SHOWN_LINES:])
    raise BackendError(
        Issue("B003", f"nrnivmodl could not compile the generated mechanisms:\n{tail}", str(kept),
              "this is a fault of the generated code or of the compiler; build.log in that folder holds everything")
    )  # fmt: skip


def _publish(working: Path, final: Path) -> None:
    """Rename into place; if another builder was faster, its result is as good."""
    try:
        working.rename(final)
    except OSError:
        if library(final) is None:
            raise


def _nrnivmodl() -> Path:
    """nrnivmodl of the environment that runs us, whatever PATH says."""
    for folder in (Path(sys.executable).parent, Path(sys.prefix) / "bin"):
        if (folder / "nrnivmodl").is_file():
            return folder / "nrnivmodl"
    found = shutil.which("nrnivmodl")
    if found is None:
        raise BackendError(
            Issue("B001", "nrnivmodl is not there", hint=f"install NEURON: {sys.executable} -m pip install neuron")
        )
    return Path(found)


def _no_compiler(detail: str) -> BackendError:
    hint = "install one: xcode-select --install" if platform.system() == "Darwin" else (
        "install one: sudo apt-get install g++ make (Fedora: sudo dnf install gcc-c++ make)"
    )  # fmt: skip
    return BackendError(Issue("B002", f"NEURON needs a C++ compiler and make ({detail})", hint=hint))


def _unwritable(folder: Path, error: OSError) -> BackendError:
    reason = error.strerror or str(error)
    hint = "free some space or point NMLOPT_CACHE to a folder that can be written"
    return BackendError(
        Issue("B004", f"the cache of compiled mechanisms cannot be written: {reason}", str(folder), hint)
    )
