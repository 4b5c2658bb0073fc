"""The cases of the conformance suite as data: what expected.json says. All is in SI; nothing here knows nmlopt."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

CASES = Path(__file__).parent / "cases"
FORMAT = "conformance-case/1"
Kind = Literal["samples", "crossings"]


@dataclass(frozen=True)
class Quantity:
    """Numbers that a simulator must reproduce, taken from one column of the case's OutputFile.

    'samples': the column's `values` at `times_s`. 'crossings': the times `times_s` at which it crosses `threshold`
    upwards, in all of the simulation. `tolerance` is absolute, in the column's SI unit, or in s for crossings.
    """

    id: str
    kind: Kind
    column: str
    times_s: tuple[float, ...]
    tolerance: float
    reason: str
    values: tuple[float, ...] = ()
    threshold: float = 0.0

    @property
    def reference(self) -> tuple[float, ...]:
        """The numbers themselves."""
        return self.values if self.kind == "samples" else self.times_s


@dataclass(frozen=True)
class Mistake:
    """A known misreading of the case's rule, and what each quantity (by id) would be under it."""

    what: str
    quantities: dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Case:
    """One case: a folder with model.nml, LEMS_case.xml and expected.json.

    `tests` is the semantic in a sentence, `rule` where it is laid down, `method` and `script` how the reference was
    made, `departures` what tools do that are known not to follow the rule (tool name -> what it does).
    """

    id: str
    tests: str
    rule: str
    method: str
    script: str
    quantities: tuple[Quantity, ...]
    mistakes: tuple[Mistake, ...] = ()
    departures: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return CASES / self.id

    @property
    def lems(self) -> Path:
        """The simulation that any LEMS tool can run."""
        return self.folder / "LEMS_case.xml"


def case_ids(pattern: str = "*") -> tuple[str, ...]:
    """Ids of the cases that match a shell pattern, sorted."""
    return tuple(sorted(path.parent.name for path in CASES.glob(f"{pattern}/expected.json")))


def load(case_id: str) -> Case:
    """The case of that id. Raises OSError, ValueError or KeyError if its expected.json is missing or malformed."""
    data = json.loads((CASES / case_id / "expected.json").read_text(encoding="utf-8"))
    if data["format"] != FORMAT:
        raise ValueError(f"{case_id}: format {data['format']!r}, not {FORMAT!r}")
    return Case(
        id=case_id,
        tests=data["tests"],
        rule=data["rule"],
        method=data["reference"]["method"],
        script=data["reference"]["script"],
        quantities=tuple(_quantity(entry) for entry in data["quantities"]),
        mistakes=tuple(
            Mistake(entry["what"], {key: tuple(values) for key, values in entry["quantities"].items()})
            for entry in data.get("mistakes", ())
        ),
        departures=dict(data.get("departures", {})),
    )


def dump(case: Case) -> str:
    """The text of the case's expected.json."""
    data: dict[str, Any] = {
        "format": FORMAT,
        "tests": case.tests,
        "rule": case.rule,
        "reference": {"method": case.method, "script": case.script},
        "departures": case.departures,
        "quantities": [_entry(quantity) for quantity in case.quantities],
        "mistakes": [
            {"what": m.what, "quantities": {key: _rounded(values) for key, values in m.quantities.items()}}
            for m in case.mistakes
        ],
    }
    return json.dumps({k: v for k, v in data.items() if v}, indent=1, ensure_ascii=False) + "\n"


def _quantity(entry: dict[str, Any]) -> Quantity:
    lists = {key: tuple(entry[key]) for key in ("times_s", "values") if key in entry}
    return Quantity(**{**entry, **lists})


def _entry(quantity: Quantity) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": quantity.id, "kind": quantity.kind, "column": quantity.column}
    if quantity.kind == "crossings":
        return {
            **entry,
            "threshold": quantity.threshold,
            "times_s": _rounded(quantity.times_s),
            "tolerance": quantity.tolerance,
            "reason": quantity.reason,
        }
    return {
        **entry,
        "times_s": _rounded(quantity.times_s),
        "values": _rounded(quantity.values),
        "tolerance": quantity.tolerance,
        "reason": quantity.reason,
    }


def _rounded(values: tuple[float, ...]) -> list[float]:
    """Ten significant digits: far below every tolerance, and the same on every machine."""
    return [float(f"{x:.10g}") for x in values]
