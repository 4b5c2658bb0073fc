"""Provenance written into a document: what was fitted, from what, by what; nothing that is simulated changes.

It goes into `<property>` elements inside the `<annotation>` of the fitted cell: the XSD allows anything there, but
jLEMS 0.11 stops with 'No such type' at any element in an annotation that the core types do not know, and at a
`<property>` beside it. A component of a type that the schema does not know gets a comment instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from xml.sax.saxutils import escape

from lxml import etree

from nmlopt.document.model import Document, Element, SourceFile, digest
from nmlopt.document.parse import parse_source
from nmlopt.resources import neuroml_schema
from nmlopt.results.markup import Span, element

Facts = Sequence[tuple[str, str]]
PREFIX = "nmlopt:"
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class _Insertion:
    """`new` replaces the characters from `start` to `end`."""

    start: int
    end: int
    new: str


def with_provenance(document: Document, component: tuple[str, str], facts: Facts) -> Document:
    """The document with facts (name, text) at the component of that (type, id); all other bytes are kept.

    Raises KeyError when there is no such component.
    """
    target = find_component(document, *component)
    source = document.file(target.file)
    text = source.data.decode(source.encoding)
    at = len(source.data[: target.offset].decode(source.encoding))
    place = _annotation(text, at, facts) if target.tag in _standalone() else _comment(text, at, facts)
    data = (text[: place.start] + place.new + text[place.end :]).encode(source.encoding)
    return _with_file(document, parse_source(data, source.path))


def find_component(document: Document, kind: str, identifier: str) -> Element:
    """The top-level component of that type and id. Raises KeyError."""
    for found in document.components():
        if found.attributes.get("id") == identifier and kind in (found.tag, found.attributes.get("type")):
            return found
    raise KeyError((kind, identifier))


def _with_file(document: Document, source: SourceFile) -> Document:
    files = tuple(source if old.path == source.path else old for old in document.files)
    return replace(document, files=files, digest=digest(files))


def _annotation(text: str, at: int, facts: Facts) -> _Insertion:
    """Into the component's annotation, or into a new one where the schema wants it: after notes and properties."""
    span, children = element(text, at)
    newline = "\r\n" if "\r\n" in text else "\n"
    outer, inner = _indents(text, span, children)
    prefix = span.first.name.removesuffix(span.first.local)
    rows = [f"<{prefix}property tag={_quoted(PREFIX + name)} value={_quoted(value)}/>" for name, value in facts]
    old = next((child for child in children if child.first.local == "annotation"), None)
    unit = inner.removeprefix(outer) if inner.startswith(outer) else _INDENT
    lines = "".join(newline + inner + (unit or _INDENT) + row for row in rows)
    if old is not None:
        return _into(text, old, lines, newline + inner)
    block = f"{newline}{inner}<{prefix}annotation>{lines}{newline}{inner}</{prefix}annotation>"
    if span.last is None:
        return _opened(text, span, block + newline + outer)
    before = [child for child in children if child.first.local in ("notes", "property")]
    end = before[-1].end if before else span.first.end
    return _Insertion(end, end, block)


def _into(text: str, old: Span, lines: str, closing: str) -> _Insertion:
    """At the end of an annotation that is there."""
    if old.last is None:
        return _opened(text, old, lines + closing)
    content = text[old.first.end : old.last.start]
    end = old.first.end + len(content.rstrip())
    return _Insertion(end, end, lines if "\n" in text[end : old.last.start] else lines + closing)


def _opened(text: str, span: Span, content: str) -> _Insertion:
    """`<a/>` made into `<a>content</a>`."""
    tag = span.first
    slash = text.rindex("/", tag.start, tag.end)
    return _Insertion(slash, tag.end, f">{content}</{tag.name}>")


def _comment(text: str, at: int, facts: Facts) -> _Insertion:
    """A comment before the component."""
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = _indent(text, at)
    rows = [f"{PREFIX}{name}: {value}".replace("--", "- -").rstrip("-") for name, value in facts]
    lines = [row.encode("ascii", "backslashreplace").decode() for row in rows]
    body = "".join(newline + indent + _INDENT + line for line in lines)
    return _Insertion(at, at, f"<!--{body}{newline}{indent}-->{newline}{indent}")


def _indents(text: str, span: Span, children: tuple[Span, ...]) -> tuple[str, str]:
    """Indentation of the component and of its children."""
    outer = _indent(text, span.first.start)
    if children and "\n" in text[span.first.end : children[0].first.start]:
        return outer, _indent(text, children[0].first.start)
    return outer, outer + _INDENT


def _indent(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line if not line.strip() else ""


def _quoted(text: str) -> str:
    # Always in double quotes: jLEMS cannot read attributes in single ones.
    return '"' + escape(text, {'"': "&quot;"}).encode("ascii", "xmlcharrefreplace").decode() + '"'


@lru_cache(maxsize=1)
def _standalone() -> frozenset[str]:
    """Tags that the NeuroML schema takes at the top of a file: all of them may hold an annotation."""
    root = etree.parse(str(neuroml_schema())).getroot()
    xs = {"xs": "http://www.w3.org/2001/XMLSchema"}
    groups = root.findall("xs:group", xs)
    tops = [t for t in root.findall("xs:complexType", xs) if t.get("name") == "NeuroMLDocument"]
    return frozenset(str(e.get("name")) for part in (*groups, *tops) for e in part.iterfind(".//xs:element", xs))
