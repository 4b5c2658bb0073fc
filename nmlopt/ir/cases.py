"""Conditional derived variables: which case holds, and where a case may be missing."""

from __future__ import annotations

from typing import Protocol

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.coverage import is_covered
from nmlopt.ir.equations import Equations
from nmlopt.ir.flat import EMPTY_SUM, Structural
from nmlopt.ir.numbers import Numbers
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Cases, Expr, Op
from nmlopt.lems.resolve import Instance
from nmlopt.lems.trees import slots
from nmlopt.lems.types import place

CASE_BOUNDARY = (
    "other cases rely on it to leave no gap (with a <Case> without a condition as the last it could be fitted)"
)


class Scope(Protocol):
    """What cases need of the flattener."""

    equations: Equations
    numbers: Numbers

    def expression(self, instance: Instance, item: Element, attribute: str) -> Expr:
        """An expression attribute with its names resolved."""


def conditional(scope: Scope, instance: Instance, item: Element) -> Expr:
    """The value of a `<ConditionalDerivedVariable>`: its first true case. Raises LemsError I011."""
    cases: list[tuple[Expr, Expr]] = []
    default: Expr | None = None
    for case in item.children:
        if case.tag != "Case":
            continue
        value = scope.expression(instance, case, "value")
        test = scope.expression(instance, case, "condition") if "condition" in case.attributes else None
        decided = True if test is None else _decided(test)
        if decided:
            default = value
            break
        if decided is None and test is not None:
            cases.append((test, value))
    if default is None:
        default = _last_case(scope, item, cases)
    return Cases(tuple(cases), default) if cases else default


def _last_case(scope: Scope, item: Element, cases: list[tuple[Expr, Expr]]) -> Expr:
    """The value where no case but the last holds, which is taken out of `cases`.

    Where it depends on numbers alone whether any holds, one may be missing: jLEMS gives 0 then.
    """
    tests = [test for test, _ in cases]
    if not is_covered(tests):
        if all(scope.equations.is_constant(test) for test in tests):
            return EMPTY_SUM
        _check_covered(scope.numbers, item, tests)
    return cases.pop()[1]


def _check_covered(numbers: Numbers, item: Element, tests: list[Expr]) -> None:
    """Refuse cases without a default that leave a gap, and slots that could open one."""
    if not is_covered([numbers.with_defaults(test) for test in tests]):
        message = f"the cases of '{item.attributes.get('name')}' may all be false, and it has no default"
        raise LemsError(Issue("I011", message, place(item), "add a <Case> without a condition"))
    for slot in frozenset().union(*(slots(test) for test in tests)):
        numbers.structural[slot] = CASE_BOUNDARY


def _decided(test: Expr) -> bool | None:
    """What a comparison of structural numbers gives (a concentration that no pool holds is such a 0); else None."""
    if isinstance(test, Op) and all(isinstance(arg, Structural) for arg in test.args):
        return bool(evaluate(test))
    return None
