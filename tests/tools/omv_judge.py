"""One published case judged: by its own tolerance in numerics jneuroml, by the limit of small steps in cnexp."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from lems_peer import run_peer
from omv_cases import CaseError, Observable, OmvCase, Written, largest, observed, read_case, spike_rows, verdict
from omv_ours import Outcome, curve, document_of, run_ours
from spikes import extrapolate

from nmlopt.backend import Numerics
from nmlopt.errors import Issue, NmloptError, UnsupportedError

APART_MS = 0.05
"""How far spike times may lie apart once both are extrapolated to dt = 0 (issue 4, Show 1 b)."""

Values = Mapping[str, Any]


@dataclass
class Result:
    """The judgement of a case. `details` holds what the table for people shows."""

    case: str
    status: str
    expected: dict[str, Any] = field(default_factory=dict)
    got: dict[str, Any] = field(default_factory=dict)
    tolerance: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """The documented fields."""
        names = ("case", "status", "expected", "got", "tolerance", "message")
        return {name: getattr(self, name) for name in names}


def judge(omt: Path, folder: Path, *, numerics: str, with_reference: bool, everything: bool = False) -> Result:
    """Judge one .omt; never raises for what is wrong with a case."""
    name = omt.relative_to(folder).as_posix()
    try:
        case = read_case(omt)
        if numerics == Numerics.CNEXP:
            return _limit(name, case, folder, with_reference=with_reference)
        result = _published(name, case, folder)
        if everything:
            result.details |= _details(case, folder, with_reference=with_reference)
        return result
    except CaseError as error:
        return Result(name, "error", message=str(error))
    except NmloptError as error:
        status = "refused" if isinstance(error, UnsupportedError) else "error"
        return Result(name, status, message="; ".join(map(_told, error.issues)))


def _told(issue: Issue) -> str:
    return f"{issue.where}: {issue.code} {issue.message}" if issue.where else f"{issue.code} {issue.message}"


# ------------------------------------------------------------------------------------------------ as published


def _published(name: str, case: OmvCase, folder: Path) -> Result:
    outcome = run_ours(case, folder, Numerics.JNEUROML)
    result = Result(name, "pass", details={"cpu_jneuroml_s": outcome.cpu_s})
    faults = []
    for item in case.observables:
        result.expected[item.name] = _plain(item.expected)
        result.tolerance[item.name] = item.tolerance
        try:
            found = observed(case, item, outcome.written)
            fault = verdict(item, found)
        except (CaseError, KeyError, TypeError, ValueError, IndexError) as error:
            result.status = "error"
            faults.append(f"{item.name}: {error}")
            continue
        result.got[item.name] = _plain(found)
        if fault:
            faults.append(f"{item.name}: {fault}")
            result.status = "fail" if result.status == "pass" else result.status
    if not case.observables:
        result.message = "no .mep: the simulation ran to its end, which is what this case asks"
    if faults:
        note = " (expected by jLEMS, whose steps are others)" if case.engine == "jneuroml" else ""
        result.message = "; ".join(faults) + note
    return result


def _plain(value: Any) -> Any:
    """Something that JSON can hold; long tables are left out."""
    if isinstance(value, np.ndarray):
        return value.tolist() if value.ndim == 1 else f"table of {value.shape}"
    if isinstance(value, float | int | str | bool) or value is None:
        return value
    return list(value) if isinstance(value, list) else str(value)


# ------------------------------------------------------------------------------------------------ small steps


def _limit(name: str, case: OmvCase, folder: Path, *, with_reference: bool) -> Result:
    """Spike times of cnexp extrapolated to dt = 0 against jNeuroML's (or, without it, our jneuroml numerics')."""
    items = [item for item in case.observables if "spike detection" in item.given and "file" in item.given]
    first = run_ours(case, folder, Numerics.CNEXP)
    dt_ms = first.run.playback.dt_ms
    ours = _refined(items, dt_ms, lambda dt: _times(case, items, run_ours(case, folder, Numerics.CNEXP, dt)))
    if with_reference:
        theirs = _refined(items, dt_ms, lambda dt: _peer_times(case, items, folder, dt))
    else:
        theirs = _refined(items, dt_ms, lambda dt: _times(case, items, run_ours(case, folder, Numerics.JNEUROML, dt)))
    result = Result(name, "pass", details={"cpu_cnexp_s": first.cpu_s})
    faults = []
    for item in items:
        mine, other = ours[item.name], theirs[item.name]
        result.tolerance[item.name] = f"{APART_MS} ms"
        result.got[item.name], result.expected[item.name] = _plain(mine), _plain(other)
        fault = _apart(mine, other)
        if fault:
            faults.append(f"{item.name}: {fault}")
    result.status = "fail" if faults else "pass"
    result.message = "; ".join(faults) if items else "no spikes of a table are looked at: the simulation ran to its end"
    return result


def _refined(
    items: list[Observable], dt_ms: float, times_at: Callable[[float], dict[str, np.ndarray]]
) -> dict[str, np.ndarray | str]:
    """Times (ms) at dt/2 and dt/4 extrapolated, by observable; a text where their number depends on the step."""
    coarse, middle, fine = (times_at(dt_ms / 2**k) for k in range(3))
    found: dict[str, np.ndarray | str] = {}
    for item in items:
        counts = [len(times[item.name]) for times in (coarse, middle, fine)]
        if len({counts[1], counts[2]}) > 1:
            found[item.name] = f"{counts} spikes at dt, dt/2, dt/4"
        else:
            found[item.name] = extrapolate(middle[item.name], fine[item.name])
    return found


def _apart(mine: np.ndarray | str, other: np.ndarray | str) -> str:
    for who, times in (("ours", mine), ("reference", other)):
        if isinstance(times, str):
            return f"{who}: {times}"
    if len(mine) != len(other):
        return f"{len(mine)} spikes instead of {len(other)}"
    largest_ms = float(np.abs(np.asarray(mine) - np.asarray(other)).max(initial=0.0))
    return "" if largest_ms <= APART_MS else f"{largest_ms:.4f} ms apart at dt = 0"


def _times(case: OmvCase, items: list[Observable], outcome: Outcome) -> dict[str, np.ndarray]:
    return {item.name: _spike_ms(item, *curve(outcome, case, item)) for item in items}


def _peer_times(case: OmvCase, items: list[Observable], folder: Path, dt_ms: float) -> dict[str, np.ndarray]:
    document = document_of(case, folder)
    names = sorted({_name_in(case, item) for item in items})
    with tempfile.TemporaryDirectory() as copy:
        peer = run_peer(document, names, Path(copy), dt_ms=dt_ms)
    found = {}
    for item in items:
        given = item.given["file"]
        table = peer.tables[(case.target.parent / _name_in(case, item)).resolve()]
        t_column, y_column = given.get("columns", (0, 1))
        t_scale, y_scale = given.get("scaling", (1.0, 1.0))
        del t_column  # its rows are steps; the printed times are rounded by the export
        t = np.arange(len(table)) * dt_ms / 1000.0 * float(t_scale)
        found[item.name] = _spike_ms(item, t, table[:, int(y_column)] * float(y_scale))
    return found


def _name_in(case: OmvCase, item: Observable) -> str:
    """The file of an observable relative to the LEMS file."""
    from os.path import relpath

    return Path(relpath(case.omt.parent / str(item.given["file"]["path"]).strip(), case.target.parent)).as_posix()


def _spike_ms(item: Observable, t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Spikes in ms between the samples: crossings by a straight line, peaks by a parabola."""
    how = item.given["spike detection"] or {}
    method, threshold = str(how.get("method", "threshold")), float(how.get("threshold", 0.0))
    rows = spike_rows(y, method, threshold)
    scale = 1000.0 / float(item.given["file"].get("scaling", (1.0, 1.0))[0])
    if method == "threshold":
        t0, t1, y0, y1 = t[rows - 1], t[rows], y[rows - 1], y[rows]
        return scale * (t0 + (threshold - y0) / (y1 - y0) * (t1 - t0))
    before, at, after = y[rows - 1], y[rows], y[rows + 1]
    bend = before - 2.0 * at + after
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros_like(bend), where=bend != 0.0)
    return scale * (t[rows] + shift * (t[rows] - t[rows - 1]))


