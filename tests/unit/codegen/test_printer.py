"""Printed text computes the tree: checked by evaluating the text with Python's own grammar."""

from __future__ import annotations

import ast
import math
import operator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nmlopt.codegen.nmodl import NMODL
from nmlopt.codegen.printer import Assign, Choose, Printer, lines
from nmlopt.codegen.templating import environment, num, wrapped
from nmlopt.errors import BackendError
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Call, Cases, Num, Op, SlotRef, Sym
from nmlopt.lems.parse import parse

NAMES = {"a": 1.7, "b": -0.3, "c": 250.0}
PRINTER = Printer(NMODL, {name: name for name in NAMES})
_OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}


def value(node):
    """Evaluate a Python syntax tree of arithmetic: the grammar agrees with NMODL's on what is printed."""
    match node:
        case ast.Expression(body):
            return value(body)
        case ast.Constant(constant):
            return float(constant)
        case ast.Name(name):
            return NAMES[name]
        case ast.UnaryOp(ast.USub(), operand):
            return -value(operand)
        case ast.BinOp(left, ast.Div(), right):
            return value(left) / value(right) if value(right) else math.nan
        case ast.BinOp(left, op, right):
            return _OPERATORS[type(op)](value(left), value(right))
        case ast.Call(ast.Name("power"), [base, exponent]):
            return math.pow(value(base), value(exponent))
        case ast.Call(ast.Name(function), [argument]):
            return getattr(math, function)(value(argument))
    raise AssertionError(ast.dump(node))


leaves = st.one_of(
    st.sampled_from([Sym(name) for name in NAMES]),
    st.floats(-1e6, 1e6, allow_nan=False).map(Num),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/"), inner, inner).map(lambda t: Op(t[0], (t[1], t[2]))),
        inner.map(lambda e: Op("neg", (e,))),
        inner.map(lambda e: Call("tanh", (e,))),
    ),
    max_leaves=12,
)


@given(trees)
def test_text_is_the_tree(tree):
    text = PRINTER.expression(tree)
    printed = value(ast.parse(text, mode="eval"))
    assume(not math.isnan(printed))
    assert printed == evaluate(tree, NAMES)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_round_trip(number):
    assert float(num(number)) == number


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    with pytest.raises(BackendError) as caught:
        num(bad)
    assert caught.value.issues[0].code == "B020"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a - (b - c)", "a - (b - c)"),
        ("a - b - c", "a - b - c"),
        ("a / (b * c)", "a / (b * c)"),
        ("-(a + b)", "-(a + b)"),
        ("a ^ 3", "a * a * a"),
        ("c / a ^ 2", "c / (a * a)"),
        ("(a + b) ^ 3", "power(a + b, 3.0)"),
        ("a ^ 2.5", "power(a, 2.5)"),
        ("a ^ b", "power(a, b)"),
        ("abs(a) + ln(b)", "fabs(a) + log(b)"),
    ],
)
def test_forms(text, printed):
    assert PRINTER.expression(parse(text)) == printed


def test_negative_literals_stand_in_parentheses():
    assert PRINTER.expression(Op("-", (Sym("a"), Num(-2.0)))) == "a - (-2.0)"


def test_conditional_values_become_statements():
    inner = Cases(((Op(">", (Sym("a"), Num(0.0))), Num(1.0)),), Num(2.0))
    assert PRINTER.assignments("x", inner) == (
        Choose((("a > 0.0", (Assign("x", "1.0"),)), ("", (Assign("x", "2.0"),)))),
    )
    printer = Printer(NMODL, {"a": "a", "b": "b"})
    text = list(lines(printer.assignments("x", Op("*", (Sym("b"), inner)))))
    assert text[-1] == "x = b * choice1"
    assert text[0] == "if (a > 0.0) {"
    assert printer.temporaries == ["choice1"]


def test_a_slot_never_reaches_the_text():
    with pytest.raises(AssertionError):
        PRINTER.expression(SlotRef(0))


def test_unknown_function_is_an_error():
    with pytest.raises(BackendError) as caught:
        PRINTER.expression(Call("random", (Num(1.0),)))
    assert caught.value.issues[0].code == "B021"


def test_long_lines_are_broken_after_operators_only():
    line = "    x = " + " + ".join(f"variable_{k}" for k in range(60))
    rows = wrapped(line).splitlines()
    assert max(map(len, rows)) < 130
    assert all(row.rstrip().endswith("+") for row in rows[:-1])
    assert " ".join(rows).split() == line.split()


def test_templates_refuse_bare_floats_and_missing_names(tmp_path):
    (tmp_path / "t.j2").write_text("{{ x }}")
    template = environment(tmp_path).get_template("t.j2")
    assert template.render(x="1.0") == "1.0"
    with pytest.raises(TypeError):
        template.render(x=1.0)
    with pytest.raises(Exception, match="undefined"):
        template.render()
