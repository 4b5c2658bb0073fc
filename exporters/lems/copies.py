"""Components of a document printed as LEMS, under other names: so several candidates stand in one file.

Only what the cell and its inputs need is printed, resolved from the document by the rules of `nmlopt.lems.resolve`.
What has no equations (notes, annotations) is left out, as jLEMS stops at some of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import quoteattr

from nmlopt.document.model import Element
from nmlopt.lems.resolve import Components
from nmlopt.lems.types import ComponentType

DEFINITIONS: Final = frozenset({"ComponentType", "Dimension", "Unit", "Constant"})
_WITHOUT_EQUATIONS: Final = frozenset({"notes", "annotation"})
_HAVE_PROPERTIES: Final = frozenset({"segmentGroup"})
_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Changes:
    """What is printed otherwise than it stands: names of top-level components, attributes, more children, types."""

    names: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[Element, Mapping[str, str]] = field(default_factory=dict)
    children: Mapping[Element, Sequence[str]] = field(default_factory=dict)

    def name(self, component: str) -> str:
        """What a top-level component is called in the copy."""
        return self.names.get(component, component)


def needed(known: Components, roots: Sequence[Element]) -> tuple[Element, ...]:
    """The top-level components that the roots refer to, directly or not, the roots last; each once."""
    found: dict[Element, None] = {}

    def visit(top: Element) -> None:
        if top in found:
            return
        found[top] = None
        for element, type_ in _typed(known, top, None):
            for _, target in _references(known, element, type_):
                visit(target)

    for root in roots:
        visit(root)
    return tuple(reversed(found))


def definitions(known: Components) -> str:
    """The types, dimensions, units and constants that the document defines."""
    tops = [e for e in known.top if e.tag in DEFINITIONS]
    return "".join(line for top in tops for line in plain(top, 1))


def printed(known: Components, tops: Sequence[Element], changes: Changes) -> str:
    """The text of top-level components with the changes."""
    return "".join(line for top in tops for line in _component(known, top, None, changes, 1))


def _typed(
    known: Components, element: Element, within: ComponentType | None
) -> Iterator[tuple[Element, ComponentType | None]]:
    type_ = known.type_of(element, within)
    yield element, type_
    for child in element.children:
        yield from _typed(known, child, type_)


def _references(known: Components, element: Element, type_: ComponentType | None) -> Iterator[tuple[str, Element]]:
    """The attributes of an element that name top-level components, and these."""
    for name, declared in type_.children.items() if type_ is not None else ():
        wanted = element.attributes.get(name)
        if wanted is not None and declared.kind in ("ComponentReference", "Child") and known.by_id.get(wanted):
            yield name, known.reference(wanted, declared.type, element)


def _component(
    known: Components, element: Element, within: ComponentType | None, changes: Changes, depth: int
) -> Iterator[str]:
    type_ = known.type_of(element, within)
    attributes = dict(element.attributes)
    if depth == 1 and "id" in attributes:
        attributes["id"] = changes.name(attributes["id"])
    parts: list[str] = []
    for name, target in _references(known, element, type_):
        declared = type_.children[name] if type_ is not None else None
        if declared is not None and declared.kind == "Child":  # jLEMS knows children that stand inside only
            del attributes[name]
            parts.extend(_component(known, target, type_, changes, depth + 1))
        else:
            attributes[name] = changes.name(attributes[name])
    for name, declared in type_.declarations.items() if type_ is not None else ():
        if declared.kind == "Path" and name in attributes:
            attributes[name] = _renamed_path(attributes[name], type_, changes)
    attributes |= changes.attributes.get(element, {})
    for child in element.children:
        if child.tag in _WITHOUT_EQUATIONS or (child.tag == "property" and element.tag not in _HAVE_PROPERTIES):
            continue
        parts.extend(_component(known, child, type_, changes, depth + 1))
    parts.extend(_INDENT * (depth + 1) + line + "\n" for line in changes.children.get(element, ()))
    yield from _tag(element.tag, attributes, parts, depth)


def _renamed_path(path: str, type_: ComponentType | None, changes: Changes) -> str:
    """A path below a component; its steps are names of children as the type calls them, or ids."""
    roles = type_.children if type_ is not None else {}
    return "/".join(step if step in roles else changes.name(step) for step in path.split("/"))


def plain(element: Element, depth: int) -> Iterator[str]:
    """The lines of an element as it stands, `depth` deep."""
    parts = [line for child in element.children for line in plain(child, depth + 1)]
    yield from _tag(element.tag, element.attributes, parts, depth)


def _tag(tag: str, attributes: Mapping[str, str], parts: Sequence[str], depth: int) -> Iterator[str]:
    start = _INDENT * depth + f"<{tag}" + "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    if not parts:
        yield f"{start}/>\n"
        return
    yield f"{start}>\n"
    yield from parts
    yield f"{_INDENT * depth}</{tag}>\n"
