"""Literals of expressions are numbered as the parser of expressions numbers them."""

from __future__ import annotations

import math

import pytest

from nmlopt.document.numbers import is_not_finite, literal_patch, literals, quantity
from nmlopt.lems.expression import Num
from nmlopt.lems.parse import parse
from nmlopt.units import Quantity

EXPRESSIONS = {
    "0.1*exp((v-10)/5)": [0.1, 10, 5],
    "x1e3 + a1*b2": [],
    "1e3+1.5E-4 - .5e+2": [1e3, 1.5e-4, 50.0],
    "v .gt. -63.0 .and. 3.gt.x": [63.0, 3.0],
    "3.5.gt.x .or. 2. .lt. y": [3.5, 2.0],
    "(-3)^2 - (-4.0)": [-3, 2, -4],
    "( - 3 ) + (3) + ((-3))": [-3, 3, -3],
    "exp(-3) + (-3*x) + (x-3)": [-3, 3, 3],
    "2^-1": [2, 1],
    "(+3)": [3],
    "": [],
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_values(text):
    assert [found.value for found in literals(text)] == EXPRESSIONS[text]


@pytest.mark.parametrize("text", [t for t in EXPRESSIONS if t])
def test_numbering_is_that_of_the_expression_parser(text):
    seen = []
    parse(text, lambda k, value: seen.append((k, value)) or Num(value))
    assert seen == [(k, found.value) for k, found in enumerate(literals(text), 1)]


@pytest.mark.parametrize(
    ("text", "k", "value", "result"),
    [
        ("v-10", 1, 2.5, "v-2.5"),
        ("v-10", 1, -3, "v-(-3)"),
        ("v-(-3)", 1, 4, "v-(4)"),
        ("v-( 4 )", 1, -1e-07, "v-( -1e-07 )"),
        ("10^2", 1, -2, "(-2)^2"),
        ("exp(3)", 1, -3, "exp(-3)"),
        ("3.gt.x", 1, 2.5, "2.5.gt.x"),
        ("3.gt.x", 1, 1e22, "1e22.gt.x"),
        ("x*2", 1, -0.0, "x*(-0)"),
    ],
)
def test_patch_keeps_the_meaning(text, k, value, result):
    start, end, new = literal_patch(literals(text)[k - 1], value)
    patched = text[:start] + new + text[end:]
    assert patched == result
    again = literals(patched)[k - 1].value
    assert again == value
    assert math.copysign(1, again) == math.copysign(1, value)


def test_quantities():
    assert quantity(" -1.5e3 mV ") == Quantity(-1500.0, "mV")
    assert quantity("2.") == Quantity(2.0)
    assert [quantity(t) for t in ("", "mV", "1 2", "1e999", "NaN", "1 m V", "0x-10", "1,5 mV", "١")] == [None] * 9


def test_not_finite():
    assert all(map(is_not_finite, ("NaN", "nan mV", "-inf", "INF", "Infinity", "1e999 mV", "-1e999")))
    assert not any(map(is_not_finite, ("1", "information", "nano", "inf_soma", "", "1e308")))
