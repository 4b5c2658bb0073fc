"""What of the things that nmlopt needs is installed, in which version, and the command that brings what is missing."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nmlopt.api.backends import Installed, find_program, installed, stand_in
from nmlopt.api.problem import DEFAULT_BACKEND, FIT_BACKEND

NEEDED_PACKAGES = ("pyneuroml", "libneuroml", "lxml", "numpy", "scipy", "efel", "deap", "pydantic")
OPTIONAL_PACKAGES = {"morphio": "Neurolucida morphologies", "distributed": "fits on a cluster"}
_TITLES = {"c++": "c++ compiler", "cc": "c compiler"}
_COMPILER = {"linux": "sudo apt-get install g++ make", "darwin": "xcode-select --install"}
_REMEDIES = {
    "c++": _COMPILER,
    "cc": {**_COMPILER, "linux": "sudo apt-get install gcc libc6-dev, or python -m pip install ziglang"},
    "make": _COMPILER,
    "cmake": {"linux": "sudo apt-get install cmake", "darwin": "brew install cmake"},
    "java": {"linux": "sudo apt-get install default-jre-headless", "darwin": "brew install openjdk"},
}
"""The command that brings a program, by platform; Linux's where a platform is not named."""
_USED = frozenset({FIT_BACKEND, DEFAULT_BACKEND})
"""What a fit needs: solutions are scored on the reference, too."""
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
    backends = installed()
    shown = {row.name for row in rows}
    rows += [_simulator(backend) for backend in backends if backend.offer.package not in shown]
    programs = dict.fromkeys((*(name for backend in backends for name in backend.offer.programs), "java"))
    rows += [_program(name, backends) for name in programs]
    rows.append(_nrnivmodl())
    return tuple(rows)


def _simulator(backend: Installed) -> Finding:
    offer, is_needed = backend.offer, backend.name in _USED
    remedy = f"python -m {offer.install}" if offer.install.startswith("pip ") else offer.install
    purpose = f"the backend {backend.name}"
    return Finding(offer.package, backend.version or "", backend.version is not None, is_needed, purpose, remedy)


def _package(name: str, *, needed: bool, purpose: str) -> Finding:
    extra = {"distributed": "nmlopt[cluster]"}.get(name, name)
    remedy = f"python -m pip install '{extra}'" if extra != name else f"python -m pip install {name}"
    try:
        return Finding(name, version(name), True, needed, purpose, remedy)
    except PackageNotFoundError:
        return Finding(name, "", False, needed, purpose, remedy)


def _program(name: str, backends: Sequence[Installed]) -> Finding:
    """A program that backends need beside their packages."""
    users = [b.name for b in backends if name in b.offer.programs]
    purpose = f"the backend{'s' if len(users) > 1 else ''} {', '.join(users)}" if users else "jNeuroML"
    remedies = _REMEDIES.get(name, {"linux": f"install {name}"})
    remedy = remedies.get(sys.platform, remedies["linux"])
    path, needed, title = find_program(name), not _USED.isdisjoint(users), _TITLES.get(name, name)
    if path is None:
        instead = stand_in(name)
        return Finding(title, instead or "", instead is not None, needed, purpose, remedy)
    return Finding(title, f"{_version_of(path)} ({path})", True, needed, purpose, remedy)


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
