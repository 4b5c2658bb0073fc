"""The codes of the document's findings and what each is about; the reference lists them from here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "D001": "A file is missing or cannot be read",
        "D002": "A file is not well-formed XML",
        "D003": "A file declares a document type or entities",
        "D004": "Elements are nested too deeply",
        "D005": "A file is too large, or there are too many files",
        "D006": "A file is neither NeuroML nor LEMS",
        "D007": "An include is an absolute path or a network address",
        "D008": "An include, a search path or the model lies outside the root",
        "D009": "An included file does not exist",
        "D010": "An include names no file",
        "D011": "One file is included under two names",
        "D012": "A file cannot be written, or exists already",
        "P001": "A path matches nothing",
        "P002": "A path matches several numbers",
        "P003": "A path is not written as paths are",
        "P004": "A path leads to something that is not a number",
        "P005": "Two edits give one number different values",
    }
)
