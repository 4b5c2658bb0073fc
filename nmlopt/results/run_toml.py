"""run.toml: what made a run, for people and for `resume`: versions, seeds, settings, digests, command lines."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nmlopt.errors import Issue, ResultsError
from nmlopt.optimise.model import Json
from nmlopt.results.faults import reported
from nmlopt.results.files import write_file
from nmlopt.results.select import DEFAULT_LIMIT

NAME = "run.toml"
FORMAT = "nmlopt-run"
VERSION = "1.0"
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True)
class Record:
    """Contents of run.toml. Paths are relative to the run folder, posix.

    `files`: SHA-256 of every file under `inputs/`. `search_paths`: where includes of the copied model are sought too.
    `solutions`: how many are asked for. `verify`: the backends on which they are verified at the end. `rescore`:
    whether they are scored again; `reference`: on which backend beside their own. `programs`: how the compiled programs
    of the run were made, one entry unless it went on elsewhere.
    `commands`: the command lines that worked on this run, oldest first.
    """

    created: str
    commands: tuple[str, ...]
    versions: Mapping[str, str]
    seeds: tuple[int, ...]
    algorithm: Mapping[str, Json]
    backend: str
    settings: Mapping[str, Json]
    model: str
    model_digest: str
    targets: str
    targets_digest: str
    files: Mapping[str, str]
    evaluation: Mapping[str, Json] = field(default_factory=dict)
    stopping: Mapping[str, Json] = field(default_factory=dict)
    search_paths: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    solutions: int = DEFAULT_LIMIT
    rescore: bool = True
    reference: str = ""
    programs: tuple[Mapping[str, Json], ...] = ()


def write(folder: Path, record: Record) -> Path:
    """Write run.toml, whole or not at all. Raises ResultsError R002, R003."""
    path = folder / NAME
    header = "# Written by nmlopt. The evaluations are in run.sqlite, the files that were fitted in inputs/.\n\n"
    document = {"format": FORMAT, "format_version": VERSION, **asdict(record)}
    with reported(folder):
        write_file(path, (header + dumps(document)).encode())
    return path


def read(folder: Path) -> Record:
    """The record of a run. Raises ResultsError R004 (no run folder), R005 (newer), R009 (cannot be understood)."""
    path = folder / NAME
    if not path.is_file():
        message = "this is not a run folder: it holds no run.toml"
        raise ResultsError(Issue("R004", message, str(folder), "give the folder that `nmlopt fit --out` was given"))
    try:
        with path.open("rb") as stream:
            contents = tomllib.load(stream)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ResultsError(unusable(path, str(error))) from error
    except OSError as error:
        raise ResultsError(unusable(path, error.strerror or str(error))) from error
    return _record(path, contents)


def dumps(document: Mapping[str, Any]) -> str:
    """A nested mapping as TOML: scalars, lists, tables, lists of tables; None is left out."""
    return "\n".join(_lines(document, ())).strip() + "\n"


def _record(path: Path, contents: Mapping[str, Any]) -> Record:
    if contents.get("format") != FORMAT:
        raise ResultsError(unusable(path, f'it does not say format = "{FORMAT}"'))
    version = str(contents.get("format_version"))
    if version.partition(".")[0] != VERSION.partition(".")[0]:
        message = f"run.toml is of format version {version}, this nmlopt reads {VERSION}"
        raise ResultsError(Issue("R005", message, str(path), "python -m pip install --upgrade nmlopt"))
    names = Record.__dataclass_fields__
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in contents.items() if k in names}
    try:
        return Record(**values)
    except TypeError as error:
        raise ResultsError(unusable(path, str(error).removeprefix("Record.__init__() "))) from error


def unusable(path: Path, why: str) -> Issue:
    """R009: what run.toml says cannot be followed."""
    return Issue("R009", f"run.toml cannot be used: {why}", str(path), "restore it from a copy, or fit again")


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Scalars first, as TOML wants it, then the tables."""
    present = {key: value for key, value in table.items() if value is not None}
    for key, value in present.items():
        if not _is_table(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in present.items():
        if not _is_table(value):
            continue
        name = ".".join(_key(part) for part in (*path, key))
        for row in [value] if isinstance(value, Mapping) else value:
            yield ""
            yield f"[{name}]" if isinstance(value, Mapping) else f"[[{name}]]"
            yield from _lines(row, (*path, key))


def _is_table(value: object) -> bool:
    if isinstance(value, Mapping):
        return True
    return isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(v, Mapping) for v in value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(str(value))
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value if v is not None) + "]"
    message = f"TOML has no place for {value!r}"
    raise TypeError(message)


def _key(key: str) -> str:
    return key if _BARE.match(key) else _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
