"""Which mechanisms of a cell the native kernel moves in bundles, and what of their currents stays in a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nmlopt.document.read import read
from nmlopt.exporters.native.ohmic import bundles
from nmlopt.exporters.native.source import Layout, kernel
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell

EXAMPLE = Path(__file__).parents[3] / "examples" / "ball_and_stick" / "model.nml"


@pytest.fixture(scope="module")
def cell() -> Cell:
    document = read(EXAMPLE)
    return lower(document)


def parts_of(cell: Cell, *, chained: bool = True):
    return kernel(cell, Layout(8 if chained else 1, chained=chained)).parts


def test_gates_go_in_bundles_and_leaks_stay(cell):
    parts = [p for p in parts_of(cell) if p.mechanism.current]
    assert parts and all(p.bundled or p.steady for p in parts)
    assert {p.bundled for p in parts if p.text.states} == {True}
    assert {p.steady for p in parts if not p.text.states} == {True}


def test_nothing_is_bundled_where_lanes_are_candidates(cell):
    assert not any(p.bundled or p.steady for p in parts_of(cell, chained=False))


def test_a_bundle_is_as_wide_as_its_gates_ask_for(cell):
    for bundle in bundles(parts_of(cell), cell):
        gates = len(bundle.gates)
        assert gates <= 8 and bundle.width in (1, 4, 8)
        assert bundle.width >= gates or bundle.width == 1
        assert bundle.row == (8 * gates if bundle.width == 1 else 6 * bundle.width)
        assert sorted(bundle.place(p, name) for p, name, _ in bundle.gates) == list(range(gates))


def test_a_mechanism_that_sits_twice_on_a_compartment_is_not_bundled(cell):
    twice = replace(cell, placements=(*cell.placements, *cell.placements))
    assert bundles(parts_of(cell), twice) == ()


def test_a_conductance_is_named_by_the_factors_of_its_gates(cell):
    gates = {p.mechanism.name: p.ohmic.gates for p in parts_of(cell) if p.bundled}
    assert sorted(len(g) for g in gates.values()) == [1, 4, 4]  # one gate of the dendrite's; m m m h, n n n n
