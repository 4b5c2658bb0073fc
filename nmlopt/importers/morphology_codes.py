"""The codes of the findings about morphology files and what each is about."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "M001": "The file cannot be read, or is of no known kind",
        "M002": "A line or part of the file cannot be understood",
        "M003": "Two points have one id",
        "M004": "The parent of a point is missing, or has a larger id than the point",
        "M005": "The file holds no tree, or several",
        "M006": "A coordinate or radius is no number or larger than any cell, or a radius is not above 0",
        "M007": "The soma cannot be made a cylinder stack",
        "M008": "The file holds no soma (a warning where one tree can stand without)",
        "M009": "The library that reads such files is not installed",
        "M010": "Something cannot be kept and is left out (warning)",
        "M020": "The axon cannot be replaced",
        "M021": "The id of the cell or the rule of discretisation makes no sense",
        "M022": "The file to write exists already, or cannot be written",
    }
)
