"""The schema sees everything: one element in a wrong place hides nothing that stands after it."""

from __future__ import annotations

import pytest

from nmlopt.document.checks_schema import schema_issues
from nmlopt.document.read import read

LEAK = '<ionChannelHH id="leak" conductance="10pS"/>'
PULSE = '<pulseGenerator id="p" delay="0ms" duration="1ms" amplitude="1nA"/>'
FAULTY = PULSE.replace(' amplitude="1nA"', "")
TYPE = '<ComponentType name="own" extends="baseCell"/>'


def found(tmp_path, body: str) -> list[tuple[str, int]]:
    text = f'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="d">\n{body}\n</neuroml>'
    (tmp_path / "model.nml").write_text(text, encoding="utf-8")
    issues = schema_issues(read(tmp_path / "model.nml", root=tmp_path))
    return [(i.code, int(i.where.split(":")[1])) for i in issues]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"{LEAK}\n{PULSE}", []),
        (f"{PULSE}\n{LEAK}", [("D021", 3)]),
        (f"{PULSE}\n{LEAK}\n{FAULTY}", [("D021", 3), ("D020", 4)]),
        (f'{LEAK}\n<own id="x"/>\n{FAULTY}\n{TYPE}', [("D021", 3), ("D020", 4)]),
        (f'<pulseGeneratr id="x"/>\n{FAULTY}', [("D020", 2), ("D020", 3)]),
        (f"{LEAK[:-2]}>\n<notes>a</notes>\n<notes>b</notes>\n</ionChannelHH>\n{FAULTY}", [("D020", 4), ("D020", 6)]),
    ],
    ids=["valid", "another order", "a fault after it", "a fault after an own type", "two faults", "twice"],
)
def test_all_faults_of_a_file(tmp_path, body, expected):
    assert sorted(found(tmp_path, body), key=lambda row: row[1]) == expected


def test_many_in_a_wrong_place_are_told_once(tmp_path):
    body = "\n".join([PULSE, *(LEAK.replace("leak", f"leak{k}") for k in range(300))])
    assert [code for code, _ in found(tmp_path, body)] == ["D021"]
