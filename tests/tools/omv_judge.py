"""One published case judged: by its own tolerance in numerics jneuroml, by the limit of small steps in cnexp."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from lems_peer import run_peer
from omv_cases import CaseError, OmvCase, Written, largest, observed, read_case, verdict
from omv_limit import limits, name_in, our_run, peer_run
from omv_ours import document_of, run_ours, step_ms

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


def judge(
    omt: Path, folder: Path, *, numerics: str, with_reference: bool, everything: bool = False, scale: float = 1.0
) -> Result:
    """Judge one .omt; never raises for what is wrong with a case.

    `scale`: the coarsest step of a refinement, in steps of the LEMS file.
    """
    name = omt.relative_to(folder).as_posix()
    try:
        case = read_case(omt)
        if numerics == Numerics.CNEXP:
            return _limit(name, case, folder, with_reference=with_reference, scale=scale)
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


def _limit(name: str, case: OmvCase, folder: Path, *, with_reference: bool, scale: float) -> Result:
    """Spike times of cnexp extrapolated to dt = 0 against jNeuroML's (or, without it, our jneuroml numerics')."""
    items = [item for item in case.observables if "spike detection" in item.given and "file" in item.given]
    if not items:
        cpu_s = run_ours(case, folder, Numerics.CNEXP).cpu_s
        message = "no spikes of a table are looked at: the simulation ran to its end"
        return Result(name, "pass", message=message, details={"cpu_cnexp_s": cpu_s})
    names, dt_ms = [item.name for item in items], scale * step_ms(case, folder)
    ours = limits(names, dt_ms, our_run(case, items, folder, Numerics.CNEXP))
    other_run = peer_run(case, items, folder) if with_reference else our_run(case, items, folder, Numerics.JNEUROML)
    theirs = limits(names, dt_ms, other_run)
    result = Result(name, "pass", details={"cpu_cnexp_s": ours.cpu_s, "cpu_reference_s": theirs.cpu_s})
    faults = []
    for item in items:
        mine, other = ours.found[item.name], theirs.found[item.name]
        result.tolerance[item.name] = f"{APART_MS} ms"
        result.got[item.name], result.expected[item.name] = _plain(mine.times), _plain(other.times)
        apart_ms, fault = _apart(mine.times, other.times)
        shown = {"apart_ms": apart_ms, "ours_ms": mine.unsettled_ms, "reference_ms": other.unsettled_ms}
        result.details[item.name] = shown | {"published": _plain(item.expected)}
        faults += [f"{item.name}: {fault}"] if fault else []
    result.status = "fail" if faults else "pass"
    notes = [] if scale == 1.0 else [f"from steps of {dt_ms:g}, {dt_ms / 2:g}, {dt_ms / 4:g} ms"]
    notes += [f"{who} needed other steps: {of.note}" for who, of in (("ours", ours), ("reference", theirs)) if of.note]
    result.message = "; ".join(faults + notes)
    return result


def _apart(mine: np.ndarray | str, other: np.ndarray | str) -> tuple[float, str]:
    """The largest distance in ms, and what is wrong with it."""
    for who, times in (("ours", mine), ("reference", other)):
        if isinstance(times, str):
            return float("nan"), f"{who}: {times}"
    if len(mine) != len(other):
        return float("nan"), f"{len(mine)} spikes instead of {len(other)}"
    largest_ms = float(np.abs(np.asarray(mine) - np.asarray(other)).max(initial=0.0))
    return largest_ms, "" if largest_ms <= APART_MS else f"{largest_ms:.4f} ms apart at dt = 0"


# ------------------------------------------------------------------------------------------------ for people


def _details(case: OmvCase, folder: Path, *, with_reference: bool) -> dict[str, Any]:
    """What the table shows beside the judgement: cnexp at the same step, jNeuroML's own export, CPU times."""
    textbook = run_ours(case, folder, Numerics.CNEXP)
    found: dict[str, Any] = {"cpu_cnexp_s": textbook.cpu_s, "cnexp": _looked_at(case, textbook.written)}
    if with_reference:
        document = document_of(case, folder)
        names = sorted({name_in(case, item) for item in case.observables if "file" in item.given})
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
