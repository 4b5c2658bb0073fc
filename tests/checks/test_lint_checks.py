"""One valid and one invalid file per rule of the lint; `<!-- CODE -->` marks the lines that must be found."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nmlopt.codes.catalogue import CODES
from nmlopt.codes.cells import CELLS
from nmlopt.codes.definitions import DEFINITIONS
from nmlopt.document.read import read
from nmlopt.errors import Issue, Severity
from nmlopt.lint.check import check
from nmlopt.resources import jneuroml_jar

FOLDER = Path(__file__).parent / "lint"
FILES = sorted(p for p in FOLDER.iterdir() if p.is_file())
OF_DEFINITIONS = {"L001", "L002", "L003", "L010", "L011", "L013", "L020", "L021", "L023"}
"""What the lint finds in definitions beside its own codes from L040 on; the rest is found while a cell is lowered."""


def findings(path: Path) -> tuple[Issue, ...]:
    """What is found, without the remark on what of LEMS the schema does not know."""
    return tuple(issue for issue in check(read(path, root=FOLDER)) if "LEMS definitions" not in issue.hint)


@pytest.mark.parametrize("path", [p for p in FILES if ".valid." in p.name], ids=lambda p: p.name)
def test_valid_file_has_no_findings(path):
    assert findings(path) == ()


@pytest.mark.parametrize("path", [p for p in FILES if ".invalid." in p.name], ids=lambda p: p.name)
def test_invalid_file_has_its_finding_on_the_marked_lines(path):
    code = path.name.partition(".")[0]
    marked = [n for n, line in enumerate(path.read_text().splitlines(), 1) if f"<!-- {code} -->" in line]
    found = findings(path)
    assert {issue.code for issue in found} == {code}, found
    assert [int(issue.where.split(":")[1]) for issue in found] == marked
    expected = Severity.WARNING if CODES[code].is_warning else Severity.ERROR
    assert {issue.severity for issue in found} == {expected}
    assert all(issue.where.startswith(path.name + ":") and issue.message for issue in found)


@pytest.mark.java
def test_jneuroml_takes_the_valid_files():
    files = [p.name for p in FILES if p.name.endswith(".valid.nml")]
    command = ["java", "-Djava.awt.headless=true", "-jar", str(jneuroml_jar()), "-validate", *files]
    said = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False)
    assert f"Validated {len(files)} files: All valid and no warnings" in said.stdout


def test_every_rule_of_the_lint_has_its_two_files():
    pairs = {p.name.partition(".")[0] for p in FILES}
    assert pairs == {c for c in CELLS if c >= "I200"} | {c for c in DEFINITIONS if c >= "L040"} | OF_DEFINITIONS
    assert len(FILES) == 2 * len(pairs)
