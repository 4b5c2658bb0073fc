"""Finds what we ship as data, and what other packages ship and we must not copy: core types and NeuroML schema."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path

from nmlopt.errors import BackendError, Issue

CORE_FOLDER = "NeuroML2CoreTypes/"
_INSTALL = "python -m pip install --force-reinstall pyneuroml"


@lru_cache(maxsize=1)
def core_type_files() -> Mapping[str, bytes]:
    """The LEMS core type files by name (`Cells.xml`, ...), read from the jar of the installed pyNeuroML.

    Raises BackendError when pyNeuroML or its jar is missing.
    """
    with zipfile.ZipFile(jneuroml_jar()) as jar:
        names = [n for n in jar.namelist() if n.startswith(CORE_FOLDER) and n.endswith(".xml")]
        return {name.removeprefix(CORE_FOLDER): jar.read(name) for name in sorted(names)}


@lru_cache(maxsize=1)
def core_types_digest() -> str:
    """SHA-256 over the core type files: part of every structure digest."""
    digest = hashlib.sha256()
    for name, data in core_type_files().items():
        digest.update(name.encode() + b"\0" + data + b"\0")
    return digest.hexdigest()


def jneuroml_jar() -> Path:
    """Path of jNeuroML's jar inside the installed pyNeuroML (found without importing that package)."""
    try:
        listed = distribution("pyneuroml").files or []
    except PackageNotFoundError as error:
        raise BackendError(Issue("B080", "pyNeuroML is not installed", hint=_INSTALL)) from error
    for file in listed:
        if file.name.startswith("jNeuroML-") and file.name.endswith(".jar"):
            return Path(str(file.locate()))
    raise BackendError(Issue("B081", "the installed pyNeuroML holds no jNeuroML jar", hint=_INSTALL))


def neuroml_schema() -> Path:
    """Path of the newest NeuroML 2 XSD that the installed libNeuroML ships."""
    folder = Path(str(distribution("libneuroml").locate_file("neuroml/nml")))
    versions = sorted(folder.glob("NeuroML_v2.[0-9]*.xsd"), key=_schema_version)
    if not versions:
        raise BackendError(
            Issue(
                "B082",
                "the installed libNeuroML holds no schema",
                hint="python -m pip install --force-reinstall libneuroml",
            )
        )
    return versions[-1]


def targets_schema() -> Path:
    """Path of the shipped JSON Schema of targets.json."""
    return Path(str(files("nmlopt.schemas") / "v1" / "targets.schema.json"))


def channels_folder() -> Path:
    """Folder of the shipped channels (`<Name>.channel.nml` and what they include): to copy beside a model."""
    return Path(str(files("nmlopt.mods") / "channels"))


def _schema_version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.stem.removeprefix("NeuroML_v").split("."))
