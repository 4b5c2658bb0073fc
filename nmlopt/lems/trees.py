"""Walks over expression trees: leaves, substitution, rebuilding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from nmlopt.lems.expression import Call, Cases, Expr, Num, Op, SlotRef, Sym


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The direct subexpressions, in order."""
    match expr:
        case Op(_, args) | Call(_, args):
            return args
        case Cases(cases, default):
            return (*(e for case in cases for e in case), default)
    return ()


def rebuild(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The same node with `change` applied to its direct subexpressions; the same object if nothing changed."""
    old = parts(expr)
    new = tuple(change(part) for part in old)
    if all(a is b for a, b in zip(old, new, strict=True)):
        return expr
    match expr:
        case Op(op, _):
            return Op(op, new)
        case Call(function, _):
            return Call(function, new)
        case _:
            pairs = tuple(zip(new[:-1:2], new[1:-1:2], strict=True))
            return Cases(pairs, new[-1])


def leaves(expr: Expr) -> Iterator[Num | Sym | SlotRef]:
    """All leaves, left to right."""
    if isinstance(expr, Num | Sym | SlotRef):
        yield expr
        return
    for part in parts(expr):
        yield from leaves(part)


def names(expr: Expr) -> frozenset[str]:
    """The names that an expression reads."""
    return frozenset(leaf.name for leaf in leaves(expr) if isinstance(leaf, Sym))


def functions(expr: Expr) -> frozenset[str]:
    """The functions that an expression calls."""
    own = frozenset({expr.function}) if isinstance(expr, Call) else frozenset[str]()
    return own.union(*(functions(part) for part in parts(expr)))


def slots(expr: Expr) -> frozenset[int]:
    """The slots that an expression reads."""
    return frozenset(leaf.index for leaf in leaves(expr) if isinstance(leaf, SlotRef))


def substitute(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """`expr` with names replaced by what `values` holds for them (not repeated on the result)."""
    if isinstance(expr, Sym):
        return values.get(expr.name, expr)
    return rebuild(expr, lambda part: substitute(part, values))
