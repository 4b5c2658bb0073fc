"""Checks against the NeuroML schema (XSD); what only other tools mind is a warning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final, cast

from lxml import etree

from nmlopt.document.model import Document, Element, SourceFile
from nmlopt.document.parse import parse_element
from nmlopt.document.schema import attributes_of, children_of, schema, schema_tree, type_of
from nmlopt.errors import Issue, Severity, UnitsError
from nmlopt.resources import core_type_files
from nmlopt.units import Quantity, format_number

NAMESPACE: Final = "http://www.neuroml.org/schema/neuroml2"
_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_PATTERN: Final = re.compile(r"The value '(?P<value>.*)' is not accepted by the pattern '(?P<pattern>.*)'", re.DOTALL)
_QUALIFIED: Final = re.compile(r"\{[^}]*\}")
_ATTRIBUTE: Final = re.compile(r"attribute '(?P<name>[^']*)'")
MOST_ROUNDS: Final = 40
_IN_ORDER: Final = "read all the same; to be valid the elements must stand in the order of the schema"
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
    yield from _rounds(root, source, custom)


def _rounds(root: etree._Element, source: SourceFile, custom: frozenset[str]) -> Iterable[Issue]:
    """All faults of a file. One element in a wrong place hides its later siblings from the schema, so what stands in
    another order is put right, what the schema does not know is taken out, and the rest is looked at again.
    """
    elements = dict(zip(root.iter("*"), source.root.walk(), strict=True))
    found: dict[tuple[Element, str], Issue] = {}
    in_order: set[etree._Element] = set()
    for _ in range(MOST_ROUNDS):
        faults = _faults(root, source, elements)
        is_clear = not any(fault.is_misplaced for fault in faults)
        for fault in faults:
            key = (fault.element, fault.kind if fault.is_misplaced else fault.text)
            if not fault.is_misplaced:
                found.setdefault(key, _issue(fault.text, fault.kind, fault.element, custom))
            elif fault.element.tag in children_of(type_of(fault.element.parent)):
                _put_right(fault, key, found, in_order, custom)
            else:
                found.setdefault(key, _issue(fault.text, fault.kind, fault.element, custom))
                _take_out(fault)
        if is_clear:
            break
    return found.values()


@dataclass(frozen=True, slots=True)
class _Fault:
    """One complaint of libxml2: its text, its kind, the element that it is about, in both trees."""

    text: str
    kind: str
    node: etree._Element
    element: Element

    @property
    def is_misplaced(self) -> bool:
        """Whether the element must not stand where it stands."""
        is_content = self.kind == "SCHEMAV_ELEMENT_CONTENT" and "is not expected" in self.text
        return is_content and self.node.getparent() is not None


def _faults(root: etree._Element, source: SourceFile, elements: Mapping[etree._Element, Element]) -> list[_Fault]:
    validator = schema()
    if validator.validate(root):
        return []
    tree = root.getroottree()
    faults = []
    for entry in cast("Iterable[etree._LogEntry]", validator.error_log):
        nodes = cast("list[etree._Element]", tree.xpath(entry.path)) if entry.path else []
        node = nodes[0] if nodes and nodes[0] in elements else root
        text = _QUALIFIED.sub("", entry.message).strip()
        faults.append(_Fault(text, entry.type_name, node, elements.get(node, source.root)))
    return faults


def _put_right(
    fault: _Fault,
    key: tuple[Element, str],
    found: dict[tuple[Element, str], Issue],
    in_order: set[etree._Element],
    custom: frozenset[str],
) -> None:
    """Sort the siblings as the schema wants them; one that is still misplaced stands there too often."""
    parent, remark = fault.node.getparent(), _remark(fault.text, fault.kind, fault.element, custom)
    if parent is None:
        return  # taken out before
    if parent not in in_order:
        in_order.add(parent)
        found.setdefault(key, Issue("D021", fault.text, fault.element.where, remark or _IN_ORDER, Severity.WARNING))
        order = {tag: at for at, tag in enumerate(children_of(type_of(fault.element.parent)))}
        parent[:] = sorted(parent.iterchildren("*"), key=lambda e: order.get(etree.QName(e).localname, len(order)))
        return
    holder = fault.element.parent.tag if fault.element.parent is not None else ""
    if not remark and next(fault.node.itersiblings(fault.node.tag, preceding=True), None) is not None:
        message = f"<{fault.element.tag}> stands more often in <{holder}> than the schema allows"
        found[key] = Issue("D020", message, fault.element.where, "keep one of them")
    _take_out(fault)


def _take_out(fault: _Fault) -> None:
    """Remove an element and those after it that are of its kind."""
    parent = fault.node.getparent()
    if parent is not None:
        for other in list(fault.node.itersiblings(fault.node.tag)):
            parent.remove(other)
        parent.remove(fault.node)


def _issue(text: str, kind: str, element: Element, custom: frozenset[str]) -> Issue:
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
    if kind == "SCHEMAV_ELEMENT_CONTENT" and text.startswith(f"Element '{element.tag}': Missing child"):
        return "read all the same; what cannot do without it says so"
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
        return _did_you_mean(attribute["name"], attributes_of(type_of(element)))
    if kind == "SCHEMAV_ELEMENT_CONTENT" and element.tag == "Component":
        return f"the model defines no ComponentType '{element.attributes.get('type', '')}'"
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        return _did_you_mean(element.tag, children_of(type_of(element.parent)))
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


def _lineage(element: Element) -> list[Element]:
    lineage = [element]
    while (parent := lineage[-1].parent) is not None:
        lineage.append(parent)
    return lineage


@lru_cache(maxsize=1)
def _core_types_beside_schema() -> frozenset[str]:
    """Core ComponentTypes for which the schema has no element."""
    return frozenset(_core() - {str(e.get("name")) for e in schema_tree().getroot().iter(f"{_XS}element")})


@lru_cache(maxsize=1)
def _core() -> frozenset[str]:
    """Names of the core ComponentTypes."""
    return frozenset(
        e.attributes.get("name", "")
        for name, data in core_type_files().items()
        for e in parse_element(data, name).children
        if e.tag == "ComponentType"
    )
