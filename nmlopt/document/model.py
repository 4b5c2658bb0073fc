"""The document: a set of NeuroML/LEMS files held as bytes, each with a read-only tree of its elements."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import final


@final
class Element:
    """One XML element; equal to itself only, never changed once its file is parsed.

    `tag` and the keys of `attributes` are local names (no prefix), values are decoded; namespace declarations are left
    out. `text` is the element's own character data. `file` is relative to the document's root; `offset` is the byte at
    which the start tag begins.
    """

    __slots__ = ("attributes", "children", "file", "line", "offset", "parent", "tag", "text")

    def __init__(
        self, tag: str, attributes: dict[str, str], parent: Element | None, file: str, place: tuple[int, int]
    ) -> None:
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.file = file
        self.line, self.offset = place
        self.children: tuple[Element, ...] = ()
        self.text = ""

    def __repr__(self) -> str:
        return f"<{self.tag} {self.attributes} at {self.where}>"

    @property
    def where(self) -> str:
        """`file:line` of the start tag."""
        return f"{self.file}:{self.line}"

    def walk(self) -> Iterator[Element]:
        """This element and all below it, in the order of the text."""
        stack = [self]
        while stack:
            element = stack.pop()
            yield element
            stack.extend(reversed(element.children))


@dataclass(frozen=True, slots=True, eq=False)
class SourceFile:
    """One file: its path relative to the document's root (posix), its bytes, their encoding, its top element."""

    path: str
    data: bytes = field(repr=False)
    encoding: str
    root: Element


@dataclass(frozen=True, eq=False)
class Document:
    """A model as its author wrote it.

    `files` are the main file, then the included ones in the order of their includes (depth first), each once. `root`
    is the lowest folder that holds all of them. `digest` is the SHA-256 over the relative paths and the bytes.
    `limit` is the folder below which includes were allowed.
    """

    root: Path
    main: str
    files: tuple[SourceFile, ...]
    digest: str
    search_paths: tuple[Path, ...] = ()
    limit: Path | None = None

    def components(self) -> Iterator[Element]:
        """The top-level elements of all files: components, ComponentTypes, ...; no includes."""
        for source in self.files:
            for element in source.root.children:
                if not is_include(element):
                    yield element

    def file(self, path: str) -> SourceFile:
        """The file of that relative path. Raises KeyError."""
        for source in self.files:
            if source.path == path:
                return source
        raise KeyError(path)


def is_include(element: Element) -> bool:
    """Whether the element is `<include href=>` of NeuroML or `<Include file=>` of LEMS, at the top of its file."""
    return element.tag in ("include", "Include") and element.parent is not None and element.parent.parent is None


def digest(sources: Iterable[SourceFile]) -> str:
    """SHA-256 (hex) over paths and bytes, whatever the order of the files."""
    total = hashlib.sha256()
    for source in sorted(sources, key=lambda s: s.path):
        total.update(source.path.encode() + b"\0" + hashlib.sha256(source.data).digest())
    return total.hexdigest()
