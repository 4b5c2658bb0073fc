"""The NeuroML schema: which types, children and attributes it knows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from lxml import etree

from nmlopt.document.model import Element
from nmlopt.resources import neuroml_schema

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"


def type_of(element: Element | None) -> str:
    """The complex type of the schema that an element has by its place; '' if it has none."""
    if element is None:
        return ""
    if element.parent is None:
        return "NeuroMLDocument"
    return children_of(type_of(element.parent)).get(element.tag, "")


@lru_cache(maxsize=1)
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(schema_tree())


@lru_cache(maxsize=1)
def schema_tree() -> etree._ElementTree:
    return etree.parse(neuroml_schema())


@lru_cache(maxsize=1)
def _complex_types() -> Mapping[str, etree._Element]:
    return {str(e.get("name")): e for e in schema_tree().getroot().iter(f"{_XS}complexType") if e.get("name")}


@lru_cache(maxsize=512)
def children_of(type_name: str) -> Mapping[str, str]:
    """Child elements that a complex type allows in some place, with their types, in the order of the schema."""
    definition = _complex_types().get(type_name)
    if definition is None:
        return {}
    children: dict[str, str] = {}
    for part in definition.iter(f"{_XS}extension", f"{_XS}group", f"{_XS}element"):
        if part.tag == f"{_XS}extension":
            children.update(children_of(str(part.get("base")).rpartition(":")[2]))
            continue
        group = part if part.tag == f"{_XS}element" else _groups()[str(part.get("ref")).rpartition(":")[2]]
        for element in group.iter(f"{_XS}element"):
            children[str(element.get("name"))] = str(element.get("type", "")).rpartition(":")[2]
    return children


@lru_cache(maxsize=512)
def attributes_of(type_name: str) -> frozenset[str]:
    """Names of the attributes that a complex type allows."""
    definition = _complex_types().get(type_name)
    if definition is None:
        return frozenset()
    bases = (str(e.get("base")).rpartition(":")[2] for e in definition.iter(f"{_XS}extension"))
    own = (str(e.get("name")) for e in definition.iter(f"{_XS}attribute"))
    return frozenset(own).union(*(attributes_of(base) for base in bases))


@lru_cache(maxsize=1)
def _groups() -> Mapping[str, etree._Element]:
    return {str(g.get("name")): g for g in schema_tree().getroot().iter(f"{_XS}group") if g.get("name")}
