"""The tree of the native kernel: resistances in closed form, joints merged or kept."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nmlopt.exporters.native.layout import half_factors, point_tree, tree
from nmlopt.ir.model import Compartment, Geometry, Section


def cylinder(length: float, diameter: float, parent: int, x: float, divisions: int = 1) -> Section:
    """A straight section along x, in um."""
    points = ((0.0, 0.0, 0.0, diameter), (length, 0.0, 0.0, diameter))
    return Section(f"s{length}_{diameter}_{parent}_{x}", points, parent, x, divisions, ())


def geometry(*sections: Section) -> Geometry:
    compartments = tuple(
        Compartment(k, (2 * i + 1) / (2 * s.divisions), 1e-12)
        for k, s in enumerate(sections)
        for i in range(s.divisions)
    )
    return Geometry(sections, compartments, (), ())


def half(length: float, diameter: float, divisions: int = 1) -> float:
    """Half a compartment of a cylinder: length / (pi r^2), 1/m."""
    return 1e6 * length / (2 * divisions) / (math.pi * (diameter / 2) ** 2)


def test_halves_of_a_cylinder():
    assert half_factors(((0.0, 0.0, 0.0, 2.0), (30.0, 0.0, 0.0, 2.0)), 3) == pytest.approx([half(30.0, 2.0, 3)] * 6)


def test_halves_of_a_cone_in_closed_form():
    """Integral of dx / (pi r^2) over a frustum is length / (pi r1 r2)."""
    found = half_factors(((0.0, 0.0, 0.0, 4.0), (10.0, 0.0, 0.0, 2.0)), 1)
    assert found == pytest.approx([1e6 * 5.0 / (math.pi * 2.0 * 1.5), 1e6 * 5.0 / (math.pi * 1.5 * 1.0)])


def test_halves_add_up_over_any_polyline():
    points = ((0.0, 0.0, 0.0, 3.0), (1.7, 0.0, 0.0, 2.0), (1.7, 0.0, 0.0, 1.0), (5.0, 2.0, 0.0, 1.5))
    assert sum(half_factors(points, 7)) == pytest.approx(sum(half_factors(points, 1)))


def test_two_cables_in_a_row_are_joined_by_the_sum_of_their_halves():
    made = tree(geometry(cylinder(10.0, 2.0, -1, 0.0), cylinder(20.0, 1.0, 0, 1.0)))
    assert made.parent.tolist() == [-1, 0]
    resistivity = np.array([1.5, 0.7])
    wanted = 1.0 / (1.5 * half(10.0, 2.0) + 0.7 * half(20.0, 1.0))
    assert made.conductances(resistivity) == pytest.approx([0.0, wanted])


def test_a_fork_at_an_end_gets_a_node_without_membrane():
    made = tree(geometry(cylinder(10.0, 2.0, -1, 0.0), cylinder(20.0, 1.0, 0, 1.0), cylinder(20.0, 1.0, 0, 1.0)))
    assert made.parent.tolist() == [-1, 0, 1, 1]
    assert made.node_of.tolist() == [0, 2, 3]
    wanted = [0.0, 1 / half(10.0, 2.0), 1 / half(20.0, 1.0), 1 / half(20.0, 1.0)]
    assert made.conductances(np.ones(3)) == pytest.approx(wanted)


def test_a_section_in_the_middle_of_another_joins_its_compartment():
    made = tree(geometry(cylinder(30.0, 2.0, -1, 0.0, 3), cylinder(20.0, 1.0, 0, 0.5)))
    assert made.parent[made.node_of[3]] == made.node_of[1]
    assert made.conductances(np.ones(4))[made.node_of[3]] == pytest.approx(1 / half(20.0, 1.0))


def test_sections_at_the_start_of_the_root_hang_on_its_first_half():
    made = tree(geometry(cylinder(10.0, 2.0, -1, 0.0), cylinder(20.0, 1.0, 0, 0.0)))
    wanted = 1 / (half(10.0, 2.0) + half(20.0, 1.0))
    assert made.conductances(np.ones(2)) == pytest.approx([0.0, wanted])


def test_parents_come_first_and_every_compartment_has_a_node():
    made = tree(geometry(cylinder(10.0, 2.0, -1, 0.0, 2), *(cylinder(20.0, 1.0, k % 3, 1.0, 3) for k in range(9))))
    assert all(parent < node for node, parent in enumerate(made.parent))
    assert len(set(made.node_of.tolist())) == len(made.node_of)
    assert made.node_of.min() == 0


def test_a_point_has_one_node():
    assert point_tree().conductances(np.ones(1)).tolist() == [0.0]
