"""The arithmetic of expressions: IEEE, never raising, the same for one number and for arrays."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nmlopt.errors import LemsError
from nmlopt.lems.evaluate import compile_expression, evaluate
from nmlopt.lems.expression import Call, Cases, Num, Op, SlotRef, Sym
from nmlopt.lems.parse import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/0", math.inf),
        ("-1/0", -math.inf),
        ("exp(1000)", math.inf),
        ("log(0)", -math.inf),
        ("0^-1", math.inf),
        ("10^400", math.inf),
        ("(-10)^401", -math.inf),
        ("1/(1 + (4.3e-10/(5e-5/1e6))^4.8)", 3.2688e-5),
        ("cosh(1000)", math.inf),
        ("factorial(5)", 120.0),
        ("H(0)", 0.5),
        ("H(-1)", 0.0),
        ("H(2)", 1.0),
    ],
)
def test_limits_and_known_values(text: str, value: float) -> None:
    assert evaluate(parse(text)) == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize("text", ["0/0", "log(-1)", "sqrt(-1)", "(-8)^0.5"])
def test_domain_errors_are_not_a_number(text: str) -> None:
    assert math.isnan(evaluate(parse(text)))


def test_names_and_slots() -> None:
    expr = Op("*", (Sym("a"), SlotRef(1)))
    assert compile_expression(expr)({"a": 3.0}, [0.0, 5.0]) == 15.0


def test_first_true_case_counts_and_others_are_not_computed() -> None:
    expr = Cases(((parse("x .lt. 0"), Num(1.0)), (parse("x .lt. 10"), Num(2.0))), Num(3.0))
    assert [evaluate(expr, {"x": x}) for x in (-5.0, 5.0, 50.0)] == [1.0, 2.0, 3.0]
    assert list(evaluate(expr, {"x": np.array([-5.0, 5.0, 50.0])})) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("x", [-700.0, -30.0, -1.0, -1e-3, -9e-4, -1e-9, 0.0, 1e-12, 1e-3, 1.1e-3, 2.0, 40.0, 700.0])
def test_exprelr_against_high_precision(x: float) -> None:
    from decimal import Decimal, getcontext

    getcontext().prec = 60
    exact = float(Decimal(x) / (1 - (-Decimal(x)).exp())) if x else 1.0
    assert evaluate(Call("exprelr", (Num(x),))) == pytest.approx(exact, rel=2e-14)


@pytest.mark.parametrize("text", ["exp(x)", "x/(x-2)", "abs(x)^1.5", "H(x)+ceil(x)", "x .gt. 1 .and. x .lt. 3", "-x"])
def test_arrays_as_numbers(text: str) -> None:
    xs = np.array([-2.5, -1.0, 0.0, 0.5, 2.0, 1000.0])
    together = evaluate(parse(text), {"x": xs})
    alone = [evaluate(parse(text), {"x": float(x)}) for x in xs]
    np.testing.assert_allclose(together, alone, rtol=1e-15)


def test_random_cannot_be_computed_beforehand() -> None:
    with pytest.raises(LemsError, match="L004"):
        evaluate(parse("random(1)"))


@pytest.mark.parametrize("text", ["exp(x)", "ln(abs(x))", "sin(x)", "tanh(x)", "abs(x)^1.7", "exp(100 * x)", "ln(x)"])
def test_an_array_has_the_bits_of_its_elements_one_by_one(text):
    """On every processor: vectors of numpy's own round otherwise with AVX-512."""
    x = np.random.default_rng(1).uniform(-20.0, 20.0, 2000)
    run = compile_expression(parse(text))
    together = run({"x": x}, ())
    assert np.array_equal(together, [run({"x": each}, ()) for each in x.tolist()], equal_nan=True)
    assert run({"x": np.zeros(0)}, ()).shape == (0,)
