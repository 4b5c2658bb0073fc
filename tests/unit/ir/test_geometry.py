"""Sections, compartments and areas against numbers worked out by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from morphologies import group, segment

from nmlopt.errors import Severity, UnsupportedError
from nmlopt.ir.cable import compartment_areas
from nmlopt.ir.geometry import build_geometry
from nmlopt.ir.sections import along

SOMA = segment(0, (20, 0, 0, 20), (0, 0, 0, 20))


def um2(geometry):
    """Areas of all compartments in µm²."""
    return [c.area_m2 * 1e12 for c in geometry.compartments]


def codes(issues):
    """Codes found."""
    return [i.code for i in issues]


def test_cylinder_is_one_section_of_one_compartment(morphology):
    geometry, issues = morphology.build(SOMA)
    assert issues == []
    (section,) = geometry.sections
    assert (section.name, section.parent, section.divisions, section.segments) == ("section_0", -1, 1, (0,))
    assert um2(geometry) == pytest.approx([math.pi * 400])
    assert geometry.compartments[0].x == 0.5
    assert geometry.regions == (("all", (0,)),)


def test_sphere_becomes_a_cylinder_of_equal_area(morphology):
    geometry, issues = morphology.build(segment(0, (1, 2, 3, 17), (1, 2, 3, 17)))
    assert issues == []
    a, b = geometry.sections[0].points
    assert math.dist(a[:3], b[:3]) == pytest.approx(17)
    assert um2(geometry) == pytest.approx([4 * math.pi * 8.5**2])


def test_no_length_and_unequal_diameters_is_refused(morphology):
    with pytest.raises(UnsupportedError) as error:
        morphology.build(segment(0, (1, 2, 3, 17), (1, 2, 3, 16)))
    assert codes(error.value.issues) == ["I109"]


def test_taper_is_clipped_to_the_compartments():
    areas = compartment_areas([(0, 0, 0, 4), (30, 0, 0, 1)], 3)
    slant = math.hypot(10, 0.5)
    assert areas == pytest.approx([math.pi * r * slant for r in (2 + 1.5, 1.5 + 1, 1 + 0.5)])


def test_boundaries_need_not_fall_on_points():
    points = [(0, 0, 0, 2), (7, 0, 0, 2), (7, 11, 0, 3), (7, 11, 22, 1)]
    whole = compartment_areas(points, 1)
    for divisions in (2, 3, 7, 40, 41):
        parts = compartment_areas(points, divisions)
        assert len(parts) == divisions
        assert min(parts) > 0
        assert sum(parts) == pytest.approx(whole[0], rel=1e-13)


def test_section_group_joins_segments_and_reads_divisions(morphology):
    geometry, issues = morphology.build(
        SOMA,
        segment(1, (120, 0, 0, 2), (20, 0, 0, 2), parent=0),
        segment(2, (220, 0, 0, 2), parent=1),
        group("soma", 0, marked=True),
        group("dend", 1, 2, marked=True, divisions=4),
    )
    assert issues == []
    soma, dend = geometry.sections
    assert (dend.name, dend.parent, dend.parent_x, dend.divisions, dend.segments) == ("dend", 0, 1.0, 4, (1, 2))
    assert um2(geometry)[1:] == pytest.approx([math.pi * 2 * 50] * 4)
    assert [c.x for c in geometry.compartments] == [0.5, 0.125, 0.375, 0.625, 0.875]
    assert dict(geometry.regions)["dend"] == (1, 2, 3, 4)
    assert soma.name == "soma"


def test_divisions_may_stand_in_an_annotation(morphology):
    note = '<annotation><deep><property tag="numberInternalDivisions" value="6"/></deep></annotation>'
    geometry, _ = morphology.build(SOMA, group("soma", 0, marked=True, extra=note))
    assert geometry.sections[0].divisions == 6


@pytest.mark.parametrize("bad", ["0", "2.5", "-1"])
def test_divisions_must_be_whole(morphology, bad):
    with pytest.raises(UnsupportedError) as error:
        morphology.build(SOMA, group("soma", 0, marked=True, divisions=bad))
    assert codes(error.value.issues) == ["I118"]


def test_divisions_of_an_unmarked_group_are_told_to_have_no_effect(morphology):
    geometry, issues = morphology.build(SOMA, group("soma", 0, divisions=9))
    assert geometry.sections[0].divisions == 1
    assert [(i.code, i.severity) for i in issues] == [("I119", Severity.WARNING)]


def test_missing_proximal_is_interpolated_on_the_parent(morphology):
    geometry, _ = morphology.build(
        segment(0, (100, 0, 0, 10), (0, 0, 0, 20)), segment(1, (25, 50, 0, 1), parent=0, along=0.25)
    )
    branch = geometry.sections[1]
    assert branch.points[0] == (25, 0, 0, 17.5)
    assert branch.parent_x == 0.25


def test_fraction_along_a_section_of_several_segments_is_a_length_fraction(morphology):
    geometry, _ = morphology.build(
        SOMA,
        segment(1, (20, 30, 0, 2), (20, 0, 0, 2), parent=0),
        segment(2, (20, 100, 0, 2), parent=1),
        segment(3, (60, 30, 0, 1), parent=1),
        segment(4, (60, 30, 9, 1), (20, 65, 0, 1), parent=2, along=0.5),
        group("dend", 1, 2, marked=True),
        group("soma", 0, marked=True),
        group("a", 3, marked=True),
        group("b", 4, marked=True),
    )
    by_name = {s.name: s for s in geometry.sections}
    assert [s.name for s in geometry.sections] == ["soma", "dend", "a", "b"]
    assert by_name["a"].parent_x == pytest.approx(0.3)
    assert by_name["b"].parent_x == pytest.approx(0.65)
    assert by_name["dend"].parent_x == 1.0


def test_listed_order_of_members_does_not_matter(morphology):
    parts = (SOMA, segment(1, (50, 0, 0, 2), parent=0), segment(2, (90, 0, 0, 1), parent=1))
    forward, _ = morphology.build(*parts, group("g", 0, 1, 2, marked=True))
    backward, issues = morphology.build(*parts, group("g", 2, 1, 0, marked=True))
    assert issues == []
    assert forward.sections == backward.sections


def test_section_group_that_branches_is_split(morphology):
    geometry, issues = morphology.build(
        SOMA,
        segment(1, (120, 0, 0, 2), (20, 0, 0, 2), parent=0),
        segment(2, (20, 300, 0, 2), (20, 0, 0, 2), parent=0),
        group("g", 0, 1, 2, marked=True, divisions=42),
    )
    assert [(i.code, i.severity) for i in issues] == [("I115", Severity.WARNING)]
    assert [(s.name, s.segments, s.divisions) for s in geometry.sections] == [("g", (0, 1), 12), ("g_2", (2,), 30)]
    assert geometry.sections[1].parent == 0
    assert geometry.sections[1].parent_x == pytest.approx(20 / 120)


def test_group_with_a_hole_adds_no_membrane(morphology):
    parts = (SOMA, segment(1, (50, 0, 0, 2), parent=0), segment(2, (90, 0, 0, 1), parent=1))
    whole, _ = morphology.build(*parts)
    split, issues = morphology.build(*parts, group("g", 0, 2, marked=True), group("h", 1, marked=True))
    assert codes(issues) == ["I115"]
    assert sum(um2(split)) == pytest.approx(sum(um2(whole)))


def test_segment_outside_all_section_groups_is_a_section(morphology):
    geometry, issues = morphology.build(SOMA, segment(7, (50, 0, 0, 2), parent=0), group("g", 0, marked=True))
    assert codes(issues) == ["I116"]
    assert [s.name for s in geometry.sections] == ["g", "section_7"]


def test_segment_in_two_section_groups_stays_in_the_first(morphology):
    geometry, issues = morphology.build(SOMA, group("g", 0, marked=True), group("h", 0, marked=True))
    assert codes(issues) == ["I114"]
    assert [s.name for s in geometry.sections] == ["g"]


def test_gap_within_a_section_is_closed(morphology):
    geometry, issues = morphology.build(
        SOMA, segment(1, (500, 0, 0, 20), (400, 0, 0, 20), parent=0), group("g", 0, 1, marked=True)
    )
    assert codes(issues) == ["I117"]
    assert geometry.sections[0].points[-1] == (120, 0, 0, 20)
    assert um2(geometry) == pytest.approx([math.pi * 20 * 120])


def test_jump_in_diameter_is_two_points(morphology):
    geometry, issues = morphology.build(
        SOMA, segment(1, (120, 0, 0, 2), (20, 0, 0, 2), parent=0), group("g", 0, 1, marked=True)
    )
    assert issues == []
    assert [p[3] for p in geometry.sections[0].points] == [20, 20, 2, 2]
    assert [(s.start, s.end) for s in geometry.spans] == [(0, 20 / 120), (20 / 120, 1)]


def test_parents_come_first_and_spans_cover_each_section(morphology):
    geometry, _ = morphology.build(
        segment(3, (0, 90, 0, 1), (0, 10, 0, 1), parent=2),
        segment(2, (0, 10, 0, 1), (20, 0, 0, 1), parent=0),
        SOMA,
        group("c", 3, marked=True),
        group("b", 2, marked=True),
        group("a", 0, marked=True),
    )
    assert [s.name for s in geometry.sections] == ["a", "b", "c"]
    assert all(s.parent < k for k, s in enumerate(geometry.sections))
    assert [along(s, f) for s in geometry.spans for f in (0.0, 1.0)] == [0, 1] * 3


def test_chain_of_very_many_segments(morphology):
    count = 3000
    parts = [SOMA] + [segment(k, (20 + k, 0, 0, 2), (19 + k, 0, 0, 2), parent=k - 1) for k in range(1, count)]
    geometry, _ = morphology.build(*parts, group("d", *range(1, count), marked=True), group("s", 0, marked=True))
    assert [len(s.segments) for s in geometry.sections] == [1, count - 1]
    assert all(a.end == b.start for a, b in pairwise(geometry.spans[1:]))


FAULTS = {
    "I101 number": ("I101", [segment(0, ("many", 0, 0, 1), (0, 0, 0, 1))]),
    "I101 infinite": ("I101", [segment(0, ("inf", 0, 0, 1), (0, 0, 0, 1))]),
    "I101 id": ("I101", [segment("-1", (1, 0, 0, 1), (0, 0, 0, 1))]),
    "I102": ("I102", [SOMA, SOMA]),
    "I103 nothing": ("I103", []),
    "I103 no distal": ("I103", ['<segment id="0"><proximal x="0" y="0" z="0" diameter="1"/></segment>']),
    "I104": ("I104", [SOMA, segment(1, (1, 1, 1, 1), parent=9)]),
    "I105": ("I105", [SOMA, segment(1, (1, 1, 1, 1), (0, 0, 0, 1))]),
    "I106": ("I106", [SOMA, segment(1, (1, 1, 1, 1), parent=2), segment(2, (1, 1, 1, 1), parent=1)]),
    "I107": ("I107", [segment(0, (1, 0, 0, 1))]),
    "I108": ("I108", [SOMA, segment(1, (1, 1, 1, 1), parent=0, along=1.5)]),
    "I109 negative": ("I109", [segment(0, (1, 0, 0, -1), (0, 0, 0, 1))]),
    "I110": ("I110", [SOMA, group("a", 0), group("a", 0)]),
    "I111 include": ("I111", [SOMA, group("a", "b")]),
    "I111 member": ("I111", [SOMA, group("a", 5)]),
    "I112": ("I112", [SOMA, group("a", "b"), group("b", "a")]),
    "I113": ("I113", [SOMA, group("a", extra='<path><from segment="0"/></path>')]),
    "I122": ("I122", [segment(0, (1, 0, 0, 0), (0, 0, 0, 0))]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_refused_with_code_and_place(morphology, name):
    code, parts = FAULTS[name]
    with pytest.raises(UnsupportedError) as error:
        morphology.build(*parts)
    assert codes(error.value.issues) == [code] * len(error.value.issues)
    assert all(i.where.split(":")[1].isdigit() for i in error.value.issues)


def test_all_faults_are_reported_at_once(morphology):
    cell, parts = morphology.elements(
        segment(0, ("x", 0, 0, 1), (0, "y", 0, 1)), segment(1, (1, 1, 1, -2), parent=4), segment(1, (1, 1, 1, 2))
    )
    issues = []
    with pytest.raises(UnsupportedError) as error:
        build_geometry(cell, parts, issues)
    assert codes(issues) == ["I101", "I101", "I109", "I102", "I104"]
    assert list(error.value.issues) == issues


def test_structural_numbers_are_read_through_the_callers_reader(morphology):
    cell, parts = morphology.elements(
        SOMA, segment(1, (50, 0, 0, 2), parent=0, along=0.5), group("g", 0, marked=True, divisions=2)
    )
    seen = []

    def reader(element, name):
        seen.append((element.tag, name))
        return float(element.attributes[name])

    build_geometry(cell, parts, [], fixed=reader)
    assert set(seen) == {
        *((tag, axis) for tag in ("proximal", "distal") for axis in ("x", "y", "z", "diameter")),
        ("parent", "fractionAlong"),
        ("property", "value"),
    }
