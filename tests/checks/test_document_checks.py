"""One valid and one invalid file per rule of the document; `<!-- D0xx -->` marks the lines that must be found."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmlopt.codes.document import DOCUMENT
from nmlopt.document.checks import check
from nmlopt.document.read import read
from nmlopt.errors import DocumentError, Issue

FOLDER = Path(__file__).parent / "document"
FILES = sorted(p for p in FOLDER.iterdir() if p.is_file())
OF_THE_DISK = {"D001", "D005", "D011", "D012"}
"""Rules about the file system: tests/unit/document holds their cases."""


def findings(path: Path) -> tuple[Issue, ...]:
    try:
        return check(read(path, root=FOLDER))
    except DocumentError as error:
        return error.issues


@pytest.mark.parametrize("path", [p for p in FILES if ".valid." in p.name], ids=lambda p: p.name)
def test_valid_file_has_no_findings(path):
    assert findings(path) == ()


@pytest.mark.parametrize("path", [p for p in FILES if ".invalid." in p.name], ids=lambda p: p.name)
def test_invalid_file_has_its_finding_on_the_marked_lines(path):
    code = path.name.partition(".")[0]
    marked = [n for n, line in enumerate(path.read_text().splitlines(), 1) if f"<!-- {code} -->" in line]
    found = findings(path)
    assert {issue.code for issue in found} == {code}
    assert [int(issue.where.split(":")[1]) for issue in found] == marked
    assert all(issue.where.startswith(path.name + ":") and issue.message for issue in found)


def test_every_rule_has_its_two_files():
    pairs = {p.name.partition(".")[0] for p in FILES}
    assert pairs == DOCUMENT.keys() - OF_THE_DISK
    assert len(FILES) == 2 * len(pairs)
