"""Edits: new numbers put into the bytes of a document; nothing else changes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from nmlopt.document.index import unit_table
from nmlopt.document.model import Document, digest
from nmlopt.document.numbers import literal_patch, literals, quantity_patch
from nmlopt.document.parse import parse_source
from nmlopt.document.paths import Address, resolve
from nmlopt.document.spans import AttributeText, attribute_text
from nmlopt.errors import Issue, NmloptError, PathError, UnitsError
from nmlopt.units import Quantity


@dataclass(frozen=True, slots=True)
class Edit:
    """A number to be set; the quantity may be in any unit of the right dimension."""

    path: str
    quantity: Quantity


def apply(document: Document, edits: Iterable[Edit]) -> Document:
    """The document with those numbers set, in the author's units, spacing and encoding.

    A value that is there already leaves the bytes as they are. Raises PathError (P001-P005) or UnitsError (U002-U004)
    with the faults of all edits (of the first fault's kind).
    """
    changes = _changes(document, edits)
    if not changes:
        return document
    files = []
    for source in document.files:
        patches = changes.get(source.path)
        files.append(parse_source(_patched(source.data, patches), source.path) if patches else source)
    return replace(document, files=tuple(files), digest=digest(files))


_Patch = tuple[int, int, bytes]


def _changes(document: Document, edits: Iterable[Edit]) -> dict[str, list[_Patch]]:
    """Byte patches by file, only of numbers that do change."""
    wanted: dict[str, tuple[Address, Quantity]] = {}
    issues: list[Issue] = []
    kind: type[NmloptError] = PathError
    for edit in edits:
        try:
            for address in resolve(document, edit.path):
                value = edit.quantity.to(address.quantity.unit, unit_table(document))
                Quantity.__str__(value)  # raises U004 for what cannot be written
                first = wanted.setdefault(address.path, (address, value))[1]
                if not _same(first.value, value.value):
                    message = f"'{address.path}' is set to {first} and to {value}"
                    issues.append(Issue("P005", message, address.where, "set it once"))
        except (PathError, UnitsError) as error:
            kind = type(error) if not issues else kind
            issues.extend(replace(i, where=i.where or edit.path) for i in error.issues)
    if issues:
        raise kind(issues)
    changes: defaultdict[str, list[_Patch]] = defaultdict(list)
    for address, value in wanted.values():
        if not _same(address.quantity.value, value.value):
            changes[address.element.file].append(_patch(document, address, value.value))
    return changes


def _same(a: float, b: float) -> bool:
    return a == b and math.copysign(1, a) == math.copysign(1, b)


def _patch(document: Document, address: Address, value: float) -> _Patch:
    text: AttributeText = attribute_text(document.file(address.element.file), address.element, address.attribute)
    if address.literal is None:
        return text.patch(*quantity_patch(text.value, value))
    return text.patch(*literal_patch(literals(text.value)[address.literal - 1], value))


def _patched(data: bytes, patches: Iterable[_Patch]) -> bytes:
    parts: list[bytes] = []
    at = 0
    for start, end, new in sorted(patches):
        parts += [data[at:start], new]
        at = end
    return b"".join([*parts, data[at:]])
