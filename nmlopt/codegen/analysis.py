"""What a code generator must know of a system of equations: who needs whom, and what is linear in what.

Decisions here never look at the value of a number, nor at whether it is a literal or a parameter: a program with a
slot and one without must compute the same operations (DESIGN §1.2).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from nmlopt.ir.model import Assigned
from nmlopt.lems.expression import Cases, Expr, Num, Op, Sym
from nmlopt.lems.trees import names


@dataclass(frozen=True)
class Definitions:
    """The assigned variables of a system, in their order of computation."""

    assigned: tuple[Assigned, ...]

    def value(self, name: str) -> Expr | None:
        """The expression of an assigned variable, None for any other name."""
        return self._table.get(name)

    @property
    def _table(self) -> Mapping[str, Expr]:
        return {a.name: a.value for a in self.assigned}

    def closure(self, roots: Iterable[str]) -> frozenset[str]:
        """All names that the given ones rest on, through assigned variables; the given ones included."""
        table = self._table
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                if name in table:
                    waiting.extend(names(table[name]))
        return frozenset(found)

    def needed(self, expressions: Iterable[Expr], *, known: Collection[str] = ()) -> tuple[Assigned, ...]:
        """The assigned variables to compute before `expressions` can be, in order; `known` are at hand already."""
        table = {name: value for name, value in self._table.items() if name not in known}
        found: set[str] = set()
        waiting = [s for e in expressions for s in names(e)]
        while waiting:
            name = waiting.pop()
            if name in table and name not in found:
                found.add(name)
                waiting.extend(names(table[name]))
        return tuple(a for a in self.assigned if a.name in found)

    def rests_on(self, expr: Expr, roots: Collection[str]) -> bool:
        """Whether the value of `expr` depends on any of `roots`."""
        return not self.closure(names(expr)).isdisjoint(roots)


def ordered(results: Iterable[str], table: Mapping[str, Expr]) -> list[str]:
    """The names of the table that the results rest on, each after those that it rests on itself."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in table and name not in done:
            for used in sorted(names(table[name])):
                visit(used)
            done[name] = None

    for result in results:
        visit(result)
    return list(done)


@dataclass(frozen=True, slots=True)
class Linear:
    """constant + slope * x; None stands for a zero or a one that is so by form, not by value."""

    constant: Expr | None
    slope: Expr | None
    slope_is_one: bool = False


def linear(expr: Expr, x: str, definitions: Definitions) -> Linear | None:
    """`expr` as constant + slope * x with both free of x, seen through assigned variables; None if it is not so."""
    if not definitions.rests_on(expr, {x}):
        return Linear(expr, None)
    match expr:
        case Sym(name) if name == x:
            return Linear(None, None, slope_is_one=True)
        case Sym(name):
            value = definitions.value(name)
            return None if value is None else linear(value, x, definitions)
        case Op("neg", (one,)):
            inner = linear(one, x, definitions)
            return None if inner is None else _map(inner, _negative)
        case Op("+" | "-" as op, (left, right)):
            return _sum(linear(left, x, definitions), linear(right, x, definitions), op)
        case Op("*", (left, right)):
            return _product(left, right, x, definitions)
        case Op("/", (left, right)) if not definitions.rests_on(right, {x}):
            inner = linear(left, x, definitions)
            return None if inner is None else _map(inner, lambda e: Op("/", (e, right)))
        case Cases():
            return _choice(expr, x, definitions)
    return None


def slope(form: Linear) -> Expr | None:
    """The slope as an expression; None if it is zero by form."""
    return ONE if form.slope_is_one else form.slope


_Change = Callable[[Expr], Expr]
ONE = Num(1.0)
MINUS_ONE = Op("neg", (ONE,))
ZERO = Num(0.0)


def _negative(expr: Expr) -> Expr:
    return Op("neg", (expr,))


def _map(form: Linear, change: _Change) -> Linear:
    whole = slope(form)
    return Linear(
        None if form.constant is None else change(form.constant),
        None if whole is None else change(whole),
    )


def _sum(left: Linear | None, right: Linear | None, op: str) -> Linear | None:
    if left is None or right is None:
        return None
    return Linear(_join(left.constant, right.constant, op), _join(slope(left), slope(right), op))


def _join(left: Expr | None, right: Expr | None, op: str) -> Expr | None:
    if right is None:
        return left
    if left is None:
        return right if op == "+" else _negative(right)
    return Op(op, (left, right))


def _product(left: Expr, right: Expr, x: str, definitions: Definitions) -> Linear | None:
    if not definitions.rests_on(left, {x}):
        inner = linear(right, x, definitions)
        return None if inner is None else _times(inner, lambda e: Op("*", (left, e)), left)
    if not definitions.rests_on(right, {x}):
        inner = linear(left, x, definitions)
        return None if inner is None else _times(inner, lambda e: Op("*", (e, right)), right)
    return None


def _times(form: Linear, change: _Change, factor: Expr) -> Linear:
    constant = None if form.constant is None else change(form.constant)
    if form.slope_is_one:
        return Linear(constant, factor)
    if form.slope == MINUS_ONE:
        return Linear(constant, _negative(factor))
    return Linear(constant, None if form.slope is None else change(form.slope))


def _choice(expr: Cases, x: str, definitions: Definitions) -> Linear | None:
    forms = [linear(value, x, definitions) for _, value in expr.cases]
    default = linear(expr.default, x, definitions)
    if default is None or any(definitions.rests_on(test, {x}) for test, _ in expr.cases):
        return None
    constants: list[tuple[Expr, Expr]] = []
    slopes: list[tuple[Expr, Expr]] = []
    for (test, _), form in zip(expr.cases, forms, strict=True):
        if form is None:
            return None
        constants.append((test, form.constant or ZERO))
        slopes.append((test, slope(form) or ZERO))
    return Linear(Cases(tuple(constants), default.constant or ZERO), Cases(tuple(slopes), slope(default) or ZERO))
