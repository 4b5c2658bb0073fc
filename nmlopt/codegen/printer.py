"""Expression trees as text: one printer, a dialect for each language.

The text computes the tree's operations in the tree's order: parentheses stand where the language would regroup.
Conditional values (`Cases`) are statements in most languages; `assignments` takes them out of the expressions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from nmlopt.codegen.templating import num
from nmlopt.errors import BackendError, Issue
from nmlopt.lems.expression import Call, Cases, Expr, Num, Op, SlotRef, Sym

MAX_UNROLLED_POWER = 8
_PRECEDENCE = {"or": 1, "and": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6}
_UNARY_PRECEDENCE = 7
_ATOM = 9


@dataclass(frozen=True, slots=True)
class Dialect:
    """The leaves of a language: operator symbols, names of functions, and which of these the text must define.

    `power` is the name of a function x^n that multiplies for whole n in 1..8 exactly as the unrolled product does.
    """

    operators: Mapping[str, str]
    functions: Mapping[str, str]
    power: str


@dataclass(frozen=True, slots=True)
class Assign:
    """One statement `name = text`."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Choose:
    """if / else if / else; each branch is (test, statements), the last test is ''."""

    branches: tuple[tuple[str, tuple[Statement, ...]], ...]


Statement = Assign | Choose


@dataclass
class Printer:
    """Prints expressions in one dialect with one table of names; hands out temporary names."""

    dialect: Dialect
    names: Mapping[str, str] = field(default_factory=dict)
    prefix: str = "choice"
    temporaries: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def expression(self, expr: Expr) -> str:
        """The text of an expression without `Cases`."""
        return self._print(expr)[0]

    def assignments(self, name: str, expr: Expr) -> tuple[Statement, ...]:
        """Statements that leave the value of `expr` in the variable `name` (already a name of the language)."""
        if isinstance(expr, Cases):
            before: list[Statement] = []
            branches = [
                (self.expression(self._without_cases(test, before)), self.assignments(name, value))
                for test, value in expr.cases
            ]
            branches.append(("", self.assignments(name, expr.default)))
            return (*before, Choose(tuple(branches)))
        before = []
        plain = self._without_cases(expr, before)
        return (*before, Assign(name, self.expression(plain)))

    def _without_cases(self, expr: Expr, before: list[Statement]) -> Expr:
        match expr:
            case Cases():
                name = f"{self.prefix}{next(self._numbers)}"
                self.temporaries.append(name)
                before.extend(self.assignments(name, expr))
                return Sym(_VERBATIM + name)
            case Op(op, args):
                return Op(op, tuple(self._without_cases(a, before) for a in args))
            case Call(function, args):
                return Call(function, tuple(self._without_cases(a, before) for a in args))
        return expr

    def _print(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case Num(value):
                text = num(value)
                return (f"({text})", _ATOM) if text.startswith("-") else (text, _ATOM)
            case Sym(name):
                return self._name(name), _ATOM
            case Op("^", (base, exponent)):
                return self._power(base, exponent)
            case Op(op, (one,)):
                return self.dialect.operators[op] + self._operand(one, _UNARY_PRECEDENCE + 1), _UNARY_PRECEDENCE
            case Op(op, (left, right)):
                rank = _PRECEDENCE[op]
                text = f"{self._operand(left, rank)} {self.dialect.operators[op]} {self._operand(right, rank + 1)}"
                return text, rank
            case Call(function, args):
                return self._call(function, args), _ATOM
            case SlotRef(index):
                raise AssertionError(f"slot {index} is not behind a parameter")
        raise AssertionError(f"not printable inside an expression: {expr!r}")

    def _name(self, name: str) -> str:
        if name.startswith(_VERBATIM):
            return name.removeprefix(_VERBATIM)
        return self.names[name]

    def _operand(self, expr: Expr, least: int) -> str:
        text, rank = self._print(expr)
        return text if rank >= least else f"({text})"

    def _call(self, function: str, args: tuple[Expr, ...]) -> str:
        if function not in self.dialect.functions:
            raise BackendError(Issue("B021", f"the function '{function}' is not supported by this backend"))
        return f"{self.dialect.functions[function]}({', '.join(self.expression(a) for a in args)})"

    def _power(self, base: Expr, exponent: Expr) -> tuple[str, int]:
        """x^3 of a name is a product, anything else a call whose whole powers multiply alike.

        A power must not depend, bit for bit, on whether its exponent is a literal or a slot.
        """
        if is_product(base, exponent) and isinstance(base, Sym) and isinstance(exponent, Num):
            factors = [self._name(base.name)] * int(exponent.value)
            return " * ".join(factors), _ATOM if len(factors) == 1 else _PRECEDENCE["*"]
        return f"{self.dialect.power}({self.expression(base)}, {self.expression(exponent)})", _ATOM


def is_product(base: Expr, exponent: Expr) -> bool:
    """Whether base ^ exponent is printed as a product."""
    small = isinstance(exponent, Num) and exponent.value in range(1, MAX_UNROLLED_POWER + 1)
    return small and isinstance(base, Sym)


_VERBATIM = "\0"


def lines(statements: tuple[Statement, ...], indent: str = "") -> Iterator[str]:
    """The statements as lines of a language with braces and newlines (C, NMODL)."""
    for statement in statements:
        match statement:
            case Assign(name, text):
                yield f"{indent}{name} = {text}"
            case Choose(branches):
                for position, (test, body) in enumerate(branches):
                    head = "if" if position == 0 else "} else if"
                    yield f"{indent}{head} ({test}) {{" if test else f"{indent}}} else {{"
                    yield from lines(body, indent + "    ")
                yield f"{indent}}}"
