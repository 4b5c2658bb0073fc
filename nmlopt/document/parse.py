"""Reads one XML file with expat into a tree of elements that remember where they stand in the bytes.

Document types and entity declarations are refused before anything is expanded; nothing is fetched.
"""

from __future__ import annotations

from typing import Final
from xml.parsers import expat

from nmlopt.document.model import Element, SourceFile
from nmlopt.errors import DocumentError, Issue

MAX_DEPTH: Final = 200


def parse_source(data: bytes, path: str) -> SourceFile:
    """The file of those bytes. Raises DocumentError: D002 not well-formed, D003 DOCTYPE, D004 nested too deeply."""
    builder = _Builder(data, path)
    root = builder.parse()
    return SourceFile(path, data, builder.encoding, root)


def parse_element(data: bytes, file: str) -> Element:
    """The top element of an XML text; errors as `parse_source`."""
    return parse_source(data, file).root


class _Builder:
    """The handlers of one expat run."""

    __slots__ = ("_children", "_data", "_file", "_open", "_parser", "_root", "_texts", "encoding")

    def __init__(self, data: bytes, file: str) -> None:
        self._data = data
        self._file = file
        self.encoding = _encoding_without_declaration(data)
        self._open: list[Element] = []
        self._children: list[list[Element]] = []
        self._texts: list[list[str]] = []
        self._root: Element | None = None
        self._parser = parser = expat.ParserCreate()
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def parse(self) -> Element:
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            where = f"{self._file}:{error.lineno}:{error.offset + 1}"
            message = f"not well-formed XML: {expat.ErrorString(error.code)}"
            raise DocumentError(
                Issue("D002", message, where, "mend the file; an XML editor shows the place")
            ) from error
        except (LookupError, ValueError) as error:  # an encoding that Python does not know, or not as an XML encoding
            raise DocumentError(
                Issue("D002", f"unknown encoding: {error}", f"{self._file}:1", "save the file as UTF-8")
            ) from error
        assert self._root is not None  # expat refuses a text without element
        return self._root

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and not self.encoding.startswith("utf-16"):
            self.encoding = encoding.lower()

    def _doctype(self, _name: str, _system: str | None, _public: str | None, _internal: int) -> None:
        self._refuse("D003", "document types and entity declarations are not read", "delete the <!DOCTYPE ...>")

    def _start(self, name: str, flat: list[str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._refuse("D004", f"elements are nested more than {MAX_DEPTH} deep", "no model needs that")
        parent = self._open[-1] if self._open else None
        place = (self._parser.CurrentLineNumber, self._parser.CurrentByteIndex)
        element = Element(_local(name), _attributes(flat), parent, self._file, place)
        if self._children:
            self._children[-1].append(element)
        else:
            self._root = element
        self._open.append(element)
        self._children.append([])
        self._texts.append([])

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        element.children = tuple(self._children.pop())
        element.text = "".join(self._texts.pop())

    def _text(self, text: str) -> None:
        self._texts[-1].append(text)

    def _refuse(self, code: str, message: str, hint: str) -> None:
        raise DocumentError(Issue(code, message, f"{self._file}:{self._parser.CurrentLineNumber}", hint))


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _attributes(flat: list[str]) -> dict[str, str]:
    """Attributes by local name; one without a prefix wins over one with a prefix."""
    plain: dict[str, str] = {}
    prefixed: dict[str, str] = {}
    for name, value in zip(flat[::2], flat[1::2], strict=True):
        if ":" not in name:
            if name != "xmlns":
                plain[name] = value
        elif not name.startswith("xmlns:"):
            prefixed.setdefault(_local(name), value)
    if prefixed:
        for name, value in prefixed.items():
            plain.setdefault(name, value)
    return plain


def _encoding_without_declaration(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"<\0")):
        return "utf-16-le"
    if data.startswith((b"\xfe\xff", b"\0<")):
        return "utf-16-be"
    return "utf-8"
