"""Conditions and regimes of a component: what happens when a test holds after a step."""

from __future__ import annotations

from typing import Protocol

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.equations import Equations
from nmlopt.ir.model import Condition, Regime
from nmlopt.lems.expression import Expr
from nmlopt.lems.resolve import Instance
from nmlopt.lems.types import place

UNSUPPORTED = frozenset({"StateScalarField", "DerivedScalarField", "DerivedPunctateField"})


class Scope(Protocol):
    """What events need of the flattener."""

    equations: Equations

    def expression(self, instance: Instance, item: Element, attribute: str) -> Expr:
        """An expression attribute with its names resolved."""

    def name_of_state(self, instance: Instance, variable: str, item: Element) -> str:
        """The name of an assigned state."""


def collect_events(scope: Scope, instance: Instance) -> None:
    """Add the conditions and regimes of one instance (`OnEvent` is left out: nothing sends events to a single cell).

    Raises LemsError I013 for regimes in a child and for fields.
    """
    dynamics = instance.type.dynamics
    for item in dynamics.children if dynamics is not None else ():
        if item.tag == "OnCondition":
            _condition(scope, instance, item, "")
        elif item.tag == "Regime":
            _regime(scope, instance, item)
        elif item.tag in UNSUPPORTED:
            raise LemsError(Issue("I013", f"<{item.tag}> is not supported", place(item)))


def _condition(scope: Scope, instance: Instance, item: Element, regime: str) -> None:
    onward = [e.attributes.get("regime", "") for e in item.children if e.tag == "Transition"]
    scope.equations.conditions.append(
        Condition(
            test=scope.expression(instance, item, "test"),
            assignments=_assignments(scope, instance, item),
            emits_spike=any(e.tag == "EventOut" for e in item.children),
            regime=regime,
            next_regime=onward[0] if onward else "",
        )
    )


def _regime(scope: Scope, instance: Instance, item: Element) -> None:
    if instance.parent is not None:
        message = f"regimes inside a cell's child ({instance.type.name}) are not supported"
        raise LemsError(Issue("I013", message, place(item)))
    name = item.attributes.get("name", "")
    derivatives: list[tuple[str, Expr]] = []
    on_entry: list[tuple[str, Expr]] = []
    for part in item.children:
        if part.tag == "TimeDerivative":
            state = scope.name_of_state(instance, part.attributes.get("variable", ""), part)
            derivatives.append((state, scope.expression(instance, part, "value")))
        elif part.tag == "OnEntry":
            on_entry.extend(_assignments(scope, instance, part))
        elif part.tag == "OnCondition":
            _condition(scope, instance, part, name)
        elif part.tag != "OnEvent":
            raise LemsError(Issue("I013", f"<{part.tag}> in a regime is not supported", place(part)))
    is_initial = item.attributes.get("initial") == "true"
    scope.equations.regimes.append(Regime(name, is_initial, tuple(derivatives), tuple(on_entry)))


def _assignments(scope: Scope, instance: Instance, item: Element) -> tuple[tuple[str, Expr], ...]:
    return tuple(
        (
            scope.name_of_state(instance, e.attributes.get("variable", ""), e),
            scope.expression(instance, e, "value"),
        )
        for e in item.children
        if e.tag == "StateAssignment"
    )
