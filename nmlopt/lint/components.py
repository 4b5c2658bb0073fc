"""Components that no schema describes: those of LEMS files, and those of the model's own types."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from nmlopt.document.model import Document, Element
from nmlopt.document.numbers import quantity
from nmlopt.errors import Issue, NmloptError, Severity
from nmlopt.lems.resolve import Components
from nmlopt.lems.types import ComponentType, is_core, place
from nmlopt.lint.walk import NO_COMPONENTS, file_is_lems, typed

_NEVER_NEGATIVE: Final = frozenset(
    ("time", "capacitance", "specificCapacitance", "conductanceDensity", "permeability", "resistance", "resistivity")
)
"""Dimensions of which a negative amount makes no sense in a component (b of Izhikevich's cell may be negative)."""

_OF_ALL: Final = frozenset({"id", "type", "name", "metaid", "neuroLexId", "notes", "description", "extends"})
"""Attributes that any component may have."""


def components(document: Document, known: Components) -> Iterator[Issue]:
    """L048 attributes and L049 children that the type has not, L050 parameters without, L051 with a negative value."""
    for item in typed(known):
        if item.type is None:
            continue
        yield from _negative(item.element, item.type)
        is_own = not is_core(item.type.element)
        if is_own or file_is_lems(item.element):
            yield from _attributes(known, item.element, item.type)
            yield from _parameters(item.element, item.type)
            yield from _children(known, item.element, item.type)


def _attributes(known: Components, element: Element, type_: ComponentType) -> Iterator[Issue]:
    lineage = [known.types.get(name).element for name in type_.lineage if name in known.types]
    allowed = _OF_ALL | {e.attributes.get("name", "") for of in lineage for e in of.children}
    for name in element.attributes.keys() - allowed:
        near = get_close_matches(name, [n for n in type_.declarations if n not in element.attributes], n=2, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else "it has no effect"
        message = f"<{element.tag}> has the attribute '{name}', which its type {type_.name} does not know"
        yield Issue("L048", message, place(element), hint, Severity.WARNING)


def _parameters(element: Element, type_: ComponentType) -> Iterator[Issue]:
    """Parameters that only lowering would miss, and only where they are read."""
    for declared in type_.declarations.values():
        row = declared.element.attributes
        has_default = "defaultValue" in row or "value" in row or declared.fixed is not None
        if declared.kind == "Parameter" and not has_default and declared.name not in element.attributes:
            message = f"<{element.tag}> gives the parameter '{declared.name}' of its type {type_.name} no value"
            yield Issue("L050", message, place(element), f'write {declared.name}="..."', Severity.WARNING)


def _negative(element: Element, type_: ComponentType) -> Iterator[Issue]:
    for name, text in element.attributes.items():
        declared = type_.declarations.get(name)
        if declared is None or declared.kind != "Parameter" or not text.lstrip().startswith("-"):
            continue
        dimension = declared.element.attributes.get("dimension", "")
        found = quantity(text)
        if dimension in _NEVER_NEGATIVE and found is not None and found.value < 0.0:
            message = f"{name}='{text}' of <{element.tag}> is negative"
            yield Issue("L051", message, place(element), f"a {dimension} is 0 or more", Severity.WARNING)


def _children(known: Components, element: Element, type_: ComponentType) -> Iterator[Issue]:
    for child in element.children:
        if child.tag in NO_COMPONENTS or child.tag in type_.children:
            continue
        try:
            found = known.type_of(child, type_)
        except NmloptError:
            continue  # the references say so
        if found is None:
            message = f"<{child.tag}> is no part of <{element.tag}> (type {type_.name})"
            near = get_close_matches(child.tag, list(type_.children), n=2, cutoff=0.6)
            hint = f"did you mean {' or '.join(near)}?" if near else "it has no effect"
            yield Issue("L049", message, place(child), hint, Severity.WARNING)
