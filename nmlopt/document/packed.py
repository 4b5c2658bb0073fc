"""A document as plain bytes: what travels between processes, where a tree of elements would be slow and deep."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nmlopt.document.model import Document, digest
from nmlopt.document.parse import parse_source


@dataclass(frozen=True, slots=True)
class PackedDocument:
    """The files of a document: `main` and every (path relative to the document's root, bytes), main first."""

    main: str
    files: tuple[tuple[str, bytes], ...] = field(repr=False)


def pack(document: Document) -> PackedDocument:
    """The bytes of a document."""
    return PackedDocument(document.main, tuple((source.path, source.data) for source in document.files))


def unpack(packed: PackedDocument) -> Document:
    """The document of those bytes. Its `root` is '.': it need not lie anywhere."""
    files = tuple(parse_source(data, path) for path, data in packed.files)
    return Document(Path(), packed.main, files, digest(files))
