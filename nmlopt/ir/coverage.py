"""Proves that at least one of the tests of a ConditionalDerivedVariable always holds (not-a-number aside)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product

from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Expr, Num, Op
from nmlopt.lems.trees import leaves, parts

MAX_ATOMS = 6
_HOLDS = {
    "<": (True, False, False),
    "<=": (True, True, False),
    "==": (False, True, False),
    "!=": (True, False, True),
    ">=": (False, True, True),
    ">": (False, False, True),
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_Atom = tuple[Expr, Expr]


def is_covered(tests: Sequence[Expr]) -> bool:
    """Whether every relation that the compared quantities can have to each other makes one test true.

    Two expressions are compared as trees; thresholds of one quantity are ordered if they are plain numbers.
    """
    atoms: list[_Atom] = []
    for test in tests:
        _collect(test, atoms)
    if not atoms or len(atoms) > MAX_ATOMS:
        return False
    for signs in product((0, 1, 2), repeat=len(atoms)):
        relation = dict(zip(atoms, signs, strict=True))
        if _is_possible(relation) and not any(_holds(test, relation) for test in tests):
            return False
    return True


def _collect(test: Expr, atoms: list[_Atom]) -> None:
    if isinstance(test, Op) and test.op in _HOLDS:
        if _key(test)[0] not in atoms:
            atoms.append(_key(test)[0])
        return
    for part in parts(test):
        _collect(part, atoms)


def _key(test: Op) -> tuple[_Atom, str]:
    """The compared pair in one fixed order, and the operator in that order."""
    left, right = test.args
    if repr(left) <= repr(right):
        return (left, right), test.op
    return (right, left), _MIRRORED[test.op]


def _holds(test: Expr, relation: dict[_Atom, int]) -> bool:
    if isinstance(test, Op):
        if test.op in _HOLDS:
            atom, op = _key(test)
            return _HOLDS[op][relation[atom]]
        if test.op == "not":
            return not _holds(test.args[0], relation)
        if test.op in ("and", "or"):
            results = [_holds(arg, relation) for arg in test.args]
            return all(results) if test.op == "and" else any(results)
    return False


def _is_possible(relation: dict[_Atom, int]) -> bool:
    """Whether relations of one quantity to several numbers fit the order of these numbers."""
    known: dict[Expr, list[tuple[float, int]]] = {}
    for (left, right), sign in relation.items():
        if _is_number(right) and not _is_number(left):
            known.setdefault(left, []).append((float(evaluate(right)), sign))
        elif _is_number(left) and not _is_number(right):
            known.setdefault(right, []).append((float(evaluate(left)), 2 - sign))
    return all(_in_order(sorted(pairs)) for pairs in known.values())


def _in_order(pairs: list[tuple[float, int]]) -> bool:
    """Whether relations (below 0, at 1, above 2) to thresholds in rising order fit each other."""
    for (low, first), (high, second) in pairwise(pairs):
        if first != second if low == high else first < 2 and second != 0:
            return False
    return True


def _is_number(expr: Expr) -> bool:
    return all(isinstance(leaf, Num) for leaf in leaves(expr))
