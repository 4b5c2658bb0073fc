"""Expression trees of LEMS, in SI: the one form in which an equation travels from the document to a simulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Num:
    """A literal number in SI."""

    value: float


@dataclass(frozen=True, slots=True)
class Sym:
    """A named value: a state, an assigned variable, a parameter or an input such as `v`."""

    name: str


@dataclass(frozen=True, slots=True)
class SlotRef:
    """The SI value of slot `index`: a number of the document that takes another value per candidate."""

    index: int


@dataclass(frozen=True, slots=True)
class Op:
    """An operator on expressions.

    `op` is one of + - * / ^ (two arguments), neg not (one), < > <= >= == != and or (two; truth value).
    """

    op: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of LEMS (sin cos tan sinh cosh tanh exp sqrt ceil log abs H random factorial) or of ours.

    `log` is the natural logarithm (`ln` is read as `log`); H(0) = 0.5. Ours: `exprelr(x)` = x / (1 - exp(-x)), 1 at 0.
    """

    function: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """The value of the first true case, else `default` (a ConditionalDerivedVariable)."""

    cases: tuple[tuple[Expr, Expr], ...]
    default: Expr


Expr: TypeAlias = Num | Sym | SlotRef | Op | Call | Cases
