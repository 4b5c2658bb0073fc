"""Expressions as jLEMS reads them; the expected numbers of precedence cases were printed by jLEMS 0.12 itself."""

from __future__ import annotations

import pytest

from nmlopt.errors import LemsError
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Call, Num, Op, SlotRef, Sym
from nmlopt.lems.parse import MAX_DEPTH, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-x^2", -9.0),
        ("2^-x", 0.125),
        ("2^3^2", 64.0),
        ("1-x^2", -8.0),
        ("H(x-3)", 0.5),
        ("12/x*2", 8.0),
        ("10-x-2", 5.0),
        ("-x*2+1", -5.0),
        ("2^-x^2", 0.015625),
        ("10*-x", -30.0),
        ("10- -x", 13.0),
        ("(2+x)*(-2)", -10.0),
        ("ln(x)+log(x)", 2.197224577336219),
        ("abs(-x)+sqrt(x*x*x*3)", 12.0),
        ("ceil(x/2)", 2.0),
        ("-(-x)", 3.0),
        ("1 .gt. 0 .or. 1 .gt. 0 .and. 1 .lt. 0", 0.0),
        ("3 .lt. 2 + 2", 1.0),
        ("x .geq. 3 .and. x .leq. 3", 1.0),
        ("x-3 .eq. 0", 1.0),
        ("(x .gt. 3) .or. (x .lt. 4)", 1.0),
        ("1 .lt. 0 .and. 1 .gt. 0 .or. 1 .gt. 0", 1.0),
        ("x .neq. 3", 0.0),
        ("-x .lt. 0", 1.0),
    ],
)
def test_same_value_as_jlems(text: str, value: float) -> None:
    assert evaluate(parse(text), {"x": 3.0}) == pytest.approx(value, rel=1e-15)


def test_numbers_next_to_word_operators() -> None:
    assert parse("V  .leq. ( -10 )") == Op("<=", (Sym("V"), Num(-10.0)))
    assert parse("5.lt.3.") == Op("<", (Num(5.0), Num(3.0)))
    assert parse("1.5e-3+.5E2") == Op("+", (Num(1.5e-3), Num(50.0)))


def test_literals_are_numbered_in_the_order_of_the_text() -> None:
    seen: list[tuple[int, float]] = []

    def hook(position: int, value: float) -> SlotRef:
        seen.append((position, value))
        return SlotRef(position)

    tree = parse("4*exp(-3)/(2 - -1) + a1*(-7)", hook)
    assert seen == [(1, 4.0), (2, -3.0), (3, 2.0), (4, 1.0), (5, -7.0)]
    assert tree.args[1] == Op("*", (Sym("a1"), SlotRef(5)))
    assert tree.args[0].args[0] == Op("*", (SlotRef(1), Call("exp", (SlotRef(2),))))


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("", "L001", "value is missing before the end, at character 1"),
        ("1 +", "L001", "at character 4"),
        ("(a", "L001", "')' is missing, at character 3"),
        ("a b", "L001", "'b' is not expected here, at character 3"),
        ("a ? b", "L001", "'?' is not part of an expression, at character 3"),
        ("a .xor. b", "L001", "unknown operator '.xor.'"),
        ("a) + (b", "L001", "')' is not expected"),
        ("1 < 2", "L001", "'<' is not part"),
        ("2 ** 3", "L001", "missing before '*', at character 4"),
        ("eval(1)", "L002", "unknown function 'eval'"),
        ("max(a)", "L002", "unknown function 'max'"),
        ("(" * (MAX_DEPTH + 5) + "1" + ")" * (MAX_DEPTH + 5), "L003", "deep"),
        ("+".join(["1"] * 100_000), "L003", "tokens"),
        ("2^" * 200 + "2", "L003", None),
    ],
)
def test_faults_have_a_code_and_a_place(text: str, code: str, part: str | None) -> None:
    if part is None:
        assert parse(text) is not None  # left-associative: no depth
        return
    with pytest.raises(LemsError) as caught:
        parse(text)
    (issue,) = caught.value.issues
    assert issue.code == code
    assert part in issue.message
    assert len(issue.message) < 300
