"""Linear forms, checked by numbers: constant + slope * x must be the expression."""

from __future__ import annotations

import pytest

from nmlopt.codegen.analysis import Definitions, linear, slope
from nmlopt.ir.model import Assigned
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Num
from nmlopt.lems.parse import parse

DEFINITIONS = Definitions(
    (Assigned("g", parse("a * b")), Assigned("drive", parse("b - x")), Assigned("f", parse("x * x")))
)
VALUES = {"a": 1.3, "b": -0.7, "g": 1.3 * -0.7}


@pytest.mark.parametrize(
    "text",
    ["g * (b - x)", "x", "-x", "a", "a - x", "(x - a) / b", "g * drive", "a * (1 - x) - b * x", "(b - x) * g / a",
     "2 * (x + x) - (x - a)"],
)  # fmt: skip
def test_linear(text):
    form = linear(parse(text), "x", DEFINITIONS)
    assert form is not None
    for x in (0.0, 1.0, -3.5):
        names = VALUES | {"x": x, "drive": VALUES["b"] - x, "f": x * x}
        rebuilt = evaluate(form.constant or Num(0.0), names) + evaluate(slope(form) or Num(0.0), names) * x
        assert rebuilt == pytest.approx(evaluate(parse(text), names), abs=1e-14)


@pytest.mark.parametrize("text", ["x * x", "a / x", "exp(x)", "f", "x * drive"])
def test_not_linear(text):
    assert linear(parse(text), "x", DEFINITIONS) is None


def test_needed_keeps_the_order_and_leaves_out_the_rest():
    assert [a.name for a in DEFINITIONS.needed([parse("drive + g")])] == ["g", "drive"]
    assert [a.name for a in DEFINITIONS.needed([parse("drive + g")], known={"g"})] == ["drive"]
    assert DEFINITIONS.rests_on(parse("f + a"), {"x"})
    assert not DEFINITIONS.rests_on(parse("g"), {"x"})
