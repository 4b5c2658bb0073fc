"""Conditions and regimes of a component: what happens when a test holds after a step."""

from __future__ import annotations

from typing import Protocol

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.model import Condition, Regime
from nmlopt.lems.expression import Expr
from nmlopt.lems.resolve import Instance
from nmlopt.lems.types import place

UNSUPPORTED = {
    "OnEvent": None,  # nothing sends events to a single cell
    "StateScalarField": "fields",
    "DerivedScalarField": "fields",
    "DerivedPunctateField": "fields",
}


class Equations(Protocol):
    """What events need of the flattener."""

    def expression(self, instance: Instance, item: Element, attribute: str) -> Expr:
        """An expression attribute with its names resolved."""

    def name_of_state(self, instance: Instance, variable: str, item: Element) -> str:
        """The name of an assigned state."""


class Events:
    """Collects the conditions and regimes of the instances of one flattened component."""

    def __init__(self, equations: Equations) -> None:
        self._equations = equations
        self.conditions: list[Condition] = []
        self.regimes: list[Regime] = []

    def collect(self, instance: Instance) -> None:
        """Add those of one instance. Raises LemsError (I013: regimes in a child, fields)."""
        dynamics = instance.type.dynamics
        for item in dynamics.children if dynamics is not None else ():
            if item.tag == "OnCondition":
                self._condition(instance, item, "")
            elif item.tag == "Regime":
                self._regime(instance, item)
            elif UNSUPPORTED.get(item.tag):
                raise LemsError(Issue("I013", f"{UNSUPPORTED[item.tag]} are not supported", place(item)))

    def _condition(self, instance: Instance, item: Element, regime: str) -> None:
        onward = [e.attributes.get("regime", "") for e in item.children if e.tag == "Transition"]
        self.conditions.append(
            Condition(
                test=self._equations.expression(instance, item, "test"),
                assignments=self._assignments(instance, item),
                emits_spike=any(e.tag == "EventOut" for e in item.children),
                regime=regime,
                next_regime=onward[0] if onward else "",
            )
        )

    def _regime(self, instance: Instance, item: Element) -> None:
        if instance.parent is not None:
            message = f"regimes inside a cell's child ({instance.type.name}) are not supported"
            raise LemsError(Issue("I013", message, place(item)))
        name = item.attributes.get("name", "")
        derivatives: list[tuple[str, Expr]] = []
        on_entry: list[tuple[str, Expr]] = []
        for part in item.children:
            if part.tag == "TimeDerivative":
                state = self._equations.name_of_state(instance, part.attributes.get("variable", ""), part)
                derivatives.append((state, self._equations.expression(instance, part, "value")))
            elif part.tag == "OnEntry":
                on_entry.extend(self._assignments(instance, part))
            elif part.tag == "OnCondition":
                self._condition(instance, part, name)
            elif part.tag != "OnEvent":
                raise LemsError(Issue("I013", f"<{part.tag}> in a regime is not supported", place(part)))
        is_initial = item.attributes.get("initial") == "true"
        self.regimes.append(Regime(name, is_initial, tuple(derivatives), tuple(on_entry)))

    def _assignments(self, instance: Instance, item: Element) -> tuple[tuple[str, Expr], ...]:
        return tuple(
            (
                self._equations.name_of_state(instance, e.attributes.get("variable", ""), e),
                self._equations.expression(instance, e, "value"),
            )
            for e in item.children
            if e.tag == "StateAssignment"
        )
