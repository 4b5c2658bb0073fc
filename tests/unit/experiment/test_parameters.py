"""From candidates to slot values and edits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nmlopt.document.edit import Edit, apply
from nmlopt.document.read import read
from nmlopt.errors import TargetsError
from nmlopt.experiment.parameter_resolve import addresses, dependent_formulas, parameters
from nmlopt.experiment.parameters import FreeParameter
from nmlopt.ir.lower import lower
from nmlopt.lems.evaluate import evaluate
from nmlopt.units import core_units

NA, K, LEAK = (f"cell:ball/channelDensity:{name}" for name in ("na", "k", "leak"))


def space(targets, document):
    cell = lower(document, addresses(targets, document))
    return parameters(targets, document, cell), cell


def free(name, path, lower, upper, **more):
    return {"id": name, "paths": [path] if isinstance(path, str) else path, "lower": lower, "upper": upper, **more}


def test_numbers_are_in_the_units_of_the_document(ball, write):
    made, cell = space(write([free("g", f"{NA}/condDensity", "0.01 S_per_cm2", "3000 S_per_m2")]), ball)
    (axis,) = made.free
    assert (axis.lower, axis.upper, axis.present, axis.unit.symbol) == (10.0, 300.0, 120.0, "mS_per_cm2")
    assert cell.slots[0].unit == axis.unit


def test_one_slot_per_number_in_order(ball, write):
    targets = write(
        [
            free("e", "cell:ball/channelDensity:*/erev", "-90 mV", "60 mV"),
            free("g", [f"{K}/condDensity", f"{NA}/condDensity"], "1 mS_per_cm2", "200 mS_per_cm2"),
        ]
    )
    made, cell = space(targets, ball)
    assert [b.slot.path.split("/")[-2] + b.parameter for b in made.bindings] == [
        "channelDensity:leake",
        "channelDensity:nae",
        "channelDensity:ke",
        "channelDensity:kg",
        "channelDensity:nag",
    ]
    assert [b.slot for b in made.bindings] == list(cell.slots)
    assert made.values(np.array([[-60.0, 50.0], [-61.0, 51.0]])).tolist() == [
        [-60.0] * 3 + [50.0] * 2,
        [-61.0] * 3 + [51.0] * 2,
    ]
    assert made.present().tolist() == [-54.3, 36.0]


def test_each_number_in_its_own_unit(tmp_path, models, write):
    text = (
        (models / "ball.cell.nml").read_text().replace('condDensity="36 mS_per_cm2"', 'condDensity="0.036 S_per_cm2"')
    )
    (tmp_path / "other.cell.nml").write_text(text)
    document = read(tmp_path / "other.cell.nml")
    targets = write([free("g", [f"{NA}/condDensity", f"{K}/condDensity"], "1 mS_per_cm2", "200 mS_per_cm2")])
    made, _ = space(targets, document)
    assert made.values(np.array([[77.0]])).tolist() == [[77.0, 0.077]]
    assert [str(quantity) for _, quantity in made.edits([77.0])] == ["77 mS_per_cm2", "0.077 S_per_cm2"]


def test_expressions_count_in_the_units_that_the_file_states(ball, write):
    targets = write(
        [
            {"id": "c", "paths": [f"{LEAK}/condDensity"], "expression": "gk / 120", "unit": "mS_per_cm2"},
            {"id": "gk", "paths": [f"{K}/condDensity"], "expression": "0.5 * gna + 1", "unit": "S_per_m2"},
            free("gna", f"{NA}/condDensity", "0.1 S_per_cm2", "0.2 S_per_cm2"),
        ]
    )
    made, _ = space(targets, ball)
    x_mS_per_cm2 = 120.0
    gna_S_per_cm2 = x_mS_per_cm2 / 1000
    gk_S_per_m2 = 0.5 * gna_S_per_cm2 + 1
    expected = [gk_S_per_m2 / 120, gk_S_per_m2 / 10, x_mS_per_cm2]
    assert made.values(np.array([[x_mS_per_cm2]]))[0] == pytest.approx(expected, rel=1e-15)
    assert made.values(made.present()[np.newaxis]).shape == (1, 3)


def test_an_expression_without_a_value_gives_nan(ball, write):
    dependent = {"id": "gk", "paths": [f"{K}/condDensity"], "expression": "log(g - 100)", "unit": "mS_per_cm2"}
    made, _ = space(write([free("g", f"{NA}/condDensity", "1 mS_per_cm2", "200 mS_per_cm2"), dependent]), ball)
    values = made.values(np.array([[50.0], [101.0]]))
    assert math.isnan(values[0, 1])
    assert values[1, 1] == 0.0


def test_units_with_an_offset_are_converted_in_expressions(write):
    """The document writes degC, the file K: the expression counts in K."""
    warm = {"id": "T", "paths": ["a/b"], "lower": "280 K", "upper": "310 K"}
    targets = write([warm, {"id": "x", "paths": ["a/c"], "expression": "2 * T", "unit": "K"}])
    table = core_units()
    axis = FreeParameter("T", table.unit("degC"), 6.85, 36.85, "linear", 20.0)
    formula = dependent_formulas(targets, [axis], table)["x"]
    assert evaluate(formula, {"T": 26.85}) == pytest.approx(600.0, rel=1e-15)


def test_a_row_does_not_depend_on_the_batch(ball, write):
    dependent = {"id": "gk", "paths": [f"{K}/condDensity"], "expression": "exp(g / 100) ^ 1.3", "unit": "mS_per_cm2"}
    made, _ = space(
        write([free("g", f"{NA}/condDensity", "1 mS_per_cm2", "200 mS_per_cm2", scale="log10"), dependent]), ball
    )
    u = np.linspace(0, 1, 37)[:, np.newaxis]
    whole = made.values(made.from_unit_interval(u))
    alone = np.vstack([made.values(made.from_unit_interval(row[np.newaxis])) for row in u])
    assert whole.tobytes() == alone.tobytes()


def test_edits_are_read_back_bit_for_bit(ball, write):
    """What a fit found is the present value of the document that it writes: scores can be made again."""
    targets = write(
        [
            free("g", f"{NA}/condDensity", "0.01 S_per_cm2", "3000 S_per_m2", scale="log10"),
            free("m", "ionChannelHH:na_chan/gateHHrates:m/forwardRate/midpoint", "-0.05 V", "-0.03 V"),
            {"id": "gk", "paths": [f"{K}/condDensity"], "expression": "g / 3", "unit": "S_per_cm2"},
        ]
    )
    made, _ = space(targets, ball)
    x = made.from_unit_interval(np.array([[1 / 3, 1 / 7]]))
    edited = apply(ball, [Edit(path, quantity) for path, quantity in made.edits(x[0].tolist())])
    again, _ = space(targets, edited)
    assert again.present().tobytes() == x[0].tobytes()
    assert again.values(again.present()[np.newaxis]).tobytes() == made.values(x).tobytes()


def test_no_candidates_is_no_error(ball, write):
    made, _ = space(write(), ball)
    assert made.values(np.empty((0, 1))).shape == (0, 1)
    assert made.from_unit_interval(np.empty((0, 1))).shape == (0, 1)


def test_every_bad_path_is_named(ball, write):
    targets = write([free("a", "cell:bal/x", "1", "2"), free("b", [f"{NA}/condDensity", f"{NA}/nothing"], "1", "2")])
    with pytest.raises(TargetsError) as caught:
        addresses(targets, ball)
    assert [(i.code, i.where) for i in caught.value.issues] == [
        ("T041", "$.parameters[0].paths[0]"),
        ("T041", "$.parameters[1].paths[1]"),
    ]


def test_expressions_that_grow_without_bound_are_refused(ball, write):
    chain = [
        {"id": f"d{k}", "paths": [f"{K}/condDensity"], "expression": "+".join([f"d{k - 1}" if k else "g"] * 30)}
        for k in range(6)
    ]
    targets = write([free("g", f"{NA}/condDensity", "1 mS_per_cm2", "2 mS_per_cm2"), *chain[:1], *chain[1:]])
    with pytest.raises(TargetsError, match="too long in full"):
        parameters(targets, ball, lower(ball))
