"""ComponentTypes of LEMS: the core types and those of a document, with the inheritance of jLEMS.

A derived type inherits Parameters, Constants, Texts, Children, ... by name with local override; its parent's Dynamics
only if it has none of its own (jLEMS replaces the block where pyLEMS merges it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from nmlopt.document.model import Element
from nmlopt.document.parse import parse_element
from nmlopt.errors import Issue, LemsError
from nmlopt.resources import core_type_files


@dataclass(frozen=True, slots=True)
class Declaration:
    """One named declaration of a ComponentType: its element, and the type that declares it.

    `kind` is the tag of the element (Parameter, Constant, Child, Children, ComponentReference, Link, Attachments, ...);
    `type` is the declared type of a child or reference; `fixed` is the `<Fixed>` element that turns a parameter into a
    constant.
    """

    kind: str
    name: str
    owner: str
    element: Element
    type: str = ""
    fixed: Element | None = None


@dataclass(frozen=True, slots=True)
class ComponentType:
    """A resolved type. `lineage` starts with its own name and ends with its root."""

    name: str
    element: Element
    lineage: tuple[str, ...]
    declarations: Mapping[str, Declaration]
    children: Mapping[str, Declaration]
    dynamics: Element | None

    def extends(self, name: str) -> bool:
        """Whether it is that type or derived from it."""
        return name in self.lineage


@dataclass(frozen=True, slots=True)
class TypeTable:
    """All ComponentTypes that are known in a document."""

    types: Mapping[str, ComponentType]

    def __contains__(self, name: object) -> bool:
        return name in self.types

    def get(self, name: str) -> ComponentType:
        """The type of that name. Raises LemsError L010."""
        try:
            return self.types[name]
        except KeyError:
            raise LemsError(Issue("L010", f"unknown ComponentType '{name}'")) from None


CORE_PREFIX = "core:"
"""Start of the file name of every element of the core types."""

_VALUES = frozenset(
    {"Parameter", "Constant", "DerivedParameter", "Property", "Text", "Requirement", "Exposure", "Path"}
)
_CHILDREN = frozenset({"Child", "Children", "ComponentReference", "Link", "Attachments"})


@lru_cache(maxsize=1)
def core_types() -> TypeTable:
    """The types of the installed NeuroML definitions."""
    elements = [
        child
        for name, data in core_type_files().items()
        for child in parse_element(data, CORE_PREFIX + name).children
        if child.tag == "ComponentType"
    ]
    return TypeTable(MappingProxyType(_resolve_all(elements, {})))


def document_types(elements: Iterable[Element]) -> TypeTable:
    """The core types and the `<ComponentType>` elements of a document.

    A document's type replaces a core type of the same name. Raises LemsError with all faults: L010 unknown parent,
    L011 a type that extends itself, L012 two types of one name.
    """
    core = core_types().types
    own = _resolve_all(elements, core)
    return TypeTable(MappingProxyType({**core, **own}))


def _resolve_all(elements: Iterable[Element], known: Mapping[str, ComponentType]) -> dict[str, ComponentType]:
    sources: dict[str, Element] = {}
    issues: list[Issue] = []
    for element in elements:
        name = element.attributes.get("name", "")
        if name in sources:
            issues.append(Issue("L012", f"ComponentType '{name}' is defined twice", place(element)))
        sources.setdefault(name, element)
    resolved: dict[str, ComponentType] = {}
    failed: set[str] = set()
    for name in sources:
        issues.extend(_resolve(name, sources, resolved, known, failed))
    if issues:
        raise LemsError(issues)
    return resolved


def _resolve(
    name: str,
    sources: Mapping[str, Element],
    resolved: dict[str, ComponentType],
    known: Mapping[str, ComponentType],
    failed: set[str],
) -> list[Issue]:
    """Resolve a type and, before it, the types it extends; those that cannot be resolved are added to `failed`."""
    chain: dict[str, None] = {}
    while name in sources and name not in resolved and name not in failed:
        if name in chain:
            failed.update(chain)
            circle = list(chain)[list(chain).index(name) :]
            return [_circular(member, sources[member]) for member in circle]
        chain[name] = None
        name = sources[name].attributes.get("extends", "")
    if name in failed:  # said already
        failed.update(chain)
        return []
    if chain and name and name not in resolved and name not in known:
        failed.update(chain)
        last = next(reversed(chain))
        message = f"ComponentType '{last}' extends the unknown type '{name}'"
        return [Issue("L010", message, place(sources[last]), "include the file that defines it")]
    for own in reversed(chain):
        parent_name = sources[own].attributes.get("extends", "")
        parent = resolved.get(parent_name) or known.get(parent_name)
        resolved[own] = _derive(own, sources[own], parent)
    return []


def _circular(name: str, element: Element) -> Issue:
    return Issue("L011", f"ComponentType '{name}' extends itself", place(element), "break the cycle of 'extends'")


def _derive(name: str, element: Element, parent: ComponentType | None) -> ComponentType:
    declarations = dict(parent.declarations) if parent else {}
    children = dict(parent.children) if parent else {}
    dynamics = parent.dynamics if parent else None
    for item in element.children:
        if item.tag in _VALUES:
            _declare(declarations, item, name)
        elif item.tag in _CHILDREN:
            declared = _declaration(item, name, item.attributes.get("type", ""))
            children[declared.name] = declared
        elif item.tag == "Dynamics":
            dynamics = item
    for item in element.children:
        target = item.attributes.get("parameter", "")
        if item.tag == "Fixed" and target in declarations:
            old = declarations[target]
            declarations[target] = Declaration(old.kind, old.name, old.owner, old.element, old.type, item)
    return ComponentType(
        name,
        element,
        (name, *(parent.lineage if parent else ())),
        MappingProxyType(declarations),
        MappingProxyType(children),
        dynamics,
    )


_WEIGHT = {"Exposure": 0, "Requirement": 1, "Text": 2}


def _declare(declarations: dict[str, Declaration], item: Element, owner: str) -> None:
    """Add a value declaration; one name may be an Exposure and something else: the something else counts."""
    new = _declaration(item, owner, "")
    old = declarations.get(new.name)
    if old is not None and old.owner == owner and _WEIGHT.get(old.kind, 9) > _WEIGHT.get(new.kind, 9):
        return
    if old is not None and new.kind in ("Exposure", "Requirement") and _WEIGHT.get(old.kind, 9) == 9:
        return
    declarations[new.name] = new


def _declaration(item: Element, owner: str, type_: str) -> Declaration:
    return Declaration(item.tag, item.attributes.get("name", ""), owner, item, type_)


def is_core(element: Element) -> bool:
    """Whether an element stands in the core types, where no number is ever a slot."""
    return element.file.startswith(CORE_PREFIX)


def place(element: Element) -> str:
    """`file:line` of an element."""
    return f"{element.file}:{element.line}"
