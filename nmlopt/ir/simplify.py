"""Simplifies one node of an expression where structural numbers allow it.

Numbers of the document are never looked at: the shape of the equations must not depend on their values.
"""

from __future__ import annotations

from nmlopt.ir.flat import Structural
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Expr, Op, Sym

MAX_POWER = 12
_ARITHMETIC = frozenset("+-*/^") | {"neg"}


def simplified(expr: Expr) -> Expr:
    """`expr` or a shorter node of the same value; its arguments are simplified already."""
    if not isinstance(expr, Op) or expr.op not in _ARITHMETIC:
        return expr
    if all(isinstance(arg, Structural) for arg in expr.args):
        return Structural(float(evaluate(expr)))
    if expr.op == "neg":
        return expr
    left, right = expr.args
    match expr.op:
        case "+":
            return right if _is(left, 0.0) else left if _is(right, 0.0) else expr
        case "-":
            return Op("neg", (right,)) if _is(left, 0.0) else left if _is(right, 0.0) else expr
        case "*":
            if _is(left, 0.0) or _is(right, 0.0):
                return Structural(0.0)
            return right if _is(left, 1.0) else left if _is(right, 1.0) else expr
        case "/":
            return Structural(0.0) if _is(left, 0.0) else left if _is(right, 1.0) else expr
        case _:
            return _power(left, right, expr)


def _power(base: Expr, exponent: Expr, expr: Expr) -> Expr:
    """A small structural power of a name as a product, which compiled code does much faster than `pow`."""
    if _is(exponent, 1.0):
        return base
    if not isinstance(base, Sym) or not isinstance(exponent, Structural):
        return expr
    count = int(exponent.value)
    if count != exponent.value or not 2 <= count <= MAX_POWER:
        return expr
    product: Expr = base
    for _ in range(count - 1):
        product = Op("*", (product, base))
    return product


def _is(expr: Expr, value: float) -> bool:
    return isinstance(expr, Structural) and expr.value == value
