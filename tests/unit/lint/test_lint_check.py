"""The lint as a whole: each fault once, none on sound documents, other people's cells without errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmlopt.document.read import read
from nmlopt.errors import DocumentError, Severity
from nmlopt.lint.check import check

HEAD = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="document">'


def codes(tmp_path: Path, body: str) -> list[str]:
    (tmp_path / "model.nml").write_text(f"{HEAD}{body}</neuroml>", encoding="utf-8")
    return [i.code for i in check(read(tmp_path / "model.nml", root=tmp_path))]


@pytest.mark.parametrize("name", ["examples", "benchmarks/simplecell", "tests/data/fuzz"])
def test_our_own_documents_have_no_findings(root, name):
    for path in sorted((root / name).rglob("*.nml")):
        found = [i for i in check(read(path)) if i.code != "D021"]
        assert found == [], path


def test_a_channel_alone_is_a_document(tmp_path):
    assert codes(tmp_path, '<ionChannelHH id="leak" conductance="1pS"/>') == []


def test_a_missing_channel_is_said_once(root, tmp_path):
    text = (root / "benchmarks" / "simplecell" / "model.nml").read_text(encoding="utf-8")
    (tmp_path / "model.nml").write_text(text.replace('ionChannel="leak"', 'ionChannel="leek"'), encoding="utf-8")
    found = check(read(tmp_path / "model.nml", root=tmp_path))
    assert [i.code for i in found if i.severity is Severity.ERROR] == ["D034"]
    assert [i.code for i in found if i.severity is Severity.WARNING] == ["I211"]  # 'leak' is unused now


def test_every_cell_of_a_document_is_lowered(root, tmp_path):
    text = (root / "benchmarks" / "simplecell" / "model.nml").read_text(encoding="utf-8")
    begin, end = text.index("    <cell id="), text.index("</cell>") + len("</cell>\n")
    other = text[begin:end].replace('id="simplecell"', 'id="other"').replace('diameter="10"', 'diameter="0"')
    (tmp_path / "model.nml").write_text(text[:end] + other + text[end:], encoding="utf-8")
    found = check(read(tmp_path / "model.nml", root=tmp_path))
    assert "I122" in {i.code for i in found} and "I002" not in {i.code for i in found}


def test_definitions_without_end_are_findings(tmp_path):
    chain = "".join(f'<DerivedVariable name="a{k}" dimension="none" value="a{k + 1}"/>' for k in range(3000))
    body = (
        f'<ComponentType name="deep" extends="baseVoltageDepVariable"><Dynamics>{chain}'
        '<DerivedVariable name="a3000" dimension="none" value="1"/>'
        '<DerivedVariable name="x" exposure="x" dimension="none" value="a0"/></Dynamics></ComponentType>'
        '<ionChannelHH id="c" conductance="1pS"><gateHHtauInf id="g" instances="1">'
        '<timeCourse type="fixedTimeCourse" tau="1 ms"/><steadyState type="deep"/></gateHHtauInf></ionChannelHH>'
    )
    assert "L003" in codes(tmp_path, body)


@pytest.mark.slow
def test_published_cells_give_no_errors(root):
    data = root.parent / "shared" / "data" / "osb"
    if not data.is_dir():
        pytest.skip("optional data: ../shared/data/osb is not here")
    for path in sorted(p for kind in ("*.nml", "LEMS*.xml") for p in data.rglob(kind) if p.is_file()):
        try:
            errors = [i for i in check(read(path, root=data)) if i.severity is Severity.ERROR]
        except DocumentError as error:
            errors = list(error.issues)
        assert errors == [], path
