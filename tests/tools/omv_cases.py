"""Published test cases in OMV's format: an .omt says what to run and what to look at, an .mep what is expected.

The rules are those of OSBModelValidation 0.4.0 (omv/analyzers): spikes are samples of a table, `numpy.allclose` with
the published tolerance as the relative one decides, and 0.1 is the tolerance where none is written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ENGINES = ("jneuroml", "jneuroml_neuron")
DEFAULT_TOLERANCE = 0.1
ABSOLUTE = 1e-8
_ENGINE = re.compile(r"(?im)^\s*engine\s*:\s*[\"']?([\w.]+)")


class CaseError(Exception):
    """A case that cannot be judged: what is wrong with its files."""


@dataclass(frozen=True)
class Observable:
    """One thing to look at: the .omt's description, the .mep's expectation."""

    name: str
    kind: str
    given: Mapping[str, Any]
    expected: Any

    @property
    def tolerance(self) -> float:
        """The published tolerance, OMV's own where none is written."""
        try:
            return float(self.given["tolerance"])
        except (TypeError, KeyError):
            return DEFAULT_TOLERANCE


@dataclass(frozen=True)
class OmvCase:
    """A case: the LEMS file to run (absolute), and what to look at; without observables running it is the test."""

    omt: Path
    engine: str
    target: Path
    observables: tuple[Observable, ...]


def find_cases(folder: Path) -> list[Path]:
    """Every .omt below a folder whose engine is jNeuroML or jNeuroML_NEURON, sorted."""
    return [path for path in sorted(folder.rglob("*.omt")) if path.is_file() and engine_of(path) in ENGINES]


