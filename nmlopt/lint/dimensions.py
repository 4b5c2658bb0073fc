"""Dimensional analysis of LEMS expressions, in the SI exponents of the names that they read.

A dimension is None where it cannot be told; nothing is said about what depends on it. The number 0 fits everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from nmlopt.lems.expression import Call, Cases, Expr, Num, Op, Sym
from nmlopt.units import NO_DIMENSION, Exponents, UnitTable

Dimension: TypeAlias = Exponents | None

_KEEPS: Final = frozenset({"abs", "ceil", "random"})
_VERBS: Final = {"+": "adds", "-": "subtracts"}


class Analysis:
    """Finds the dimension of expressions; `faults` says what does not fit, the innermost first."""

    def __init__(self, names: Mapping[str, Dimension], units: UnitTable) -> None:
        self._names = names
        self._units = units
        self.faults: list[str] = []

    def dimension(self, expr: Expr) -> Dimension:
        """The dimension of an expression."""
        match expr:
            case Num(value):
                return NO_DIMENSION if value else None
            case Sym(name):
                return self._names.get(name)
            case Op(op, args):
                return self._operator(op, args)
            case Call(function, args):
                return self._call(function, args)
            case Cases(_, default):
                return self.dimension(default)
        return None

    def name(self, dimension: Dimension) -> str:
        """A dimension for people: 'a voltage', 'a plain number'."""
        if dimension is None:
            return "something"
        name = self._units.dimension_name(dimension)
        if name == "none":
            return "a plain number"
        if name.startswith("("):
            return f"a quantity in {_in_units(dimension)}"
        return f"{'an' if name[0] in 'aeio' else 'a'} {name}"

    def _operator(self, op: str, args: tuple[Expr, ...]) -> Dimension:
        if op == "neg":
            return self.dimension(args[0])
        if op in ("not", "and", "or"):
            for arg in args:
                self.dimension(arg)
            return NO_DIMENSION
        left, right = self.dimension(args[0]), self.dimension(args[1])
        if op in ("*", "/"):
            return _combined(left, right, 1 if op == "*" else -1)
        if op == "^":
            return self._power(left, right, args[1])
        if left is not None and right is not None and left != right:
            verb = _VERBS.get(op, "compares")
            self.faults.append(f"{verb} {self.name(left)} and {self.name(right)}")
            return None if op in _VERBS else NO_DIMENSION
        if op in _VERBS:
            return right if left is None else left
        return NO_DIMENSION

    def _power(self, base: Dimension, exponent: Dimension, number: Expr) -> Dimension:
        if exponent not in (None, NO_DIMENSION):
            self.faults.append(f"raises to the power of {self.name(exponent)}")
            return None
        if base is None or base == NO_DIMENSION:
            return base
        value = _literal(number)
        if value is None:
            self.faults.append(f"raises {self.name(base)} to a power that is no fixed number")
            return None
        return _scaled(base, value)

    def _call(self, function: str, args: tuple[Expr, ...]) -> Dimension:
        found = self.dimension(args[0]) if args else None
        if function in _KEEPS:
            return found
        if function == "sqrt":
            return None if found is None else _scaled(found, 0.5)
        if function != "H" and found not in (None, NO_DIMENSION):
            self.faults.append(f"takes {function} of {self.name(found)}")
        return NO_DIMENSION


def _literal(expr: Expr) -> float | None:
    match expr:
        case Num(value):
            return value
        case Op("neg", (Num(value),)):
            return -value
    return None


def _combined(left: Dimension, right: Dimension, sign: int) -> Dimension:
    if left is None or right is None:
        return None
    m, l, t, i, k, n, j = (a + sign * b for a, b in zip(left, right, strict=True))  # noqa: E741 - SI letters of LEMS
    return (m, l, t, i, k, n, j)


def _scaled(base: Exponents, factor: float) -> Dimension:
    powers = [p * factor for p in base]
    if any(p != round(p) or abs(p) > 100 for p in powers):
        return None
    m, l, t, i, k, n, j = (round(p) for p in powers)  # noqa: E741 - as above
    return (m, l, t, i, k, n, j)


def _in_units(dimension: Exponents) -> str:
    symbols = zip(("kg", "m", "s", "A", "K", "mol", "cd"), dimension, strict=True)
    return " ".join(s if p == 1 else f"{s}^{p}" for s, p in symbols if p)
