"""Checks of identity and reference: ids that occur twice, references that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from nmlopt.document.model import Document, Element
from nmlopt.errors import Issue

_LISTS: Final = frozenset({"morphology", "membraneProperties", "intracellularProperties", "network", "neuroml", "Lems"})
"""Parents whose children must differ in id."""

_TO_COMPONENTS: Final = frozenset(
    {
        *(("channelPopulation", "ionChannel"), ("species", "concentrationModel")),
        *(("cell", "morphology"), ("cell", "biophysicalProperties"), ("cell2CaPools", "morphology")),
        *(("population", "component"), ("inputList", "component"), ("explicitInput", "input")),
    }
)
"""(element, attribute) pairs that name a top-level component; every `channelDensity...` does through ionChannel."""


def duplicate_components(document: Document) -> Iterator[Issue]:
    """D032: two top-level elements of one id, in one file or several."""
    named = [e for e in document.components() if e.tag not in ("Unit", "Dimension", "Target", "Simulation")]
    components = [e for e in named if e.tag != "ComponentType"]
    yield from _duplicates(components, "id", "D032")
    yield from _duplicates([e for e in named if e.tag == "ComponentType"], "name", "D032")


def duplicate_parts(document: Document) -> Iterator[Issue]:
    """D033: two parts of one id in a morphology, or among the membrane or intracellular properties of a cell."""
    for component in document.components():
        for parent in component.walk():
            if parent.tag not in _LISTS:
                continue
            for tags in _kinds(parent):
                yield from _duplicates([e for e in parent.children if e.tag in tags], "id", "D033")


def missing_components(document: Document) -> Iterator[Issue]:
    """D034: a reference to a component that no file of the document holds."""
    ids = {e.attributes["id"] for e in document.components() if "id" in e.attributes}
    for component in document.components():
        for element in component.walk():
            for attribute, text in element.attributes.items():
                if not is_reference(element.tag, attribute) or text in ids:
                    continue
                near = get_close_matches(text, ids, n=3, cutoff=0.6)
                hint = f"did you mean {' or '.join(near)}?" if near else "include the file that defines it"
                message = f"{attribute}='{text}' of <{element.tag}> names nothing in the model"
                yield Issue("D034", message, element.where, hint)


def is_reference(tag: str, attribute: str) -> bool:
    """Whether an attribute names a top-level component, by the names alone."""
    return (tag, attribute) in _TO_COMPONENTS or (attribute == "ionChannel" and tag.startswith("channelDensity"))


def _kinds(parent: Element) -> list[frozenset[str]]:
    """Tags that share a space of names: segments one, groups one, everything else of the parent another."""
    tags = frozenset(e.tag for e in parent.children if "id" in e.attributes)
    if parent.tag == "morphology":
        return [frozenset({tag}) for tag in sorted(tags)]
    return [tags - {"species"}]  # a species may have another pool on each segmentGroup


def _duplicates(elements: Iterable[Element], attribute: str, code: str) -> Iterator[Issue]:
    first: dict[str, Element] = {}
    for element in elements:
        id_ = element.attributes.get(attribute)
        if id_ is None:
            continue
        other = first.setdefault(id_, element)
        if other is not element:
            message = f"the {attribute} '{id_}' of <{element.tag}> is that of <{other.tag}> at {other.where}"
            yield Issue(code, message, element.where, f"give each its own {attribute}")
