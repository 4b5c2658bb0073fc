"""Builds mod files with nrnivmodl, once per digest of their texts."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from nmlopt.codegen import build_cache
from nmlopt.codegen.build_cache import cached, failed_build, no_compiler, require_compiler
from nmlopt.errors import BackendError, Issue

# No fused multiply-add: the same operations give the same bits on every processor. NEURON maps exp and pow to its
# own functions; the other functions must not be folded by the compiler, whose rounding differs from the library's.
COMPILER_FLAGS = "-ffp-contract=off -fno-builtin-log -fno-builtin-sin -fno-builtin-cos -fno-builtin-tan " \
    "-fno-builtin-sinh -fno-builtin-cosh -fno-builtin-tanh"  # fmt: skip
_LIBRARY_NAMES = ("libnrnmech.so", "libnrnmech.dylib")
_TOOLS = ("make",)


def toolchain(neuron_version: str) -> str:
    """What a compiled library depends on beside its texts."""
    return f"{neuron_version}|{platform.system()}|{platform.machine()}|{COMPILER_FLAGS}"


def cache_folder() -> Path:
    """Where built mechanisms are kept."""
    return build_cache.cache_folder("neuron")


def library(folder: Path) -> Path | None:
    """The compiled library in a build folder, None if there is none."""
    return next((p for name in _LIBRARY_NAMES for p in sorted(folder.glob(f"*/{name}"))), None)


def build(files: Mapping[str, str], digest: str) -> Path:
    """The folder with the compiled `files`, built unless the cache holds it.

    Raises BackendError: B002 no compiler, B003 nrnivmodl fails, B004 the cache folder cannot be written.
    """
    if not files:
        return cache_folder() / digest  # a cell without mechanisms needs no library
    return cached("neuron", digest, lambda folder: library(folder) is not None, lambda here: _compile(files, here))


def _compile(files: Mapping[str, str], working: Path) -> None:
    for name, text in files.items():
        (working / name).write_text(text, encoding="utf-8")
    command = [sys.executable, str(_nrnivmodl()), "-incflags", COMPILER_FLAGS, "."]
    environment = {**os.environ, "PYTHONNOUSERSITE": "1"}
    try:
        done = subprocess.run(command, cwd=working, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise no_compiler("NEURON", str(error), _TOOLS) from None
    (working / "build.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode == 0 and library(working) is not None:
        return
    require_compiler("NEURON", _TOOLS)
    raise failed_build("nrnivmodl", working, done.stdout + done.stderr)


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
