"""Kinetic schemes: states whose occupancies flow into each other."""

from __future__ import annotations

from typing import Protocol

from nmlopt.document.model import Element
from nmlopt.ir.equations import Equations
from nmlopt.ir.model import KineticScheme, Transition
from nmlopt.lems.expression import Expr
from nmlopt.lems.resolve import Instance


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
    states = {
        node.element: scope.name_of_state(node, row["stateVariable"], item)
        for node in scope.children(instance, row["nodes"], item)
    }
    transitions = []
    for edge in scope.children(instance, row["edges"], item):
        (source,) = scope.children(edge, row["edgeSource"], item)
        (target,) = scope.children(edge, row["edgeTarget"], item)
        forward, reverse = scope.value(edge, row["forwardRate"]), scope.value(edge, row["reverseRate"])
        transitions.append(Transition(states[source.element], states[target.element], forward, reverse))
    return KineticScheme(tuple(states.values()), tuple(transitions))