# ------------------------------------------------------------------------------------------------ for people


def _details(case: OmvCase, folder: Path, *, with_reference: bool) -> dict[str, Any]:
    """What the table shows beside the judgement: cnexp at the same step, jNeuroML's own export, CPU times."""
    textbook = run_ours(case, folder, Numerics.CNEXP)
    found: dict[str, Any] = {"cpu_cnexp_s": textbook.cpu_s, "cnexp": _looked_at(case, textbook.written)}
    if with_reference:
        document = document_of(case, folder)
        names = sorted({_name_in(case, item) for item in case.observables if "file" in item.given})
        with tempfile.TemporaryDirectory() as copy:
            try:
                peer = run_peer(document, names, Path(copy))
            except CaseError as error:
                return found | {"reference": str(error)}
        found |= {"cpu_reference_s": peer.cpu_s, "reference": _looked_at(case, Written(peer.tables, {}))}
    return found


def _looked_at(case: OmvCase, written: Written) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in case.observables:
        try:
            found = observed(case, item, written)
        except CaseError:
            continue
        distance = None
        if isinstance(found, np.ndarray) and isinstance(item.expected, list):
            distance = largest(found, np.asarray(item.expected, dtype=float))
        values[item.name] = {"got": _plain(found), "largest": distance}
    return values
