from __future__ import annotations

import difflib
import errno
import json
from pathlib import Path

import pytest
from lxml import etree

from nmlopt.document.read import read
from nmlopt.errors import ResultsError
from nmlopt.resources import neuroml_schema
from nmlopt.results import files, writeback
from nmlopt.results.writeback import write_solution, write_solutions


def changed_lines(old: bytes, new: bytes) -> tuple[list[str], list[str]]:
    lines = list(difflib.ndiff(old.decode().splitlines(), new.decode().splitlines()))
    return [s[2:] for s in lines if s.startswith("- ")], [s[2:] for s in lines if s.startswith("+ ")]


@pytest.fixture(scope="module")
def xsd() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(neuroml_schema())))


def test_a_diff_shows_the_fitted_attributes_and_the_provenance_only(tmp_path, model, kit, xsd):
    document = read(model)
    written = write_solution(tmp_path / "01", document, kit.leak, kit.solution((4.5, -61.25)), kit.provenance())
    assert [p.relative_to(tmp_path / "01").as_posix() for p in written] == [
        "cell.nml",
        "channels/pas.channel.nml",
        "scores.json",
    ]
    new = written[0].read_bytes()
    gone, added = changed_lines(model.read_bytes(), new)
    assert [line.strip() for line in gone] == [
        """<channelDensity id="leak" ionChannel="pas" condDensity="3.0 S_per_m2" erev='-54.3mV' ion="x"/>"""
    ]
    assert """condDensity="4.5 S_per_m2" erev='-61.25mV' ion""" in added[-1]
    assert [line.strip() for line in added[:-1]] == [
        "<annotation>",
        '<property tag="nmlopt:version" value="0.1.0"/>',
        '<property tag="nmlopt:date" value="2026-01-02"/>',
        f'<property tag="nmlopt:base" value="sha256:{document.digest}"/>',
        f'<property tag="nmlopt:targets" value="hh_targets sha256:{"d" * 64}"/>',
        '<property tag="nmlopt:backend" value="fake 9.9 (dt_ms 0.025, numerics cnexp)"/>',
        '<property tag="nmlopt:candidate" value="seed 3, generation 4, number 12"/>',
        '<property tag="nmlopt:sum_of_objectives" value="0.75"/>',
        '<property tag="nmlopt:fitted" '
        'value="cell:hh/channelDensity:leak/condDensity = 4.5 S_per_m2 (was 3 S_per_m2)"/>',
        '<property tag="nmlopt:fitted" value="cell:hh/channelDensity:leak/erev = -61.25 mV (was -54.3 mV)"/>',
        "</annotation>",
    ]
    assert added[0] == "        <annotation>"
    assert added[1].startswith("            <property")
    xsd.assertValid(etree.parse(str(written[0])))
    assert written[1].read_bytes() == (model.parent / "channels" / "pas.channel.nml").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_scores_lie_beside_the_model(tmp_path, model, kit):
    document = read(model)
    written = write_solution(tmp_path / "01", document, kit.leak, kit.solution((9.99, -61.25)), kit.provenance())
    found = json.loads(written[-1].read_text())
    assert found["sum"] == 0.75
    assert found["objectives"] == {"freq": 0.25, "height": 0.5}
    assert found["scores"] == {"freq": 0.25, "height": 0.5, "held_out": 0.5}
    assert found["features"] == {"freq": [61.0, 0.1 + 0.2]}
    assert found["parameters"]["p0"] == {
        "value": 9.99,
        "unit": "S_per_m2",
        "lower": 0.1,
        "upper": 10.0,
        "scale": "log10",
    }
    assert found["at_bound"] == ["p0"]
    assert found["edits"][1] == {
        "path": "cell:hh/channelDensity:leak/erev",
        "value": "-61.25 mV",
        "before": "-54.3 mV",
    }
    assert found["base_digest"] == document.digest
    assert found["digest"] == read(written[0]).digest
    assert (found["seed"], found["generation"], found["position"]) == (3, 4, 11)
    assert found["model"] == "cell.nml"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encoding_and_line_ends_are_kept(tmp_path, model, kit, encoding, newline):
    text = model.read_text(encoding="utf-8").replace("—", "é")
    named = text.replace('encoding="UTF-8"', f'encoding="{encoding.removesuffix("-sig")}"')
    model.write_bytes(named.replace("\n", newline).encode(encoding))
    solution = kit.solution((4.5, -61.25))
    written = write_solution(tmp_path / "01", read(model), kit.leak, solution, kit.provenance())
    new = written[0].read_bytes()
    assert new[:4] == model.read_bytes()[:4]
    decoded = new.decode(encoding)
    assert decoded.count("\n") == decoded.count(newline)
    root = etree.fromstring(new)
    (cell,) = root.iter("{*}cell")
    assert cell[0].text == "A cell é with notes & an entity"
    assert [etree.QName(child).localname for child in cell][:3] == ["notes", "annotation", "morphology"]


