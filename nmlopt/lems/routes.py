"""The ways of events inside a component: its ports and the `<EventConnection>`s of `<Structure>`.

A connection is declared by the component itself (a double synapse hands events to its two synapses), by a child (a
plasticity mechanism listens to its synapse) or by the parent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.lems.resolve import Components, Instance
from nmlopt.lems.types import ComponentType, place

Children: TypeAlias = Callable[[Instance, str], tuple[Instance, ...]]
Receiver: TypeAlias = tuple[Instance, str]
"""A component and the port at which an event arrives there."""

_OWNED = frozenset({"Child", "Children", "ComponentReference"})


@dataclass
class Routes:
    """Finds who receives what. `children` gives the instances below one under a declared name, each time the same."""

    known: Components
    children: Children
    _below: dict[Instance, tuple[Instance, ...]] = field(default_factory=dict)
    _wires: dict[Instance, tuple[tuple[Receiver, Receiver], ...]] = field(default_factory=dict)

    def below(self, instance: Instance) -> tuple[Instance, ...]:
        """The direct children of an instance and the components it refers to."""
        if instance not in self._below:
            names = [name for name, declared in instance.type.children.items() if declared.kind in _OWNED]
            found = (child for name in names for child in self.children(instance, name))
            self._below[instance] = tuple({id(child.element): child for child in found}.values())
        return self._below[instance]

    def tree(self, root: Instance) -> Iterator[Instance]:
        """An instance and all below it."""
        yield root
        for child in self.below(root):
            yield from self.tree(child)

    def receivers(self, sender: Instance, port: str) -> tuple[Receiver, ...]:
        """Who gets the events that `sender` emits at `port`. Raises LemsError L024 for a connection that leads nowhere.

        Connections to components outside are left out.
        """
        owners = (
            [sender, *self.below(sender)] if sender.parent is None else [sender.parent, sender, *self.below(sender)]
        )
        return tuple(
            receiver for owner in owners for source, receiver in self._connections(owner) if source == (sender, port)
        )

    def ports(self, type_: ComponentType, direction: str) -> tuple[str, ...]:
        """The event ports of a type, those of its own before those it inherits."""
        elements = [e for name in type_.lineage for e in self.known.types.get(name).element.children]
        ports = [e.attributes for e in elements if e.tag == "EventPort"]
        return tuple(dict.fromkeys(p["name"] for p in ports if p.get("direction") == direction and "name" in p))

    def _connections(self, owner: Instance) -> tuple[tuple[Receiver, Receiver], ...]:
        if owner not in self._wires:
            structure = self._structure(owner.type)
            made: list[tuple[Receiver, Receiver]] = []
            if structure is not None:
                made = [pair for e in structure.children if (pair := self._wire(owner, structure, e)) is not None]
            self._wires[owner] = tuple(made)
        return self._wires[owner]

    def _structure(self, type_: ComponentType) -> Element | None:
        for name in type_.lineage:
            for element in self.known.types.get(name).element.children:
                if element.tag == "Structure":
                    return element
        return None

    def _wire(self, owner: Instance, structure: Element, connection: Element) -> tuple[Receiver, Receiver] | None:
        if connection.tag != "EventConnection":
            return None
        names = {
            e.attributes.get("as"): e.attributes.get("instance", "") for e in structure.children if e.tag == "With"
        }
        row = connection.attributes
        source, target = (self._find(owner, names.get(row.get(end), row.get(end, ""))) for end in ("from", "to"))
        if source is None or target is None:
            return None
        sent = row.get("sourcePort") or next(iter(self.ports(source.type, "out")), "")
        arrives = row.get("targetPort") or next(iter(self.ports(target.type, "in")), "")
        return (source, sent), (target, arrives)

    def _find(self, owner: Instance, wanted: str) -> Instance | None:
        """The component that a name inside a structure means; None for the parent of the outermost one."""
        if wanted == "this":
            return owner
        if wanted == "parent":
            return owner.parent
        declared = owner.type.declarations.get(wanted)
        path = owner.element.attributes.get(wanted) if declared is not None and declared.kind == "Path" else wanted
        found: Instance | None = owner
        for step in (path or "").split("/") if path else ["?"]:
            if step in (".", "") or found is None:
                continue
            found = found.parent if step == ".." else self._child(found, step)
        if found is None and path != "..":
            message = f"{wanted}='{path or ''}' of <{owner.element.tag}> leads to no component that could get events"
            raise LemsError(Issue("L024", message, place(owner.element), "give the id of one of its parts, './id'"))
        return found

    def _child(self, owner: Instance, step: str) -> Instance | None:
        below = self.below(owner)
        by_id = next((c for c in below if c.element.attributes.get("id") == step), None)
        if by_id is not None or step not in owner.type.children:
            return by_id
        return next(iter(self.children(owner, step)), None)
