"""The structure digest of a cell: equal digests compile to equal programs."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from nmlopt.ir.model import Cell
from nmlopt.resources import core_types_digest

FORMAT = "1"
"""Change it when the meaning of the intermediate representation changes, so that cached programs are not reused."""


def structure_digest(cell: Cell) -> str:
    """SHA-256 (hex) over everything that shapes generated text: equations, geometry, placements, literal numbers.

    Not over what only binds (the values, units and paths of slots), nor over names of the document: its digest and the
    cell's id. The digest of the core types is part of it.
    """
    shape = replace(cell, id="", slots=(), document_digest="", temperature_K=None)
    parts = (FORMAT, core_types_digest(), str(len(cell.slots)), repr(shape))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
