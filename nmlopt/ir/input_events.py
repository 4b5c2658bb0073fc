"""What happens in an input: its conditions, and what an incoming event does to it and to all that it hands it on to.

Only states that the current needs take part: the clock inside a component that makes its own spikes (a Poisson firing
synapse) is left out. Its spikes come from outside, as events at the port at which it emits them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.flatten import Flattener
from nmlopt.ir.model import Condition, OnEvent
from nmlopt.lems.expression import Expr
from nmlopt.lems.resolve import Instance
from nmlopt.lems.routes import Receiver, Routes
from nmlopt.lems.types import place

Assignments = tuple[tuple[str, Expr], ...]
_MAX_RELAYS = 100
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Firing:
    """A condition of a component that makes spikes: what it changes, and how many spikes leave the component."""

    test: Expr
    assignments: Assignments
    spikes: int


@dataclass
class InputEvents:
    """Collects the conditions and events of one input component. All raise LemsError (I013, L024, L025)."""

    flattener: Flattener
    routes: Routes
    root: Instance

    def collect(self) -> tuple[tuple[Condition, ...], tuple[OnEvent, ...]]:
        """Conditions, and events by port; the first port is the one at which events arrive."""
        tree = tuple(self.routes.tree(self.root))
        return self._settled(lambda: (self._conditions(tree), self._events(tree)))

    def firings(self) -> tuple[Firing, ...]:
        """The conditions by which the component makes spikes, and those that change what these need."""
        tree = tuple(self.routes.tree(self.root))
        return self._settled(lambda: tuple(self._firings(tree)))

    def _settled(self, read: Callable[[], _T]) -> _T:
        """What `read` gives when nothing new is wanted: an assignment may need states with assignments of their own."""
        found = None
        while True:
            self.flattener.complete()
            again = read()
            if again == found:
                return again
            found = again

    def _firings(self, tree: tuple[Instance, ...]) -> Iterator[Firing]:
        for instance in tree:
            for item in _items(instance, "OnCondition"):
                spikes = sum(self._leaving((instance, port), 0) for port in _out_ports(item))
                own = self._own(instance, item) + self._relayed(instance, item, 0)
                if own or spikes:
                    yield Firing(self.flattener.expression(instance, item, "test"), own, spikes)

    def _leaving(self, sender: Receiver, depth: int) -> int:
        """How many spikes leave the root when a part of it emits one."""
        instance, port = sender
        if depth > _MAX_RELAYS:
            raise LemsError(
                Issue("L025", f"the events of {instance.type.name} go in a circle", place(instance.element))
            )
        passed = (
            (receiver, out)
            for receiver, at in self.routes.receivers(instance, port)
            for item in _handlers(receiver, at)
            for out in _out_ports(item)
        )
        return (1 if instance is self.root else 0) + sum(self._leaving(each, depth + 1) for each in passed)

    def _conditions(self, tree: tuple[Instance, ...]) -> tuple[Condition, ...]:
        made = []
        for instance in tree:
            for item in _items(instance, "OnCondition"):
                own = self._own(instance, item)
                if own:  # else it is a clock, or nothing at all
                    relayed = self._relayed(instance, item, 0)
                    test = self.flattener.expression(instance, item, "test")
                    made.append(Condition(test, own + relayed))
        return tuple(made)

    def _events(self, tree: tuple[Instance, ...]) -> tuple[OnEvent, ...]:
        """At the port where the component emits the spikes it makes; if it makes none, at its input ports."""
        makes = [port for port in self.routes.ports(self.root.type, "out") if self._is_source(tree, port)]
        if makes:
            pairs = [(port, self._sent(self.root, port, 0)) for port in makes]
        else:
            ports = sorted(self.routes.ports(self.root.type, "in"), key=lambda port: port != "in")
            pairs = [(port, self._arrived((self.root, port), 0)) for port in ports]
        return tuple(OnEvent(port, assignments) for port, assignments in pairs if assignments)

    def _is_source(self, tree: tuple[Instance, ...], port: str) -> bool:
        """Whether conditions inside, by themselves, make the component emit at this port."""
        starts = [
            (instance, out)
            for instance in tree
            for item in _items(instance, "OnCondition")
            for out in _out_ports(item)
            if not self._own(instance, item)
        ]
        reached: set[Receiver] = set()
        while starts:
            sender = starts.pop()
            if sender in reached:
                continue
            reached.add(sender)
            for receiver, at in self.routes.receivers(*sender):
                starts += [(receiver, out) for item in _handlers(receiver, at) for out in _out_ports(item)]
        return (self.root, port) in reached

    def _sent(self, sender: Instance, port: str, depth: int) -> Assignments:
        return tuple(a for receiver in self.routes.receivers(sender, port) for a in self._arrived(receiver, depth + 1))

    def _arrived(self, receiver: Receiver, depth: int) -> Assignments:
        instance, port = receiver
        made: Assignments = ()
        for item in _handlers(instance, port):
            made += self._own(instance, item) + self._relayed(instance, item, depth)
        return made

    def _relayed(self, instance: Instance, item: Element, depth: int) -> Assignments:
        if depth > _MAX_RELAYS:
            raise LemsError(Issue("L025", f"the events of {instance.type.name} go in a circle", place(item)))
        return tuple(a for port in _out_ports(item) for a in self._sent(instance, port, depth))

    def _own(self, instance: Instance, item: Element) -> Assignments:
        """The assignments to states that the current needs."""
        made = []
        for part in item.children:
            state = self.flattener.state_in_use(instance, part.attributes.get("variable", ""))
            if part.tag == "StateAssignment" and state is not None:
                made.append((state, self.flattener.expression(instance, part, "value")))
            elif part.tag == "Transition":
                raise LemsError(
                    Issue("I013", f"regimes in an input ({instance.type.name}) are not supported", place(part))
                )
        return tuple(made)


def _items(instance: Instance, tag: str) -> Iterator[Element]:
    dynamics = instance.type.dynamics
    for item in dynamics.children if dynamics is not None else ():
        if item.tag == tag:
            yield item


def _handlers(instance: Instance, port: str) -> Iterator[Element]:
    return (item for item in _items(instance, "OnEvent") if item.attributes.get("port") == port)


def _out_ports(item: Element) -> list[str]:
    return [e.attributes.get("port", "") for e in item.children if e.tag == "EventOut"]
