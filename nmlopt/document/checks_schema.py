"""Checks against the NeuroML schema (XSD); what only other tools mind is a warning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Final, cast

from lxml import etree

from nmlopt.document.model import Document, Element, SourceFile
from nmlopt.document.parse import parse_element
from nmlopt.errors import Issue, Severity, UnitsError
from nmlopt.resources import core_type_files, neuroml_schema
from nmlopt.units import Quantity, format_number

NAMESPACE: Final = "http://www.neuroml.org/schema/neuroml2"
_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_STEP: Final = re.compile(r"/\*(?:\[(\d+)\])?")
_PATTERN: Final = re.compile(r"The value '(?P<value>.*)' is not accepted by the pattern '(?P<pattern>.*)'", re.DOTALL)
_QUALIFIED: Final = re.compile(r"\{[^}]*\}")
_ATTRIBUTE: Final = re.compile(r"attribute '(?P<name>[^']*)'")
_OPTIONAL_FORMS: Final = frozenset({"type", "file"})
"""Attributes that jNeuroML reads where the schema has none: `type` names the type, `<include file=>` is LEMS."""


def schema_issues(document: Document) -> Iterator[Issue]:
    """D020, D021, D022: what the newest NeuroML schema says of the files that start with <neuroml>."""
    custom = frozenset(e.attributes.get("name", "") for e in document.components() if e.tag == "ComponentType")
    for source in document.files:
        if source.root.tag == "neuroml":
            yield from _file_issues(source, custom)


def _file_issues(source: SourceFile, custom: frozenset[str]) -> Iterator[Issue]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(source.data, parser)
    except etree.XMLSyntaxError as error:  # libxml2 is stricter than expat about namespaces and sizes
        yield Issue("D020", f"the schema cannot be applied: {error.msg}", f"{source.path}:{error.lineno}")
        return
    namespace = etree.QName(root).namespace
    if namespace != NAMESPACE:
        message = f"the namespace of <neuroml> is '{namespace or ''}', not that of NeuroML 2"
        old = "convert the model from NeuroML 1 to 2" if namespace and "morphml" in namespace else ""
        yield Issue("D022", message, source.root.where, old or f'write xmlns="{NAMESPACE}"')
        return
    schema = _schema()
    if schema.validate(root):
        return
    for fault in cast("Iterable[etree._LogEntry]", schema.error_log):
        yield _issue(fault.message, fault.type_name, _element(source, fault.path, fault.line), custom)


def _issue(message: str, kind: str, element: Element, custom: frozenset[str]) -> Issue:
    text = _QUALIFIED.sub("", message).strip()
    remark = _remark(text, kind, element, custom)
    if remark:
        return Issue("D021", text, element.where, remark, Severity.WARNING)
    return Issue("D020", text, element.where, _hint(text, kind, element))


def _remark(text: str, kind: str, element: Element, custom: frozenset[str]) -> str:
    """Why a departure from the schema does not matter here; '' if it does."""
    lineage = _lineage(element)
    if any(e.tag in custom or e.attributes.get("type") in custom for e in lineage):
        return "a ComponentType of the model defines this; the schema cannot know it"
    if any(e.tag == "ComponentType" for e in lineage):
        return "the schema knows LEMS definitions in part only"
    if kind == "SCHEMAV_ELEMENT_CONTENT" and element.tag in _children_of(_type_of(element.parent)):
        return "read all the same; to be valid the elements must stand in the order of the schema"
    if kind == "SCHEMAV_ELEMENT_CONTENT" and element.tag == "Component" and element.attributes.get("type") in _core():
        return "read all the same; a component in the form of LEMS"
    if kind == "SCHEMAV_ELEMENT_CONTENT" and element.tag in _core_types_beside_schema():
        return "read all the same; a core type that the schema does not list"
    attribute = _ATTRIBUTE.search(text)
    if element.parent is None and attribute and attribute["name"] == "id":
        return "read all the same; nothing refers to the id of a file"
    if kind == "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1" and attribute and attribute["name"] in _OPTIONAL_FORMS:
        return "read all the same; the schema has no such attribute"
    if kind == "SCHEMAV_CVC_COMPLEX_TYPE_4" and element.tag == "include" and "file" in element.attributes:
        return "read all the same; NeuroML writes href"
    if kind == "SCHEMAV_CVC_PATTERN_VALID" and _differs_in_form_only(text):
        return "read all the same; the schema takes no '+' and no bare dot in numbers"
    return ""


def _hint(text: str, kind: str, element: Element) -> str:
    if kind == "SCHEMAV_CVC_PATTERN_VALID" and (match := _PATTERN.search(text)):
        units = re.findall(r"[A-Za-z_][A-Za-z0-9_]*(?=[|)])", match["pattern"])
        return f"a number with one of the units {', '.join(units)}" if units else ""
    if kind == "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1" and (attribute := _ATTRIBUTE.search(text)):
        return _did_you_mean(attribute["name"], _attributes_of(_type_of(element)))
    if kind == "SCHEMAV_ELEMENT_CONTENT" and element.tag == "Component":
        return f"the model defines no ComponentType '{element.attributes.get('type', '')}'"
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        return _did_you_mean(element.tag, _children_of(_type_of(element.parent)))
    return ""


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else ""


def _differs_in_form_only(text: str) -> bool:
    match = _PATTERN.search(text)
    if match is None:
        return False
    try:
        quantity = Quantity.parse(match["value"])
    except UnitsError:
        return False
    return re.fullmatch(match["pattern"], f"{format_number(quantity.value)}{quantity.unit}") is not None


def _element(source: SourceFile, path: str | None, line: int) -> Element:
    """The element that libxml2 means: by its path of positions, else by its line."""
    element = source.root
    steps = _STEP.findall(path or "")
    if path and "".join(f"/*[{n}]" if n else "/*" for n in steps) == path:
        for number in steps[1:]:
            at = int(number or 1) - 1
            if at >= len(element.children):
                return element
            element = element.children[at]
        return element
    return next((e for e in source.root.walk() if e.line == line), source.root)


def _lineage(element: Element) -> list[Element]:
    lineage = [element]
    while (parent := lineage[-1].parent) is not None:
        lineage.append(parent)
    return lineage


def _type_of(element: Element | None) -> str:
    """The complex type of the schema that an element has by its place; '' if it has none."""
    if element is None:
        return ""
    if element.parent is None:
        return "NeuroMLDocument"
    return _children_of(_type_of(element.parent)).get(element.tag, "")


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(_schema_tree())


@lru_cache(maxsize=1)
def _schema_tree() -> etree._ElementTree:
    return etree.parse(neuroml_schema())


@lru_cache(maxsize=1)
def _complex_types() -> Mapping[str, etree._Element]:
    return {str(e.get("name")): e for e in _schema_tree().getroot().iter(f"{_XS}complexType") if e.get("name")}


@lru_cache(maxsize=512)
def _children_of(type_name: str) -> Mapping[str, str]:
    """Child elements that a complex type allows in some place, with their types."""
    definition = _complex_types().get(type_name)
    if definition is None:
        return {}
    children: dict[str, str] = {}
    for extension in definition.iter(f"{_XS}extension"):
        children.update(_children_of(str(extension.get("base")).rpartition(":")[2]))
    groups = [_groups()[str(g.get("ref")).rpartition(":")[2]] for g in definition.iter(f"{_XS}group")]
    for part in (definition, *groups):
        for element in part.iter(f"{_XS}element"):
            children[str(element.get("name"))] = str(element.get("type", "")).rpartition(":")[2]
    return children


@lru_cache(maxsize=512)
def _attributes_of(type_name: str) -> frozenset[str]:
    """Names of the attributes that a complex type allows."""
    definition = _complex_types().get(type_name)
    if definition is None:
        return frozenset()
    bases = (str(e.get("base")).rpartition(":")[2] for e in definition.iter(f"{_XS}extension"))
    own = (str(e.get("name")) for e in definition.iter(f"{_XS}attribute"))
    return frozenset(own).union(*(_attributes_of(base) for base in bases))


@lru_cache(maxsize=1)
def _groups() -> Mapping[str, etree._Element]:
    return {str(g.get("name")): g for g in _schema_tree().getroot().iter(f"{_XS}group") if g.get("name")}


@lru_cache(maxsize=1)
def _core_types_beside_schema() -> frozenset[str]:
    """Core ComponentTypes for which the schema has no element."""
    return frozenset(_core() - {str(e.get("name")) for e in _schema_tree().getroot().iter(f"{_XS}element")})


@lru_cache(maxsize=1)
def _core() -> frozenset[str]:
    """Names of the core ComponentTypes."""
    return frozenset(
        e.attributes.get("name", "")
        for name, data in core_type_files().items()
        for e in parse_element(data, name).children
        if e.tag == "ComponentType"
    )
