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
        "D020": "The file departs from the NeuroML schema",
        "D021": "The file departs from the NeuroML schema in a way that does not matter here (warning)",
        "D022": "The file is not in the NeuroML 2 namespace",
        "D030": "A number is not finite",
        "D031": "A number has an unknown unit",
        "D032": "Two components have one id",
        "D033": "Two parts of a cell have one id",
        "D034": "A reference names no component of the model",
        "D040": "The parent of a segment is missing, or is below it",
        "D041": "A morphology has no root segment, or several",
        "D042": "A segment lacks an end point",
        "D043": "A segmentGroup names a segment or group that is missing",
        "D044": "A segmentGroup includes itself",
        "D045": "A property lies on a segmentGroup or segment that is missing",
        "P001": "A path matches nothing",
        "P002": "A path matches several numbers",
        "P003": "A path is not written as paths are",
        "P004": "A path leads to something that is not a number",
        "P005": "Two edits give one number different values",
        "P006": "A parameter string of pynml-tune cannot be read",
    }
)
