"""Runs jNeuroML: finds Java and the jar, starts it without a shell, limits its time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from nmlopt.errors import BackendError, Issue
from nmlopt.resources import jneuroml_jar

INSTALL: Final = "sudo apt-get install default-jre-headless"
_OPTIONS: Final = ("-Xmx1G", "-XX:+UseSerialGC", "-Djava.awt.headless=true")
_START_S: Final = 120.0
_SHOWN: Final = 300
_TROUBLE: Final = re.compile(r"error|exception|not |no |fail", re.IGNORECASE)
_NOISE: Final = re.compile(r"\s*(at |\.\.\. \d+ more|INFO|Loading: )|.*jNeuroML >>\s*$")


class RunError(Exception):
    """A program that jNeuroML or its export ended without a result; the text says why."""


def java() -> str:
    """The java that runs jNeuroML. Raises BackendError B091 if there is none."""
    home = os.environ.get("JAVA_HOME", "")
    found = shutil.which("java", path=str(Path(home, "bin"))) if home else None
    found = found or shutil.which("java")
    if found is None:
        raise BackendError(Issue("B091", "jNeuroML needs Java, which is not there", hint=f"install it: {INSTALL}"))
    return found


def version() -> str:
    """jNeuroML's version, from the name of its jar. Raises BackendError (B080, B081)."""
    match = re.match(r"jNeuroML-(\d[\w.]*?)-", jneuroml_jar().name)
    return match[1] if match else jneuroml_jar().name


def jneuroml(folder: Path, arguments: Sequence[str], limit_s: float = 0.0) -> str:
    """Run jNeuroML in `folder`; what it printed. `limit_s` is added to what a start may take.

    Raises BackendError B091 without Java, RunError if it does not end in time. Its exit code says nothing.
    """
    return run([java(), *_OPTIONS, "-jar", str(jneuroml_jar()), *arguments], folder, limit_s)


def run(command: Sequence[str], folder: Path, limit_s: float = 0.0) -> str:
    """What a command printed, standard error too. Raises RunError if it does not end in time."""
    environment = {
        **os.environ,
        "NEURON_HOME": sys.prefix,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "PYTHONPATH": "",
    }
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_START_S + limit_s,
        )
    except subprocess.TimeoutExpired:
        raise RunError(f"'{Path(command[0]).name}' did not end within {_START_S + limit_s:.0f} s") from None
    except OSError as error:
        raise RunError(f"'{command[0]}' cannot be started: {error.strerror}") from None
    return ran.stdout + ran.stderr


def complaint(said: str) -> str:
    """The line of what a program printed that tells best what went wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not _NOISE.match(line)]
    telling = [line for line in lines if _TROUBLE.search(line)]
    return (telling or lines or ["it printed nothing"])[0][:_SHOWN]