def test_a_point_cell_in_one_tag_is_opened(tmp_path, kit, xsd):
    path = tmp_path / "iz.nml"
    path.write_text(kit.point)
    parameters = kit.parameters(("izhikevich2007Cell:iz/C", "pF", 50.0, 200.0, "linear", 100.0))
    solution = kit.solution((120.0,))
    written = write_solution(
        tmp_path / "s", read(path), parameters, solution, kit.provenance(("izhikevich2007Cell", "iz"))
    )
    gone, added = changed_lines(path.read_bytes(), written[0].read_bytes())
    assert len(gone) == 2
    assert 'C="120 pF"' in added[0]
    assert added[1].endswith('d="100 pA">')
    assert added[-1] == "    </izhikevich2007Cell>"
    xsd.assertValid(etree.parse(str(written[0])))


ANNOTATIONS = {
    "block": "<annotation>\n            <property tag='a' value='b'/>\n        </annotation>",
    "one line": "<annotation><property tag='a' value='b'/></annotation>",
    "empty": "<annotation/>",
}


@pytest.mark.parametrize("old", list(ANNOTATIONS.values()), ids=list(ANNOTATIONS))
def test_an_annotation_that_is_there_is_added_to(tmp_path, model, kit, xsd, old):
    text = model.read_text(encoding="utf-8")
    model.write_text(text.replace("<morphology", f"{old}\n\n        <morphology", 1), encoding="utf-8")
    solution = kit.solution((4.5, -61.25))
    written = write_solution(tmp_path / "s", read(model), kit.leak, solution, kit.provenance())
    xsd.assertValid(etree.parse(str(written[0])))
    (annotation,) = etree.parse(str(written[0])).getroot().iter("{*}annotation")
    tags = [child.get("tag") for child in annotation]
    assert tags == (["a"] if "property" in old else []) + tags[-9:]
    assert tags[-9] == "nmlopt:version"


def test_a_solution_can_be_fitted_again(tmp_path, model, kit, xsd):
    solution = kit.solution((4.5, -61.25))
    first = write_solution(tmp_path / "a", read(model), kit.leak, solution, kit.provenance())
    second = write_solution(tmp_path / "b", read(first[0]), kit.leak, kit.solution((5.5, -50.0)), kit.provenance())
    root = etree.parse(str(second[0]))
    assert len([e for e in root.iter("{*}property") if e.get("tag") == "nmlopt:base"]) == 2
    assert 'condDensity="5.5 S_per_m2"' in second[0].read_text(encoding="utf-8")
    xsd.assertValid(root)


def test_prefixes_comments_and_traps_in_the_text(tmp_path, kit):
    path = tmp_path / "m.nml"
    path.write_text(
        '<n:neuroml xmlns:n="http://www.neuroml.org/schema/neuroml2" id="d">\n'
        '  <n:izhikevichCell id="iz" v0="-70mV" thresh="30mV" a="0.02" b="0.2" c="-65" d="6"\n  >'
        "<!-- <annotation> </n:izhikevichCell> --><n:notes><![CDATA[</n:notes> > ]]></n:notes><?pi > ?>\n"
        "  </n:izhikevichCell>\n</n:neuroml>\n"
    )
    parameters = kit.parameters(("izhikevichCell:iz/a", "", 0.01, 0.1, "linear", 0.02))
    solution = kit.solution((0.05,))
    written = write_solution(tmp_path / "s", read(path), parameters, solution, kit.provenance(("izhikevichCell", "iz")))
    (cell,) = etree.parse(str(written[0])).iter("{http://www.neuroml.org/schema/neuroml2}izhikevichCell")
    assert [etree.QName(c).localname for c in cell if isinstance(c.tag, str)] == ["notes", "annotation"]


