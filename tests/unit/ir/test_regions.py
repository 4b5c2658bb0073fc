"""Segment groups and the compartments they own."""

from __future__ import annotations

import pytest
from morphologies import group, segment

from nmlopt.errors import Severity
from nmlopt.ir.groups import read_groups
from nmlopt.ir.segments import plain_number, read_segments

# 0 - 1 - 2 - 3
#      \- 4 - 5
TREE = (
    segment(0, (10, 0, 0, 10), (0, 0, 0, 10)),
    segment(1, (50, 0, 0, 2), parent=0),
    segment(2, (90, 0, 0, 2), parent=1),
    segment(3, (130, 0, 0, 2), parent=2),
    segment(4, (50, 40, 0, 2), (50, 0, 0, 2), parent=1),
    segment(5, (50, 80, 0, 2), parent=4),
)


def ends(tag, **where):
    """<path> or <subTree> with <from> and <to>."""
    names = {"start": "from", "end": "to"}
    inner = "".join(f'<{names[k]} segment="{v}"/>' for k, v in where.items())
    return f"<{tag}>{inner}</{tag}>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (ends("path", start=1, end=3), (1, 2, 3)),
        (ends("path", end=4), (0, 1, 4)),
        (ends("path", start=3, end=1), (3, 2, 1)),
        (ends("path", start=2, end=5), (2, 1, 4, 5)),
        (ends("path", start=2, end=2), (2,)),
        (ends("subTree", start=1), (1, 2, 3, 4, 5)),
        (ends("subTree", start=4), (4, 5)),
        (ends("subTree", end=5), (0, 1, 4, 5)),
        ('<member segment="5"/><include segmentGroup="g1"/><member segment="2"/>', (5, 1, 2)),
        ('<include segmentGroup="g2"/>', (1, 2)),
    ],
)
def test_members_of_a_group(morphology, content, expected):
    _, element = morphology.elements(
        *TREE, group("asked", extra=content), group("g2", "g1", 1, 2), group("g1", 1), group("none")
    )
    issues = []
    members = read_groups(element, read_segments(element, plain_number, issues), issues)
    assert issues == []
    assert members["asked"] == expected
    assert list(members) == ["asked", "g2", "g1", "none"]
    assert members["none"] == ()


def test_compartment_belongs_to_the_segment_that_holds_its_centre(morphology):
    geometry, issues = morphology.build(
        *TREE[:4],
        group("soma", 0, marked=True),
        group("dend", 1, 2, 3, marked=True, divisions=4),
        group("near", 1),
        group("middle", 2),
        group("far", 3),
    )
    # centres at 15, 45, 75, 105 of 120 um; segments end at 40, 80, 120
    assert issues == []
    regions = dict(geometry.regions)
    assert (regions["near"], regions["middle"], regions["far"]) == ((1,), (2, 3), (4,))
    assert regions["all"] == (0, 1, 2, 3, 4)


def test_centre_on_a_boundary_belongs_to_the_distal_segment(morphology):
    geometry, _ = morphology.build(
        *TREE[:3], group("s", 0, marked=True), group("d", 1, 2, marked=True), group("near", 1), group("far", 2)
    )
    assert dict(geometry.regions)["far"] == (1,)


def test_region_without_a_centre_gets_the_compartment_around_it(morphology):
    geometry, issues = morphology.build(
        *TREE[:4], group("s", 0, marked=True), group("d", 1, 2, 3, marked=True, divisions=1), group("tip", 3)
    )
    assert [(i.code, i.severity) for i in issues] == [("I120", Severity.WARNING)]
    assert dict(geometry.regions)["tip"] == (1,)


def test_all_is_the_whole_cell_whatever_is_listed(morphology):
    geometry, issues = morphology.build(*TREE, group("all", 0, 1))
    assert [(i.code, i.severity) for i in issues] == [("I121", Severity.WARNING)]
    assert dict(geometry.regions)["all"] == tuple(range(6))


def test_all_that_holds_all_is_no_finding(morphology):
    _, issues = morphology.build(*TREE, group("all", *range(6)))
    assert issues == []


def test_empty_group_is_an_empty_region(morphology):
    geometry, issues = morphology.build(*TREE, group("nothing"))
    assert issues == []
    assert dict(geometry.regions)["nothing"] == ()
