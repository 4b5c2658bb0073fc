"""Components of a document: their types, children, references and enclosing components, by the rules of jLEMS.

The type of an element is its `type` attribute; else what the enclosing component's type declares a child of that name
to be; else the element name itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nmlopt.document.model import Document, Element
from nmlopt.errors import Issue, LemsError
from nmlopt.lems.types import ComponentType, Declaration, TypeTable, document_types, place
from nmlopt.units import UnitTable, core_units, extend


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A component where it is used: one element may be instantiated in several places (a channel in two densities).

    `parent` is the enclosing instance, whose names its Requirements see; `path` names it below the root instance.
    """

    element: Element
    type: ComponentType
    parent: Instance | None = None
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Components:
    """The ComponentTypes, units and top-level components of a document."""

    types: TypeTable
    units: UnitTable
    by_id: Mapping[str, tuple[Element, ...]]
    top: tuple[Element, ...]

    def type_of(self, element: Element, within: ComponentType | None = None) -> ComponentType | None:
        """The type of a component element, None if it is not a component. Raises LemsError L010."""
        named = element.attributes.get("type")
        if named is not None:
            if named in self.types:
                return self.types.get(named)
            if element.tag not in self.types and (within is None or element.tag not in within.children):
                return None
            raise LemsError(
                Issue(
                    "L010",
                    f"<{element.tag}> has the unknown type '{named}'",
                    place(element),
                    "include the file with that ComponentType",
                )
            )
        if within is not None and element.tag in within.children:
            return self.types.get(within.children[element.tag].type)
        return self.types.get(element.tag) if element.tag in self.types else None

    def instance(self, element: Element, parent: Instance | None = None, path: tuple[str, ...] = ()) -> Instance:
        """An element as an instance of its type. Raises LemsError L010."""
        found = self.type_of(element, parent.type if parent else None)
        if found is None:
            raise LemsError(Issue("L010", f"no ComponentType for <{element.tag}>", place(element)))
        return Instance(element, found, parent, path)

    def children(self, instance: Instance, name: str) -> tuple[Instance, ...] | None:
        """The instances that a Child, Children or ComponentReference declaration stands for; None if undeclared.

        Raises LemsError (L010 type, L020 reference).
        """
        declared = instance.type.children.get(name)
        if declared is None:
            return None
        if declared.kind == "ComponentReference":
            return self._referenced(instance, declared)
        if declared.kind == "Link":
            return self._linked(instance, declared)
        found = [e for e in instance.element.children if self._belongs(e, instance.type, declared)]
        return tuple(self.instance(e, instance, (*instance.path, label(e))) for e in found)

    def _belongs(self, element: Element, within: ComponentType, declared: Declaration) -> bool:
        if element.tag == declared.name:
            return True
        if declared.kind == "Child" or element.tag in within.children:
            return False
        found = self.type_of(element, within)
        return found is not None and found.extends(declared.type)

    def _referenced(self, instance: Instance, declared: Declaration) -> tuple[Instance, ...]:
        inline = [e for e in instance.element.children if e.tag == declared.name]
        wanted = instance.element.attributes.get(declared.name)
        if wanted is None:
            return tuple(self.instance(e, instance, (*instance.path, label(e))) for e in inline)
        target = self.reference(wanted, declared.type, instance.element)
        found = self.type_of(target)
        assert found is not None  # reference() returns typed components only
        return (Instance(target, found, instance, instance.path),)

    def _linked(self, instance: Instance, declared: Declaration) -> tuple[Instance, ...]:
        wanted = instance.element.attributes.get(declared.name)
        owner = instance.parent
        if owner is None:
            return ()
        found = [e for e in owner.element.children if e.attributes.get("id") == wanted]
        if not found:
            raise LemsError(
                Issue(
                    "L020",
                    f"{declared.name}='{wanted}' names no sibling of <{instance.element.tag}>",
                    place(instance.element),
                )
            )
        return (self.instance(found[0], owner, (*owner.path, label(found[0]))),)

    def reference(self, wanted: str, type_name: str, referrer: Element) -> Element:
        """The top-level component of that id whose type extends `type_name`. Raises LemsError L020."""
        candidates = self.by_id.get(wanted, ())
        fitting = [e for e in candidates if (t := self.type_of(e)) is not None and t.extends(type_name)]
        if len(fitting) == 1:
            return fitting[0]
        problem = "is not defined" if not candidates else f"is no {type_name}" if not fitting else "is defined twice"
        places = f" ({', '.join(place(e) for e in fitting)})" if fitting else ""
        raise LemsError(
            Issue(
                "L020",
                f"<{referrer.tag}> refers to '{wanted}', which {problem}{places}",
                place(referrer),
                "include the file that defines it" if not candidates else "",
            )
        )


def components(document: Document) -> Components:
    """Read the types, units and top-level components of a document. Raises LemsError, UnitsError."""
    top = tuple(document.components())
    types = document_types(e for e in top if e.tag == "ComponentType")
    dimensions = [e.attributes for e in top if e.tag == "Dimension"]
    units = [e.attributes for e in top if e.tag == "Unit"]
    by_id: dict[str, tuple[Element, ...]] = {}
    for element in _plain(top):
        name = element.attributes.get("id")
        if name is not None:
            by_id[name] = (*by_id.get(name, ()), element)
    return Components(types, extend(core_units(), dimensions, units), by_id, top)


def label(element: Element) -> str:
    """How a component is called in names and canonical paths: its id, else its element name."""
    return element.attributes.get("id") or element.tag


def _plain(top: Iterable[Element]) -> Iterable[Element]:
    """Top-level components, also those written as `<Component id=... type=.../>`."""
    return (e for e in top if e.tag not in ("ComponentType", "Dimension", "Unit", "Target", "include", "Include"))