def test_a_cell_of_a_type_of_its_own_gets_a_comment(tmp_path, kit):
    path = tmp_path / "m.nml"
    path.write_text(
        '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="d">\n'
        '    <ComponentType name="myCell" extends="baseCell"><Parameter name="a" dimension="none"/></ComponentType>\n'
        '    <myCell id="mine" a="0.02"/>\n</neuroml>\n'
    )
    parameters = kit.parameters(("myCell:mine/a", "", 0.01, 0.1, "linear", 0.02))
    provenance = kit.provenance(("myCell", "mine"))
    written = write_solution(tmp_path / "s", read(path), parameters, kit.solution((0.05,)), provenance)
    gone, added = changed_lines(path.read_bytes(), written[0].read_bytes())
    assert gone == ['    <myCell id="mine" a="0.02"/>']
    assert added[0] == "    <!--"
    assert added[-2:] == ["    -->", '    <myCell id="mine" a="0.05"/>']


def test_a_folder_that_exists_is_not_overwritten(tmp_path, model, kit):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "mine.txt").write_text("keep")
    with pytest.raises(ResultsError) as caught:
        write_solution(tmp_path / "s", read(model), kit.leak, kit.solution((4.5, -61.25)), kit.provenance())
    assert caught.value.issues[0].code == "R001"
    assert (tmp_path / "s" / "mine.txt").read_text() == "keep"


def test_solutions_of_a_run_are_replaced_together(tmp_path, model, kit):
    document = read(model)
    many = [kit.solution((4.0 + i, -61.25)) for i in range(3)]
    write_solutions(tmp_path, document, kit.leak, many, kit.provenance())
    found = write_solutions(tmp_path, document, kit.leak, many[:2], kit.provenance())
    assert [w.name for w in found] == ["01", "02"]
    assert [w.model for w in found] == [tmp_path / "solutions" / n / "cell.nml" for n in ("01", "02")]
    assert sorted(p.name for p in (tmp_path / "solutions").iterdir()) == ["01", "02"]
    assert all(path.is_file() for w in found for path in w.files)
    assert not list(tmp_path.glob(".*"))


def test_a_failure_leaves_the_old_solutions(tmp_path, model, kit, monkeypatch):
    document = read(model)
    write_solutions(tmp_path, document, kit.leak, [kit.solution((4.0, -61.25))], kit.provenance())
    before = (tmp_path / "solutions" / "01" / "scores.json").read_text()

    def refuse(self, *args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(ResultsError) as caught:
        write_solutions(tmp_path, document, kit.leak, [kit.solution((5.0, -61.25))] * 2, kit.provenance())
    assert caught.value.issues[0].code == "R003"
    assert (tmp_path / "solutions" / "01" / "scores.json").read_text() == before
    assert not list(tmp_path.glob(".*"))


def test_what_reads_back_differently_is_never_left(tmp_path, model, kit, monkeypatch):
    def write_wrongly(document, folder):
        paths = real(document, folder)
        paths[0].write_bytes(paths[0].read_bytes() + b"\n")
        return paths

    real = writeback.write
    monkeypatch.setattr(writeback, "write", write_wrongly)
    with pytest.raises(RuntimeError):
        write_solution(tmp_path / "s", read(model), kit.leak, kit.solution((4.5, -61.25)), kit.provenance())
    assert not (tmp_path / "s").exists()


def test_files_stay_in_their_folder(tmp_path):
    for name in ("../x", "/etc/x", "a/../../x"):
        with pytest.raises(ValueError, match="folder"):
            files.write_tree(tmp_path, {name: b""})