def engine_of(omt: Path) -> str:
    """The engine that an .omt names, without its version, in small letters; '' if none can be made out."""
    try:
        found = _ENGINE.search(omt.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    return found[1].lower() if found else ""


def read_case(omt: Path) -> OmvCase:
    """The case of an .omt file. Raises CaseError."""
    data = _mapping(_yaml(omt), omt)
    target = data.get("target")
    if not isinstance(target, str) or not target.strip():
        raise CaseError(f"{omt.name} names no target")
    path = _beside(omt, target.strip())
    if not path.is_file():
        raise CaseError(f"the target '{target.strip()}' of {omt.name} does not exist")
    return OmvCase(omt, engine_of(omt), path, tuple(_observables(omt, data)))


def _observables(omt: Path, data: Mapping[str, Any]) -> Iterator[Observable]:
    if not data.get("mep"):
        return
    mep = _beside(omt, str(data["mep"]).strip())
    wanted = _mapping(_mapping(_yaml(mep), mep).get("experiments"), mep)
    for name, experiment in _mapping(data.get("experiments"), omt).items():
        expected = _mapping(_mapping(wanted.get(name), mep, f"experiment '{name}'").get("expected"), mep)
        for kind, given in _mapping(_mapping(experiment, omt).get("observables"), omt).items():
            label = f"{name}/{kind}"
            yield Observable(label, str(kind), _mapping(given or {}, omt), _expected(expected.get(kind), mep))


def _expected(value: Any, mep: Path) -> Any:
    """Expected values; a table in a file beside the .mep is read."""
    if isinstance(value, Mapping) and isinstance(value.get("file"), Mapping):
        given = value["file"]
        return _table_file(_beside(mep, str(given["path"])), given)
    return value


def _table_file(path: Path, given: Mapping[str, Any]) -> np.ndarray:
    try:
        table = np.loadtxt(path, usecols=given.get("columns", (0, 1)), skiprows=int(given.get("header", 0)))
    except (OSError, ValueError) as error:
        raise CaseError(f"{path.name} cannot be read: {error}") from error
    return table * np.asarray(given.get("scaling", 1.0), dtype=float)


def _beside(file: Path, relative: str) -> Path:
    """A path relative to the folder of a file, '..' taken out as text."""
    return Path(os.path.normpath(file.parent / relative))


def _yaml(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CaseError(f"{path.name} cannot be read: {error.strerror}") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        pass
    try:  # published files hold tabs, which YAML does not allow
        return yaml.safe_load(text.replace("\t", "    "))
    except yaml.YAMLError as error:
        raise CaseError(f"{path.name} is no YAML: {' '.join(str(error).split())[:200]}") from error


def _mapping(value: Any, path: Path, what: str = "it") -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise CaseError(
            f"{path.name}: {what} lacks what OMV expects there" if value is None else f"{path.name}: no table"
        )
    return value


# ------------------------------------------------------------------------------------------------ observing


class Written:
    """What a simulation wrote, by absolute path: tables of numbers, and events as (id, time in s)."""

    def __init__(self, tables: Mapping[Path, np.ndarray], events: Mapping[Path, Sequence[tuple[float, float]]]) -> None:
        self._tables = tables
        self._events = events

    def table(self, omt: Path, given: Mapping[str, Any]) -> np.ndarray:
        """Columns of a file as OMV reads them, scaled; shape (rows, columns). Raises CaseError."""
        path = _beside(omt, str(given.get("path", "")).strip())
        if path not in self._tables:
            known = ", ".join(sorted(p.name for p in self._tables)) or "none"
            raise CaseError(f"the simulation writes no file '{given.get('path')}' (files: {known})")
        table = self._tables[path]
        columns = list(given.get("columns", (0, 1)))
        if any(not 0 <= int(c) < table.shape[1] for c in columns):
            raise CaseError(f"'{given.get('path')}' has {table.shape[1]} columns, not those of {columns}")
        rows = table[int(given.get("header", 0)) :, [int(c) for c in columns]]
        if np.isnan(rows).any():
            raise CaseError(f"a column of '{given.get('path')}' cannot be recorded")
        return as_printed(rows) * np.asarray(given.get("scaling", [1.0] * len(columns)), dtype=float)

    def spike_file(self, omt: Path, given: Mapping[str, Any]) -> list[float]:
        """Times of one id in a file of events, scaled. Raises CaseError."""
        path = _beside(omt, str(given.get("path", "")).strip())
        if path not in self._events:
            raise CaseError(f"the simulation writes no events to '{given.get('path')}'")
        wanted = given.get("ids", 0)
        chosen = [(i, t) for i, t in self._events[path] if wanted in ("*", i)]
        if len({i for i, _ in chosen}) != 1:
            raise CaseError(f"'{given.get('path')}' holds spikes of {len({i for i, _ in chosen})} ids, not of one")
        return [t * float(given.get("scaling", 1)) for _, t in chosen]


def as_printed(rows: np.ndarray) -> np.ndarray:
    """Numbers as they are after being written with seven digits."""
    return np.char.mod("%e", rows).astype(float)


def observed(case: OmvCase, item: Observable, written: Written) -> Any:
    """What is looked at: spike times, a rate, a voltage, a table, or whether a bound is kept. Raises CaseError."""
    given = item.given
    match item.kind:
        case "spike times":
            return _spikes(case, given, written)
        case "spike rate":
            return _rate(list(_spikes(case, given, written)), given)
        case "resting":
            table = written.table(case.omt, given["file"])
            return float(np.mean(table[-int(given.get("average last", 1)) :, 1]))
        case "timeseries":
            return written.table(case.omt, given["file"])
        case "activation variables":
            values = written.table(case.omt, given["file"])[:, 1:]
            return bool(((values >= 0) & (values <= 1)).all())
        case "input resistance":
            return _input_resistance(case, given, written)
        case "dry":
            return True
    raise CaseError(f"the observable '{item.kind}' is not one that a file shows")


def _spikes(case: OmvCase, given: Mapping[str, Any], written: Written) -> Sequence[float] | np.ndarray:
    if "spiketimes file" in given:
        return written.spike_file(case.omt, given["spiketimes file"])
    if "file" not in given:
        raise CaseError("the observable names no file")
    table = written.table(case.omt, given["file"])
    if "spike detection" not in given:
        return table
    how = given["spike detection"] or {}
    found = spike_rows(table[:, 1], str(how.get("method", "threshold")), float(how.get("threshold", 0.0)))
    return table[found, 0]


def spike_rows(values: np.ndarray, method: str, threshold: float) -> np.ndarray:
    """Rows of spikes: the first sample above the threshold after one at or below, or local maxima (plateaus count)."""
    if method == "threshold":
        return np.flatnonzero((values[:-1] <= threshold) & (values[1:] > threshold)) + 1
    if method == "derivative":
        rise = np.diff(values)
        return np.flatnonzero((rise[:-1] >= 0) & (rise[1:] < 0)) + 1
    raise CaseError(f"the method '{method}' of spike detection is not known")


def _rate(spikes: Sequence[float], given: Mapping[str, Any]) -> float:
    start, end = float(given.get("start_time", 0)), float(given.get("end_time", np.inf))
    method = given.get("method", "isi based")
    inside = [t for t in spikes if start <= t <= end]
    if method == "isi based":
        return (len(inside) - 1) / (inside[-1] - inside[0]) if len(inside) > 1 else 0.0
    if method == "duration based":
        return len(inside) / (end - start)
    raise CaseError(f"the method '{method}' of spike rates is not known")


def _input_resistance(case: OmvCase, given: Mapping[str, Any], written: Written) -> float:
    v, i = written.table(case.omt, given["file_Vm"]), written.table(case.omt, given["file_VC_i"])

    def mean(table: np.ndarray, window: Sequence[float]) -> float:
        return float(np.mean(table[(i[:, 0] >= window[0]) & (i[:, 0] <= window[1]), 1]))

    hold, command = given.get("holding window", [0.0, 0.0]), given.get("command window", [0.0, 0.0])
    return (mean(v, command) - mean(v, hold)) / (mean(i, command) - mean(i, hold))


# ------------------------------------------------------------------------------------------------ judging


def verdict(item: Observable, found: Any) -> str:
    """Why an observation is not as expected; '' if it is."""
    if item.kind in ("activation variables", "dry"):
        return "" if found else "a value leaves 0 to 1"
    if item.expected is None:
        return "the .mep expects nothing of this observable"
    if isinstance(item.expected, list) and not all(item.expected):
        return "the .mep expects a value of 0, which OMV rejects"
    got, wanted = np.asarray(found, dtype=float), np.asarray(item.expected, dtype=float)
    if got.shape != wanted.shape:
        return f"{_size(got)} instead of {_size(wanted)}"
    if np.all(np.abs(got - wanted) <= ABSOLUTE + item.tolerance * np.abs(wanted)):
        return ""
    return f"largest relative difference {largest(got, wanted):.6g}, tolerance {item.tolerance:g}"


def largest(got: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference relative to what is expected; nan where the numbers of values differ."""
    if got.shape != wanted.shape or not got.size:
        return float("nan") if got.shape != wanted.shape else 0.0
    return float(np.max(np.abs(got - wanted) / np.abs(wanted)))


def _size(values: np.ndarray) -> str:
    return f"{values.shape[0]} values" if values.ndim == 1 else f"{values.shape} values"
