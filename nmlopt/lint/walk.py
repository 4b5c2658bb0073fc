"""Walks over the components of a document together with their types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.lems.resolve import Components
from nmlopt.lems.types import ComponentType, place

NO_COMPONENTS = frozenset(
    {"ComponentType", "Dimension", "Unit", "Target", "Assertion", "Constant", "notes", "annotation", "include"}
    | {"Include", "property"}
)
"""Elements that are never components, and hold none."""


@dataclass(frozen=True, slots=True)
class Typed:
    """An element and its type; `type` is None where there is none, `issue` then says what is wrong, if anything is."""

    element: Element
    type: ComponentType | None
    issue: Issue | None = None


def typed(known: Components) -> Iterator[Typed]:
    """Every component of the document, parents first. What stands below an element without type is left out."""
    for top in known.top:
        if top.tag in NO_COMPONENTS:
            continue
        waiting: list[tuple[Element, ComponentType | None]] = [(top, None)]
        while waiting:
            element, within = waiting.pop()
            item = _typed(known, element, within)
            yield item
            if item.type is not None:
                below = [e for e in element.children if e.tag not in NO_COMPONENTS]
                waiting.extend((e, item.type) for e in reversed(below))


def _typed(known: Components, element: Element, within: ComponentType | None) -> Typed:
    try:
        return Typed(element, known.type_of(element, within))
    except LemsError as error:
        return Typed(element, None, error.issues[0])


def own_types(known: Components) -> Iterator[ComponentType]:
    """The ComponentTypes that the document defines, in its order."""
    for element in known.top:
        name = element.attributes.get("name", "")
        if element.tag == "ComponentType" and name in known.types and known.types.get(name).element is element:
            yield known.types.get(name)


def file_is_lems(element: Element) -> bool:
    """Whether an element stands in a file that starts with `<Lems>`, which no schema describes."""
    top = element
    while top.parent is not None:
        top = top.parent
    return top.tag == "Lems"


__all__ = ["NO_COMPONENTS", "Typed", "file_is_lems", "own_types", "place", "typed"]
