"""Morphology files: what is refused with which words, what the cell looks like, how the axon is replaced."""

from __future__ import annotations

import math
import re
import sys

import pytest
from lxml import etree

from nmlopt.document.checks import check
from nmlopt.document.read import read
from nmlopt.errors import MorphologyError
from nmlopt.importers.morphology import import_morphology, write_cell
from nmlopt.importers.morphology_axon import replace_axon, width_in_the_middle
from nmlopt.importers.morphology_codes import CODES
from nmlopt.importers.morphology_model import AXON, SOMA, RawMorphology, RawSection, area, length
from nmlopt.resources import neuroml_schema

NS = "{http://www.neuroml.org/schema/neuroml2}"
SOMA_ROW = "1 1 0 0 0 5 -1\n"
ASC = """("CellBody"
  (0 0 0 1) (10 0 0 1) (10 6 0 1) (0 6 0 1)
)
( (Dendrite) (12 3 0 2) (40 3 0 2) ( (60 13 0 1) (80 13 0 1) | (60 -13 0 1) ) )
"""


def imported(tmp_path, text, suffix=".swc", **options):
    path = tmp_path / f"cell{suffix}"
    path.write_text(text)
    return import_morphology(path, **options)


# ------------------------------------------------------------------------------------------------ what is refused

