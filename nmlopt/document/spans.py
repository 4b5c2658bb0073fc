"""Where the characters of an attribute value lie in the bytes of its file, in whatever encoding and notation."""

from __future__ import annotations

import re
import sys
from array import array
from dataclasses import dataclass
from typing import Final

from nmlopt.document.model import Element, SourceFile

_SPACE: Final = "[ \t\r\n]"
_NAME: Final = re.compile("<[^ \t\r\n/>]+")
_ATTRIBUTE: Final = re.compile(
    rf"""{_SPACE}+([^ \t\r\n=/>]+){_SPACE}*={_SPACE}*(?:"([^"]*)"|'([^']*)')""",
)
_CHARACTER: Final = re.compile(r"&(?:#x(?P<hex>[0-9A-Fa-f]+)|#(?P<dec>[0-9]+)|(?P<name>\w+));|\r\n|(?s:.)")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


@dataclass(frozen=True, slots=True)
class AttributeText:
    """A decoded attribute value, and for each of its characters the byte at which it begins (and the end)."""

    value: str
    bounds: tuple[int, ...]
    encoding: str

    def patch(self, start: int, end: int, new: str) -> tuple[int, int, bytes]:
        """Byte span and bytes that replace characters start to end by `new` (plain ASCII without quotes or '&<')."""
        return self.bounds[start], self.bounds[end], new.encode(self.encoding)


def attribute_text(source: SourceFile, element: Element, attribute: str) -> AttributeText:
    """The text of an attribute with its place in the bytes."""
    text, width = _units(source)
    name = attribute if width > 1 else attribute.encode(source.encoding).decode("latin-1")
    start, end = _value_span(text, element.offset // width, name)
    raw = source.data[start * width : end * width].decode(source.encoding)
    value: list[str] = []
    bounds = [start * width]
    for match in _CHARACTER.finditer(raw):
        value.append(_decoded(match))
        bounds.append(bounds[-1] + len(match.group().encode(source.encoding)))
    return AttributeText("".join(value), tuple(bounds), source.encoding)


def _units(source: SourceFile) -> tuple[str, int]:
    """The file as one character per code unit (so that positions are bytes over the unit's width), and that width."""
    if not source.encoding.startswith("utf-16"):
        return source.data.decode("latin-1"), 1
    units = array("H", source.data[: len(source.data) // 2 * 2])
    if (sys.byteorder == "big") != source.encoding.endswith("be"):
        units.byteswap()
    return "".join(map(chr, units)), 2


def _value_span(text: str, at: int, attribute: str) -> tuple[int, int]:
    """Span of the value between its quotes, in code units; a name without prefix wins, as in the tree."""
    name = _NAME.match(text, at)
    assert name is not None  # expat gave this place as that of a start tag
    at = name.end()
    prefixed: tuple[int, int] | None = None
    while match := _ATTRIBUTE.match(text, at):
        span = match.span(2) if match.group(2) is not None else match.span(3)
        if match.group(1) == attribute:
            return span
        if match.group(1).endswith(":" + attribute) and prefixed is None:
            prefixed = span
        at = match.end()
    assert prefixed is not None  # expat found the attribute in this tag
    return prefixed


def _decoded(match: re.Match[str]) -> str:
    if match.group("hex"):
        return chr(int(match.group("hex"), 16))
    if match.group("dec"):
        return chr(int(match.group("dec")))
    if match.group("name"):
        return _NAMED[match.group("name")]
    return " " if match.group() in "\t\r\n" else match.group()
