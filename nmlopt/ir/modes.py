"""Regimes as a state: a component that is in one of several modes, wherever it stands in a cell.

The mode is a number. What holds in one mode only is chosen by it, and a transition is an assignment to it; so nothing
after this needs to know of regimes. (A point cell's own regimes stay as they are: its integrator makes use of them.)
"""

from __future__ import annotations

from typing import Protocol

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.equations import Equations
from nmlopt.ir.flat import EMPTY_SUM, Structural
from nmlopt.ir.model import Condition, State
from nmlopt.lems.expression import Cases, Expr, Op, Sym
from nmlopt.lems.resolve import Instance
from nmlopt.lems.types import place

MODE = "regime"


class Scope(Protocol):
    """What modes need of the flattener."""

    equations: Equations
    modes: dict[Instance, Sym]

    def expression(self, instance: Instance, item: Element, attribute: str) -> Expr:
        """An expression attribute with its names resolved."""

    def name_of_state(self, instance: Instance, variable: str, item: Element) -> str:
        """The name of an assigned state."""


def regimes_of(instance: Instance) -> tuple[Element, ...]:
    """The regimes of a component, in their order."""
    dynamics = instance.type.dynamics
    return tuple(e for e in dynamics.children if e.tag == "Regime") if dynamics is not None else ()


def mode_of(scope: Scope, instance: Instance) -> Sym:
    """The state that holds the mode of a component."""
    if instance not in scope.modes:
        made = scope.equations.state(instance.path, MODE)
        first = next((k for k, r in enumerate(regimes_of(instance)) if r.attributes.get("initial") == "true"), 0)
        scope.equations.states[made.name] = State(made.name, Structural(float(first)), None)
        scope.modes[instance] = made
    return scope.modes[instance]


def derivative_by_mode(scope: Scope, instance: Instance, variable: str, otherwise: Expr | None) -> Expr | None:
    """The derivative of a state: of the regime that the component is in, else `otherwise`."""
    cases = tuple(
        (_is_in(mode_of(scope, instance), k), scope.expression(instance, item, "value"))
        for k, regime in enumerate(regimes_of(instance))
        for item in regime.children
        if item.tag == "TimeDerivative" and item.attributes.get("variable") == variable
    )
    return Cases(cases, otherwise or EMPTY_SUM) if cases else otherwise


def collect_modes(scope: Scope, instance: Instance) -> None:
    """Add what happens in the regimes of a component. Raises LemsError I013 for what a regime cannot hold here."""
    regimes = regimes_of(instance)
    names = [r.attributes.get("name", "") for r in regimes]
    for k, regime in enumerate(regimes):
        for item in regime.children:
            if item.tag == "OnCondition":
                _condition(scope, instance, item, k, dict(zip(names, regimes, strict=True)))
            elif item.tag not in ("TimeDerivative", "OnEntry", "OnEvent"):
                raise LemsError(Issue("I013", f"<{item.tag}> in a regime is not supported", place(item)))


def _condition(scope: Scope, instance: Instance, item: Element, k: int, regimes: dict[str, Element]) -> None:
    mode = mode_of(scope, instance)
    changes = list(assignments(scope, instance, item))
    for onward in (e for e in item.children if e.tag == "Transition"):
        name = onward.attributes.get("regime", "")
        if name not in regimes:
            raise LemsError(Issue("I014", f"there is no regime '{name}' in {instance.type.name}", place(onward)))
        for entry in (e for e in regimes[name].children if e.tag == "OnEntry"):
            changes.extend(assignments(scope, instance, entry))
        changes.append((mode.name, Structural(float(list(regimes).index(name)))))
    scope.equations.conditions.append(
        Condition(
            test=Op("and", (_is_in(mode, k), scope.expression(instance, item, "test"))),
            assignments=tuple(changes),
            emits_spike=any(e.tag == "EventOut" for e in item.children),
        )
    )


def assignments(scope: Scope, instance: Instance, item: Element) -> tuple[tuple[str, Expr], ...]:
    """The states that an element assigns, with their values."""
    return tuple(
        (
            scope.name_of_state(instance, e.attributes.get("variable", ""), e),
            scope.expression(instance, e, "value"),
        )
        for e in item.children
        if e.tag == "StateAssignment"
    )


def _is_in(mode: Sym, k: int) -> Expr:
    return Op("==", (mode, Structural(float(k))))
