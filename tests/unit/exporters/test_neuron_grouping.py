"""Which mechanisms share a file: those of the same sections, without repeating too much, never on part of a section."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nmlopt.document.read import read
from nmlopt.exporters.neuron import grouping
from nmlopt.exporters.neuron.grouping import units
from nmlopt.ir.lower import lower


@pytest.fixture
def cell(root):
    return lower(read(root / "examples" / "ball_and_stick" / "model.nml"))


def names(found):
    return [(unit.name, tuple(m.name for m, _ in unit.members)) for unit in found]


def places(found):
    """(mechanism, compartment) of every member, once each."""
    held = [(m.name, p.id, k) for unit in found for m, placed in unit.members for p in placed for k in p.compartments]
    assert len(held) == len(set(held))
    return set(held)


def test_a_file_for_each_class_of_sections(cell):
    found = units(cell, merge=True)
    assert [tuple(m.name for m, _ in unit.members) for unit in found] == [
        ("leak_channel", "na_channel", "k_channel"),
        ("leak_channel", "na_channel", "k_channel", "ih_channel"),
    ]
    assert places(found) == places(units(cell, merge=False))


def test_without_merging_one_for_each(cell):
    assert names(units(cell, merge=False)) == [(m.name, (m.name,)) for m in cell.mechanisms]


def test_a_density_on_part_of_a_section_stays_alone(cell):
    whole = next(p for p in cell.placements if p.id == "na_dendrite")
    half = replace(whole, compartments=whole.compartments[:5])
    cell = replace(cell, placements=tuple(half if p is whole else p for p in cell.placements))
    found = units(cell, merge=True)
    (partial,) = (unit for unit in found if unit.partial)
    assert [(m.name, [p.id for p in placed]) for m, placed in partial.members] == [("na_channel", ["na_dendrite"])]
    assert places(found) == places(units(cell, merge=False))


def test_overlapping_placements_are_members_twice(cell):
    first = next(p for p in cell.placements if p.id == "na_dendrite")
    cell = replace(cell, placements=(*cell.placements, replace(first, id="again")))
    found = units(cell, merge=True)
    assert [m.name for m, _ in found[-1].members].count("na_channel") == 2
    assert len({unit.name for unit in found}) == len(found)


def test_where_classes_repeat_too_much_only_equal_sections_merge(cell, monkeypatch):
    monkeypatch.setattr(grouping, "MAX_REPETITION", 1)
    found = units(cell, merge=True)
    assert [tuple(m.name for m, _ in unit.members) for unit in found] == [
        ("leak_channel", "na_channel", "k_channel"),
        ("ih_channel",),
    ]
    assert places(found) == places(units(cell, merge=False))


def test_numbers_along_the_cell_go_with_their_compartments(cell):
    """The non-uniform density keeps one number for each of its compartments."""
    for unit in units(cell, merge=True):
        for _, placed in unit.members:
            for placement in placed:
                assert all(len(values) == len(placement.compartments) for _, values in placement.locals)
