"""Rewrites of flattened equations into forms that are equal in exact arithmetic, but finite or faster.

They match names and structural numbers only (never a number of the document), so that the outcome does not depend on
values or on which numbers are slots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from nmlopt.ir.flat import Definition, Flat, Structural
from nmlopt.ir.model import State
from nmlopt.ir.simplify import simplified
from nmlopt.lems.expression import Call, Cases, Expr, Op, Sym
from nmlopt.lems.trees import rebuild

_Table = dict[str, Definition]


def guard_singularities(flat: Flat) -> Flat:
    """a x / (1 - exp(-x)) -> a exprelr(x), wherever its 0/0 is (HHExpLinearRate, GHK; reference formula: its limit).

    A ConditionalDerivedVariable that only tests `x == 0` to state that limit becomes the guarded form as well.
    """
    table = {d.name: d for d in flat.definitions}
    changed = tuple(replace(d, value=_guarded(d.value, table)) if d.is_core else d for d in flat.definitions)
    return replace(flat, definitions=changed)


def _guarded(expr: Expr, table: _Table) -> Expr:
    expr = rebuild(expr, lambda part: _guarded(part, table))
    if isinstance(expr, Cases):
        return _without_limit_case(expr)
    if not isinstance(expr, Op) or expr.op != "/":
        return expr
    form = _exponential_difference(expr.args[1], table)
    if form is None:
        return expr
    outer, exponent = form
    sign, terms = _factors(expr.args[0])
    reading = next((r for r in _readings(exponent) if _without(terms, r[1]) is not None), None)
    if reading is None:
        return expr
    inner, factors, divisors = reading
    rest = _without(terms, factors) or []
    # With w = the unsigned exponent: w/(1-exp(-w)) = exprelr(w), w/(1-exp(w)) = -exprelr(-w), and so for exp(..)-1.
    ratio = _product(factors)
    for divisor in divisors:
        ratio = Op("/", (ratio, divisor))
    scale = _product([*rest, *divisors])
    scale = scale if sign * outer * inner == -1 else Op("neg", (scale,))
    argument = ratio if inner == -1 else Op("neg", (ratio,))
    return simplified(Op("*", (scale, Call("exprelr", (argument,)))))


def _exponential_difference(expr: Expr, table: _Table) -> tuple[int, Expr] | None:
    """(1, e) if `expr` is 1 - exp(e), (-1, e) if it is exp(e) - 1; the exponential may have a name."""
    if not isinstance(expr, Op) or expr.op != "-":
        return None
    left, right = expr.args
    for sign, one, inner in ((1, left, right), (-1, right, left)):
        named = table.get(inner.name) if isinstance(inner, Sym) else None
        power = named.value if named is not None and named.is_core else inner
        if _is(one, 1.0) and isinstance(power, Call) and power.function == "exp":
            return sign, power.args[0]
    return None


def _without(terms: Sequence[Expr], factors: Sequence[Expr]) -> list[Expr] | None:
    """The terms but the factors; None if some factor is not among them."""
    rest = list(terms)
    for factor in factors:
        if factor not in rest:
            return None
        rest.remove(factor)
    return rest


def _readings(exponent: Expr) -> Iterator[tuple[int, list[Expr], list[Expr]]]:
    """An exponent as one signed term, and as a ratio."""
    whole = exponent.args[0] if isinstance(exponent, Op) and exponent.op == "neg" else exponent
    yield (1 if whole is exponent else -1), [whole], []
    yield _ratio(exponent)


def _ratio(expr: Expr) -> tuple[int, list[Expr], list[Expr]]:
    """Sign, factors and divisors of an exponent."""
    match expr:
        case Op("/", (top, divisor)):
            sign, factors, divisors = _ratio(top)
            return sign, factors, [*divisors, divisor]
    sign, terms = _factors(expr)
    return sign, list(terms), []


def _factors(expr: Expr) -> tuple[int, tuple[Expr, ...]]:
    """Sign and factors of a product of names and expressions; structural -1 and 1 go into the sign."""
    match expr:
        case Op("*", (left, right)):
            (left_sign, first), (right_sign, second) = _factors(left), _factors(right)
            return left_sign * right_sign, first + second
        case Op("neg", (one,)):
            sign, factors = _factors(one)
            return -sign, factors
        case Structural(value) if abs(value) == 1.0:
            return int(value), ()
    return 1, (expr,)


def _product(factors: list[Expr]) -> Expr:
    result: Expr = Structural(1.0)
    for factor in factors:
        result = simplified(Op("*", (result, factor)))
    return result


def _without_limit_case(expr: Cases) -> Expr:
    """`x != 0: a exprelr(x); else a` is a exprelr(x)."""
    if len(expr.cases) != 1:
        return expr
    (test, value), default = expr.cases[0], expr.default
    if not (isinstance(test, Op) and test.op == "!=" and _is(test.args[1], 0.0)):
        return expr
    _, factors = _factors(value)
    smooth = Call("exprelr", (test.args[0],))
    return value if smooth in factors and _factors(default)[1] == tuple(f for f in factors if f != smooth) else expr


def rates_form(flat: Flat) -> Flat:
    """Gates with inf = a/(a+b) and tau = 1/((a+b) s): the derivative becomes s (a (1 - q) - b q).

    It spares two divisions per step (gateHHrates); the initial value stays a/(a+b).
    """
    table = {d.name: d for d in flat.definitions if d.is_core}
    states = tuple(_in_rates(s, table) if s.name in flat.core_states else s for s in flat.states)
    return replace(flat, states=states)


def _in_rates(state: State, table: _Table) -> State:
    match state.derivative:
        case Op("/", (Op("-", (Sym(inf), Sym(q))), Sym(tau))) if q == state.name and inf in table and tau in table:
            pass
        case _:
            return state
    match table[inf].value, table[tau].value:
        case Op("/", (a, Op("+", (a2, b)) as total)), Op("/", (Structural(1.0), scaled)) if a == a2:
            pass
        case _:
            return state
    flow: Expr = Op("-", (Op("*", (a, Op("-", (Structural(1.0), Sym(q))))), Op("*", (b, Sym(q)))))
    if scaled == total:
        return replace(state, derivative=flow)
    if isinstance(scaled, Op) and scaled.op == "*" and scaled.args[0] == total:
        return replace(state, derivative=Op("*", (scaled.args[1], flow)))
    return state


def _is(expr: Expr, value: float) -> bool:
    return isinstance(expr, Structural) and expr.value == value
