"""What of the things that nmlopt needs is installed, in which version, and the command that brings what is missing."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NEEDED_PACKAGES = ("neuron", "pyneuroml", "libneuroml", "lxml", "numpy", "scipy", "efel", "deap", "pydantic")
OPTIONAL_PACKAGES = {
    "morphio": "Neurolucida morphologies",
    "arbor": "the Arbor backend",
    "distributed": "fits on a cluster",
}
_VERSION = re.compile(r"\d+(?:\.\d+)+[\w.+-]*")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing: whether it is there, whether nmlopt needs it to fit, and the command that brings it."""

    name: str
    found: str
    is_present: bool
    is_needed: bool
    purpose: str
    remedy: str


def doctor() -> tuple[Finding, ...]:
    """Look at the machine: Python, packages, programs."""
    python = platform.python_version()
    rows = [Finding("python", python, sys.version_info >= (3, 11), True, "everything", "install Python 3.11 or newer")]
    rows += [_package(name, needed=True, purpose="everything") for name in NEEDED_PACKAGES]
    rows += [_package(name, needed=False, purpose=why) for name, why in OPTIONAL_PACKAGES.items()]
    rows.append(_program("c++ compiler", ("c++", "g++", "clang++"), "compiling mechanisms", _compiler_command(), True))
    rows.append(_program("make", ("make",), "compiling mechanisms", _compiler_command(), True))
    rows.append(_program("cmake", ("cmake",), "compiling mechanisms for Arbor only", _cmake_command(), False))
    rows.append(_nrnivmodl())
    rows.append(_program("java", ("java",), "LEMS runs and jNeuroML only", _java_command(), False))
    return tuple(rows)


def _package(name: str, *, needed: bool, purpose: str) -> Finding:
    extra = {"arbor": "nmlopt[arbor]", "distributed": "nmlopt[cluster]"}.get(name, name)
    remedy = f"python -m pip install '{extra}'" if extra != name else f"python -m pip install {name}"
    try:
        return Finding(name, version(name), True, needed, purpose, remedy)
    except PackageNotFoundError:
        return Finding(name, "", False, needed, purpose, remedy)


def _program(name: str, commands: tuple[str, ...], purpose: str, remedy: str, needed: bool) -> Finding:
    path = next((found for c in commands if (found := shutil.which(c))), None)
    if path is None:
        return Finding(name, "", False, needed, purpose, remedy)
    return Finding(name, f"{_version_of(path)} ({path})", True, needed, purpose, remedy)


def _nrnivmodl() -> Finding:
    beside = Path(sys.executable).with_name("nrnivmodl")
    path = str(beside) if beside.exists() else shutil.which("nrnivmodl")
    remedy = "python -m pip install --force-reinstall neuron"
    return Finding("nrnivmodl", path or "", path is not None, True, "compiling mechanisms", remedy)


def _version_of(path: str) -> str:
    """The first thing that looks like a version in what the program says of itself."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "does not answer"
    match = _VERSION.search(said.stdout + said.stderr)
    return match.group() if match else "version unknown"


def _compiler_command() -> str:
    return "xcode-select --install" if sys.platform == "darwin" else "sudo apt-get install g++ make"


def _java_command() -> str:
    return "brew install openjdk" if sys.platform == "darwin" else "sudo apt-get install default-jre-headless"


def _cmake_command() -> str:
    return "brew install cmake" if sys.platform == "darwin" else "sudo apt-get install cmake"
