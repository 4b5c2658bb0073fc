"""Builds a catalogue of mechanisms with arbor-build-catalogue, once per digest of their texts."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from nmlopt.codegen.build_cache import cached, failed_build, no_compiler, require_compiler
from nmlopt.errors import BackendError, Issue

NAME = "nmlopt"
# No fused multiply-add: a number gives the same bits as a literal and as a parameter. Functions of literals must not be
# folded by the compiler either, whose rounding differs from the library's.
COMPILER_FLAGS = "-ffp-contract=off -fno-builtin"
INSTALL = f"{sys.executable} -m pip install 'nmlopt[arbor]'"
_TOOLS = ("cmake", "make")


def toolchain(version: str) -> str:
    """What a compiled catalogue depends on beside its texts."""
    return f"{version}|{platform.system()}|{platform.machine()}|{COMPILER_FLAGS}"


def library(folder: Path) -> Path:
    """Where the catalogue of a build folder lies."""
    return folder / f"{NAME}-catalogue.so"


def build(files: Mapping[str, str], digest: str, gpu: str = "") -> Path:
    """The folder with the catalogue of `files`, built unless the cache holds it; `gpu`: the kind it is built for, too.

    Raises BackendError: B001 Arbor is missing, B002 no compiler, B003 it fails, B004 the cache cannot be written.
    """
    return cached("arbor", digest, lambda folder: library(folder).is_file(), lambda here: _compile(files, here, gpu))


def _compile(files: Mapping[str, str], working: Path, gpu: str) -> None:
    source = working / "mod"
    source.mkdir()
    for name, text in files.items():
        (source / name).write_text(text, encoding="utf-8")
    # It runs whichever python3 is first on PATH: the one of this environment has to be.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    flags = f"{os.environ.get('CXXFLAGS', '')} {COMPILER_FLAGS}".strip()
    environment = {**os.environ, "PATH": path, "CXXFLAGS": flags}
    command = [sys.executable, str(_builder()), *(["--gpu", gpu] if gpu else []), NAME, str(source)]
    try:
        done = subprocess.run(command, cwd=working, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise no_compiler("Arbor", str(error), _TOOLS) from None
    (working / "build.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode == 0 and library(working).is_file():
        return
    require_compiler("Arbor", _TOOLS)
    raise failed_build("arbor-build-catalogue", working, done.stdout + done.stderr)


def _builder() -> Path:
    """arbor-build-catalogue of the environment that runs us, whatever PATH says."""
    name = "arbor-build-catalogue"
    for folder in (Path(sys.executable).parent, Path(sys.prefix) / "bin"):
        if (folder / name).is_file():
            return folder / name
    found = shutil.which(name)
    if found is None:
        raise BackendError(Issue("B001", f"{name} is not there", hint=f"install Arbor: {INSTALL}"))
    return Path(found)