FAULTS = {
    "no number": (".swc", SOMA_ROW + "2 3 a 0 0 1 1\n", "M002", 2, "no point"),
    "columns missing": (".swc", SOMA_ROW + "2 3 10 0 0 1\n", "M002", 2, "no point"),
    "type is no whole number": (".swc", SOMA_ROW + "2 3.5 10 0 0 1 1\n", "M002", 2, "whole"),
    "id is infinite": (".swc", SOMA_ROW + "inf 3 10 0 0 1 1\n", "M002", 2, "whole"),
    "id twice": (".swc", SOMA_ROW + "2 3 10 0 0 1 1\n2 3 20 0 0 1 1\n", "M003", 3, "line 2"),
    "parent missing": (".swc", SOMA_ROW + "2 3 10 0 0 1 7\n", "M004", 2, "missing"),
    "parent after its child": (".swc", SOMA_ROW + "2 3 10 0 0 1 3\n3 3 20 0 0 1 1\n", "M004", 2, "after"),
    "two roots": (".swc", SOMA_ROW + "2 3 10 0 0 1 -1\n", "M005", 2, "root"),
    "nothing": (".swc", "# only a comment\n", "M005", 0, "no point"),
    "radius 0": (".swc", SOMA_ROW + "2 3 10 0 0 0 1\n", "M006", 2, "radius"),
    "coordinate not a number": (".swc", SOMA_ROW + "2 3 nan 0 0 1 1\n", "M006", 2, "metre"),
    "coordinate too large": (".swc", SOMA_ROW + "2 3 1e300 0 0 1 1\n", "M006", 2, "metre"),
    "unbalanced": (".asc", ASC.rstrip().removesuffix(")"), "M002", 0, ""),
    "no outline": (".asc", "( (Dendrite) (0 0 0 1) (10 0 0 1) )", "M008", 0, "outline"),
    "empty": (".asc", "", "M002", 0, ""),
    "several outlines": (".asc", ASC + ASC, "M002", 0, "several outlines"),
    "outline without area": (
        ".asc",
        ASC.replace("(10 6 0 1) (0 6 0 1)", "(20 0 0 1) (30 0 0 1)"),
        "M007",
        0,
        "outline",
    ),
    "no diameter": (".asc", ASC.replace("(80 13 0 1)", "(80 13 0 0)"), "M006", 0, "diameter"),
    "another kind": (".hoc", "create soma", "M001", 0, ".swc"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_file_is_refused_with_its_place(tmp_path, name):
    suffix, text, code, line, words = FAULTS[name]
    with pytest.raises(MorphologyError) as caught:
        imported(tmp_path, text, suffix)
    issue = caught.value.issues[0]
    assert issue.code == code
    assert issue.code in CODES
    assert words in f"{issue.message} {issue.hint}"
    assert issue.where.startswith(str(tmp_path / "cell"))
    assert not line or issue.where.endswith(f":{line}")


def test_the_codes_are_those_of_the_sources(root):
    sources = (path.read_text() for path in (root / "nmlopt" / "importers").glob("morphology*.py"))
    named = {code for text in sources for code in re.findall(r'Issue\(\s*"(M\d{3})"', text)}
    assert named == CODES.keys()


def test_a_missing_library_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "morphio", None)
    with pytest.raises(MorphologyError, match="M009"):
        imported(tmp_path, ASC, ".asc")


def test_all_faults_are_said_at_once(tmp_path):
    with pytest.raises(MorphologyError) as caught:
        imported(tmp_path, SOMA_ROW + "2 3 a 0 0 1 1\n3 3 0 0 0 0 1\n")
    assert [i.code for i in caught.value.issues] == ["M002", "M006"]


def test_a_missing_file_and_a_present_target_are_refused(tmp_path):
    with pytest.raises(MorphologyError, match="M001"):
        import_morphology(tmp_path / "absent.swc")
    cell = imported(tmp_path, SOMA_ROW)
    write_cell(cell, tmp_path / "cell.nml")
    with pytest.raises(MorphologyError, match="M022"):
        write_cell(cell, tmp_path / "cell.nml")


@pytest.mark.parametrize("options", [{"cell_id": "1 cell"}, {"longest_um": 0.0}, {"longest_um": math.inf}])
def test_senseless_options_are_refused(tmp_path, options):
    with pytest.raises(MorphologyError, match="M021"):
        imported(tmp_path, SOMA_ROW, **options)


# ------------------------------------------------------------------------------------------------ what is written


def test_a_document_lacks_nothing_but_biophysics(tmp_path):
    cell = imported(tmp_path, ASC, ".asc", cell_id="small")
    write_cell(cell, tmp_path / "small.nml")
    schema = etree.XMLSchema(etree.parse(str(neuroml_schema())))
    schema.assertValid(etree.parse(str(tmp_path / "small.nml")))
    assert {i.code for i in check(read(tmp_path / "small.nml")) if i.severity == "error"} <= {"I005"}


def test_regions_sections_and_divisions(tmp_path):
    cell = imported(tmp_path, ASC, ".asc")
    groups = {g.get("id"): g for g in etree.fromstring(cell.text.encode()).iter(f"{NS}segmentGroup")}
    marked = [name for name, g in groups.items() if g.get("neuroLexId") == "sao864921383"]
    assert marked == ["soma", "dend_0", "dend_1", "dend_2"]
    assert [g.get("segmentGroup") for g in groups["basal_group"].iter(f"{NS}include")] == ["dend_0", "dend_1", "dend_2"]
    assert groups["dendrite_group"].get("neuroLexId") == "GO:0030425"
    assert [r.id for r in cell.regions] == ["all", "soma_group", "basal_group", "dendrite_group"]
    assert [s.divisions for s in cell.sections] == [1, 1, 3, 1]  # 28 um, 42 um, 25 um
    assert [s.divisions for s in imported(tmp_path, ASC, ".asc", longest_um=10).sections] == [1, 5, 9, 5]


def test_a_sphere_has_the_area_of_its_single_point(tmp_path):
    cell = imported(tmp_path, SOMA_ROW + "2 3 5 0 0 1 1\n3 3 25 0 0 1 2\n")
    assert cell.regions[1].area_um2 == pytest.approx(math.pi * 10**2)
    root = etree.fromstring(cell.text.encode())
    assert next(root.iter(f"{NS}parent")).attrib == {"segment": "0", "fractionAlong": "0.5"}


def test_ids_do_not_depend_on_the_axon(tmp_path):
    rows = SOMA_ROW + "2 3 5 0 0 1 1\n3 3 25 0 0 1 2\n4 2 0 -5 0 1 1\n5 2 0 -50 0 1 4\n"
    whole, stub = (imported(tmp_path, rows, with_stub_axon=flag) for flag in (False, True))
    assert [s.segments for s in whole.sections][:2] == [s.segments for s in stub.sections][:2]
    assert [s.name for s in stub.sections] == ["soma", "dend_0", "axon_0", "axon_1"]


def test_what_has_no_length_is_left_out_and_said(tmp_path):
    cell = imported(tmp_path, SOMA_ROW + "2 3 5 0 0 1 1\n3 3 25 0 0 1 2\n4 3 25 0 0 1 3\n5 3 40 5 0 1 3\n")
    assert [i.code for i in cell.notices] == ["M010"]
    assert len(cell.sections) == 3


def test_a_tree_without_soma_stands_with_a_warning(tmp_path):
    cell = imported(tmp_path, "1 3 0 0 0 1 -1\n2 3 10 0 0 1 1\n")
    assert [i.code for i in cell.notices] == ["M008"]


# ------------------------------------------------------------------------------------------------ the axon


def cone(kind, begin, end, parent, x, first=2.0, last=2.0):
    return RawSection(kind, ((*begin, first), (*end, last)), parent, x)


SPHERE = cone(SOMA, (-10, 0, 0), (10, 0, 0), -1, 0.0, 20, 20)


def test_the_stub_takes_its_widths_from_the_axon():
    axon = [
        cone(AXON, (0, 0, 0), (0, -50, 0), 0, 0.5, 2.0, 1.0),
        cone(AXON, (0, -50, 0), (0, -60, 0), 1, 1.0, 1.0, 1.0),  # its middle lies at 55 um
        cone(AXON, (0, -60, 0), (0, -70, 0), 2, 1.0, 0.8, 0.6),
    ]
    stub, tail = replace_axon(RawMorphology((SPHERE, *axon)), 40.0, "").sections[1:]
    assert stub.points[0][3] == stub.points[1][3] == pytest.approx(1.5)
    assert tail.points[0][3] == tail.points[1][3] == pytest.approx(0.7)
    assert length(stub) == length(tail) == 30
    assert (stub.parent, stub.parent_x, tail.parent, tail.parent_x) == (0, 1.0, 1, 1.0)
    assert stub.points[0][:3] == (10, 0, 0)
    assert stub.points[1][:3] == (10, -30, 0)


def test_a_short_axon_gives_one_width_and_none_gives_one_um():
    short = cone(AXON, (0, 0, 0), (0, -50, 0), 0, 0.5, 2.0, 1.0)
    assert [s.points[0][3] for s in replace_axon(RawMorphology((SPHERE, short)), 40.0, "").sections[1:]] == [1.5, 1.5]
    assert [s.points[0][3] for s in replace_axon(RawMorphology((SPHERE,)), 40.0, "").sections[1:]] == [1.0, 1.0]


def test_what_hangs_on_the_axon_forbids_to_replace_it():
    axon = cone(AXON, (0, 0, 0), (0, -50, 0), 0, 0.5)
    dendrite = cone(3, (0, -50, 0), (0, -90, 0), 1, 1.0)
    with pytest.raises(MorphologyError, match="M020"):
        replace_axon(RawMorphology((SPHERE, axon, dendrite)), 40.0, "")
    with pytest.raises(MorphologyError, match="M020"):
        replace_axon(RawMorphology((dendrite,)), 40.0, "")


def test_the_width_in_the_middle_is_that_of_the_middle_compartment():
    section = RawSection(3, ((0, 0, 0, 4.0), (45, 0, 0, 4.0), (45, 0, 0, 1.0), (90, 0, 0, 1.0)), -1, 0.0)
    assert width_in_the_middle(section, 40.0) == pytest.approx(2.5)  # half of 18 um is 4 um wide, half 1 um
    assert area(section) == pytest.approx(math.pi * (45 * 4 + 45 * 1 + (2**2 - 0.5**2)))
