"""One valid and one invalid file per T code: each fault is found, at its place, and its mended twin is clean of it.

An invalid file says in its `$comment` where the fault stands; both say which model they belong to.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nmlopt.document.read import read
from nmlopt.errors import Issue, NmloptError, Severity
from nmlopt.experiment.checks import check
from nmlopt.spec.codes import CODES
from nmlopt.spec.load import load

HERE = Path(__file__).parent
FEATURES = {"Spikecount": "", "mean_frequency": "Hz", "voltage_base": "mV"}
WARNINGS = frozenset({"T028", "T031", "T032", "T033", "T047", "T049"})
"""Codes that do not stop a fit."""


def _findings(file: Path) -> tuple[Issue, ...]:
    try:
        targets = load(file)
    except NmloptError as error:
        return error.issues
    return check(targets, read(HERE / _said(file, "model")), folder=HERE, feature_units=FEATURES)


def _said(file: Path, key: str) -> str:
    match = re.search(rf'"{key}": "([^"]*)"', file.read_text(encoding="utf-8-sig", errors="replace"))
    assert match is not None
    return match.group(1)


@pytest.mark.parametrize("code", sorted(CODES))
def test_fault_is_found_at_its_place(code):
    file = HERE / f"{code}.invalid.json"
    found = [issue for issue in _findings(file) if issue.code == code]
    assert [issue for issue in found if issue.where.endswith(_said(file, "where"))], _findings(file)
    expected = Severity.WARNING if code in WARNINGS else Severity.ERROR
    assert {issue.severity for issue in found} == {expected}


@pytest.mark.parametrize("code", sorted(CODES))
def test_only_that_fault_is_found(code):
    assert {issue.code for issue in _findings(HERE / f"{code}.invalid.json")} == {code}


@pytest.mark.parametrize("code", sorted(CODES))
def test_mended_twin_is_without_errors(code):
    found = _findings(HERE / f"{code}.valid.json")
    assert not [issue for issue in found if issue.severity is Severity.ERROR or issue.code == code]


def test_every_file_belongs_to_a_code():
    files = {file.name for file in HERE.glob("*.json")}
    assert files == {f"{code}.{kind}.json" for code in CODES for kind in ("valid", "invalid")}
