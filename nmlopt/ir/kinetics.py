"""Kinetic schemes: states whose occupancies flow into each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.equations import Equations
from nmlopt.ir.model import KineticScheme, Transition
from nmlopt.lems.expression import Expr
from nmlopt.lems.resolve import Instance
from nmlopt.lems.types import place

_ATTRIBUTES: Final = ("stateVariable", "nodes", "edges", "edgeSource", "edgeTarget", "forwardRate", "reverseRate")


class Scope(Protocol):
    """What schemes need of the flattener."""

    equations: Equations

    def value(self, instance: Instance, name: str) -> Expr:
        """What stands for a name."""

    def children(self, instance: Instance, name: str, item: Element) -> tuple[Instance, ...]:
        """The instances under a declared name."""

    def name_of_state(self, instance: Instance, variable: str, item: Element) -> str:
        """The name of a state."""


def collect_kinetics(scope: Scope, instance: Instance) -> None:
    """Add the kinetic schemes of one instance. Raises LemsError for nodes and edges that do not resolve."""
    dynamics = instance.type.dynamics
    for item in dynamics.children if dynamics is not None else ():
        if item.tag == "KineticScheme":
            scope.equations.kinetics.append(_scheme(scope, instance, item))


def _scheme(scope: Scope, instance: Instance, item: Element) -> KineticScheme:
    row = item.attributes
    for name in _ATTRIBUTES:
        if name not in row:
            raise LemsError(Issue("L030", f"<KineticScheme> has no attribute '{name}'", place(item), "give it a value"))
    states = {
        node.element: scope.name_of_state(node, row["stateVariable"], item)
        for node in scope.children(instance, row["nodes"], item)
    }
    transitions = []
    for edge in scope.children(instance, row["edges"], item):
        source = _end(scope, edge, row["edgeSource"], item, states)
        target = _end(scope, edge, row["edgeTarget"], item, states)
        forward, reverse = scope.value(edge, row["forwardRate"]), scope.value(edge, row["reverseRate"])
        transitions.append(Transition(source, target, forward, reverse))
    return KineticScheme(tuple(states.values()), tuple(transitions))


def _end(scope: Scope, edge: Instance, name: str, item: Element, states: Mapping[Element, str]) -> str:
    """The state at one end of an edge. Raises LemsError L014."""
    found = scope.children(edge, name, item)
    if len(found) != 1 or found[0].element not in states:
        wanted = edge.element.attributes.get(name, "")
        message = f"{name}='{wanted}' of <{edge.element.tag}> is no state of this kinetic scheme"
        raise LemsError(Issue("L014", message, place(edge.element), "name one of its open or closed states"))
    return states[found[0].element]
