"""Rearranged and merged equations compute what the cell's own equations do, bit for bit whatever is a slot."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nmlopt.codegen.merge import can_merge, merged
from nmlopt.codegen.tune import one_valued, tuned
from nmlopt.document.edit import Edit, apply
from nmlopt.document.paths import listing, resolve
from nmlopt.document.read import read
from nmlopt.ir.lower import lower
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Call, Expr, Num, Op, Sym
from nmlopt.lems.trees import parts
from nmlopt.units import Quantity

V = np.linspace(-0.12, 0.06, 181)[:, None].T[0] + 1.3e-4
MODEL = "benchmarks/nmodl_speed/cable.nml"


def whole_cell(cell):
    """All currents of the bench cable as one rearranged mechanism."""
    members = [(m, tuple(p for p in cell.placements if p.mechanism == m.name)) for m in cell.mechanisms if can_merge(m)]
    return members, tuned(merged("all", [one_valued(m, p) for m, p in members]))


def rates(mechanism, placement_values, slots):
    """The derivative of each state at 0 and at 1 over a sweep of v, by scalar arithmetic as at bind and run time."""
    names = {"temperature": 300.0, "caConc": 1e-4, "caConcExt": 2.0}
    for name, expr in [(p.name, p.value) for p in mechanism.parameters if p.value is not None] + list(placement_values):
        names[name] = evaluate(expr, names, slots)
    found = {}
    for state in mechanism.dynamics.states:
        if state.derivative is None:
            continue
        columns = []
        for at in (0.0, 1.0):
            known = {**names, "v": V, **{s.name: at for s in mechanism.dynamics.states}}
            for assigned in mechanism.dynamics.assigned:
                known[assigned.name] = evaluate(assigned.value, known)
            columns.append(np.broadcast_to(evaluate(state.derivative, known), V.shape))
        found[state.name] = np.array(columns)
    return found


def exponentials(expr: Expr) -> int:
    own = isinstance(expr, Call) and expr.function in ("exp", "exprelr")
    return own + sum(exponentials(part) for part in parts(expr))


def test_the_values_are_those_of_the_members(root):
    cell = lower(read(root / MODEL))
    members, whole = whole_cell(cell)
    found = rates(whole.mechanism, [v for p in whole.placements for v in p.values], [])
    for (mechanism, placements), names in zip(members, whole.names, strict=True):
        for state, wanted in rates(mechanism, placements[0].values, []).items():
            assert np.allclose(found[names[state]], wanted, rtol=1e-12, atol=0.0), state


def test_exponentials_of_one_slope_are_computed_once(root):
    _, whole = whole_cell(lower(read(root / MODEL)))
    assert sum(exponentials(a.value) for a in whole.mechanism.dynamics.assigned) == 7  # of 9: three share v / 10 mV


def test_no_division_by_a_number_is_left(root):
    def divisions(expr):
        own = isinstance(expr, Op) and expr.op == "/" and isinstance(expr.args[1], Num) and expr.args[0] != Sym("v")
        return own + sum(divisions(part) for part in parts(expr))

    _, whole = whole_cell(lower(read(root / MODEL)))
    assert sum(divisions(a.value) for a in whole.mechanism.dynamics.assigned) == 0


@pytest.mark.parametrize("pattern", ["scale$", "midpoint$", "(scale|midpoint|rate)$", "condDensity|erev"])
@pytest.mark.parametrize("factor", [1.0, 1.1])
def test_slots_and_literals_give_the_same_bits(root, pattern, factor):
    """At the document's own values, where slopes agree, and at others, where they do not or others do."""
    document = read(root / MODEL)
    paths = [a.path for a in listing(document) if re.search(pattern, a.path) and "hh_" in a.path]
    free = [resolve(document, path)[0] for path in paths]
    edits = [
        Edit(a.path, Quantity(a.quantity.value * (factor if k % 2 else 1.0), a.quantity.unit))
        for k, a in enumerate(free)
    ]
    edited = apply(document, edits)
    bound_cell = lower(document, free)
    slots = [s.unit.to_si(e.quantity.value) for s, e in zip(bound_cell.slots, edits, strict=True)]
    _, bound = whole_cell(bound_cell)
    _, folded = whole_cell(lower(edited))
    first = rates(bound.mechanism, [v for p in bound.placements for v in p.values], slots)
    second = rates(folded.mechanism, [v for p in folded.placements for v in p.values], [])
    assert first.keys() == second.keys()
    for name, wanted in second.items():
        assert np.array_equal(first[name], wanted), name


def test_one_placement_gives_its_numbers_to_the_mechanism(root):
    cell = lower(read(root / "examples" / "ball_and_stick" / "model.nml"))
    for mechanism in cell.mechanisms:
        placed = [p for p in cell.placements if p.mechanism == mechanism.name]
        alone, rest = one_valued(mechanism, placed[:1])
        varying = {name for name, _ in placed[0].locals}
        assert {p.name for p in alone.parameters if p.value is None} == {name for name, _ in rest[0].values}
        assert bool(rest[0].values) == bool(varying)
        assert one_valued(mechanism, placed * 2)[0] == mechanism
