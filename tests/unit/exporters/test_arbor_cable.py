"""Where compartments lie on Arbor's branches, without Arbor: a cable with children at its end and its middle."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from nmlopt.exporters.arbor.cable import Piece, Place, cable, twigs
from nmlopt.ir.model import Compartment, Geometry, Section


def _section(name, points, parent=-1, parent_x=1.0, divisions=1):
    return Section(name, points, parent, parent_x, divisions, ())


def _geometry(*sections):
    compartments = [
        Compartment(index, (k + 0.5) / section.divisions, 1.0)
        for index, section in enumerate(sections)
        for k in range(section.divisions)
    ]
    return Geometry(sections, tuple(compartments), (), ())


TRUNK = _section("trunk", ((0.0, 0.0, 0.0, 4.0), (10.0, 0.0, 0.0, 4.0), (40.0, 0.0, 0.0, 1.0)), divisions=4)
SIDE = _section("side", ((25.0, 0.0, 0.0, 1.0), (25.0, 30.0, 0.0, 1.0)), 0, 0.625, divisions=2)
NEXT = _section("next", ((40.0, 0.0, 0.0, 1.0), (60.0, 0.0, 0.0, 1.0)), 0, 1.0)
BACK = _section("back", ((0.0, 0.0, 0.0, 2.0), (-10.0, 0.0, 0.0, 2.0)), 0, 0.0)


def test_sections_that_follow_each_other_are_one_chain():
    tree = twigs(_geometry(TRUNK, NEXT))
    assert [(t.parent, t.section, t.start, t.end) for t in tree] == [
        (-1, 0, 0.0, 0.25),
        (0, 0, 0.25, 1.0),
        (1, 1, 0.0, 1.0),
    ]
    found = cable(_geometry(TRUNK, NEXT), tree, [[0, 1, 2]])  # Arbor makes one branch of both
    ends = [k / 6 for k in range(5)]
    assert [[(p.branch, p.start, p.end) for p in pieces] for pieces in found.pieces[:4]] == [
        [(0, pytest.approx(a), pytest.approx(b))] for a, b in pairwise(ends)
    ]
    assert found.pieces[4] == (Piece(0, found.pieces[3][0].end, 1.0),)
    assert found.centres[4].position == pytest.approx(50 / 60)
    assert {p.position for p in found.boundaries} >= {0.0, 1.0}


def test_a_section_is_cut_where_a_child_starts_and_its_diameter_is_that_of_the_frustum():
    geometry = _geometry(TRUNK, SIDE)
    tree = twigs(geometry)
    cut = next(t for t in tree if t.section == 0 and t.end == 0.625)
    assert cut.distal == pytest.approx((25.0, 0.0, 0.0, 2.5))
    side = next(t for t in tree if t.section == 1)
    assert tree[side.parent] is cut
    assert math.fsum(t.length_um for t in tree if t.section == 0) == pytest.approx(40.0)


def test_a_compartment_around_a_fork_lies_on_two_branches():
    geometry = _geometry(TRUNK, SIDE)
    tree = twigs(geometry)  # 0..10, 10..25, 25..40 of the trunk, then the side
    found = cable(geometry, tree, [[0, 1], [2], [3]])
    assert found.pieces[2] == (Piece(0, pytest.approx(20 / 25), 1.0), Piece(1, 0.0, pytest.approx(5 / 15)))
    assert found.centres[2] == Place(0, 1.0)
    assert Place(0, 1.0) not in found.boundaries
    assert Place(2, 0.0) in found.boundaries


def test_a_child_of_the_root_s_start_has_no_parent():
    tree = twigs(_geometry(TRUNK, BACK))
    assert next(t for t in tree if t.section == 1).parent == -1


def test_pieces_of_all_compartments_make_up_every_branch():
    geometry = _geometry(TRUNK, SIDE, NEXT, BACK)
    tree = twigs(geometry)
    by_parent = {}
    for number, twig in enumerate(tree):
        by_parent.setdefault(twig.parent, []).append(number)
    branches = []
    for start in (n for children in by_parent.values() for n in children if len(children) > 1 or tree[n].parent == -1):
        branch = [start]
        while len(by_parent.get(branch[-1], [])) == 1:
            branch += by_parent[branch[-1]]
        branches.append(branch)
    found = cable(geometry, tree, branches)
    for branch in range(len(branches)):
        own = sorted((p.start, p.end) for pieces in found.pieces for p in pieces if p.branch == branch)
        assert own[0][0] == 0.0
        assert own[-1][1] == 1.0
        assert all(a[1] == b[0] for a, b in pairwise(own))
