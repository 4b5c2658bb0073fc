"""Conditions and regimes of a component: what happens when a test holds after a step."""

from __future__ import annotations

from typing import Protocol

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.equations import Equations
from nmlopt.ir.model import Condition, Regime
from nmlopt.ir.modes import assignments, collect_modes
from nmlopt.lems.expression import Expr, Sym
from nmlopt.lems.resolve import Instance
from nmlopt.lems.types import place

ELSEWHERE = frozenset(
    (
        *("StateVariable", "DerivedVariable", "ConditionalDerivedVariable", "TimeDerivative"),
        *("OnStart", "OnEvent", "KineticScheme"),
    )
)
"""Elements of a Dynamics that others look after."""


class Scope(Protocol):
    """What events need of the flattener."""

    equations: Equations
    modes: dict[Instance, Sym]
    modal: Instance | None

    def expression(self, instance: Instance, item: Element, attribute: str) -> Expr:
        """An expression attribute with its names resolved."""

    def name_of_state(self, instance: Instance, variable: str, item: Element) -> str:
        """The name of an assigned state."""


def collect_events(scope: Scope, instance: Instance) -> None:
    """Add the conditions and regimes of one instance (`OnEvent` is left out: nothing sends events to a single cell).

    Regimes are those of a whole cell; others are modes by now. Raises LemsError I013 for what is not supported.
    """
    dynamics = instance.type.dynamics
    for item in dynamics.children if dynamics is not None else ():
        if item.tag == "OnCondition":
            _condition(scope, instance, item, "")
        elif item.tag == "Regime":
            if instance is scope.modal:
                _regime(scope, instance, item)
        elif item.tag not in ELSEWHERE:
            raise LemsError(Issue("I013", f"<{item.tag}> in Dynamics is not supported", place(item)))
    if instance is not scope.modal:
        collect_modes(scope, instance)


def _condition(scope: Scope, instance: Instance, item: Element, regime: str) -> None:
    onward = [e.attributes.get("regime", "") for e in item.children if e.tag == "Transition"]
    scope.equations.conditions.append(
        Condition(
            test=scope.expression(instance, item, "test"),
            assignments=assignments(scope, instance, item),
            emits_spike=any(e.tag == "EventOut" for e in item.children),
            regime=regime,
            next_regime=onward[0] if onward else "",
        )
    )


def _regime(scope: Scope, instance: Instance, item: Element) -> None:
    name = item.attributes.get("name", "")
    derivatives: list[tuple[str, Expr]] = []
    on_entry: list[tuple[str, Expr]] = []
    for part in item.children:
        if part.tag == "TimeDerivative":
            state = scope.name_of_state(instance, part.attributes.get("variable", ""), part)
            derivatives.append((state, scope.expression(instance, part, "value")))
        elif part.tag == "OnEntry":
            on_entry.extend(assignments(scope, instance, part))
        elif part.tag == "OnCondition":
            _condition(scope, instance, part, name)
        elif part.tag != "OnEvent":
            raise LemsError(Issue("I013", f"<{part.tag}> in a regime is not supported", place(part)))
    is_initial = item.attributes.get("initial") == "true"
    scope.equations.regimes.append(Regime(name, is_initial, tuple(derivatives), tuple(on_entry)))
