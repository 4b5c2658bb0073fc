"""Small morphologies as text, read with the real reader."""

from __future__ import annotations

import itertools
from pathlib import Path

from nmlopt.document.model import Element
from nmlopt.document.read import read
from nmlopt.errors import Issue
from nmlopt.ir.geometry import build_geometry
from nmlopt.ir.model import Geometry

HEAD = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc"><cell id="c"><morphology id="m">\n'
TAIL = "</morphology></cell></neuroml>\n"


def segment(number, distal, proximal=None, parent=None, along=None) -> str:
    """One <segment>; points are (x, y, z, diameter)."""
    lines = [f'<segment id="{number}">']
    if parent is not None:
        fraction = "" if along is None else f' fractionAlong="{along}"'
        lines.append(f'<parent segment="{parent}"{fraction}/>')
    for tag, point in (("proximal", proximal), ("distal", distal)):
        if point is not None:
            x, y, z, d = point
            lines.append(f'<{tag} x="{x}" y="{y}" z="{z}" diameter="{d}"/>')
    return "".join(lines) + "</segment>\n"


def group(name, *members, marked=False, divisions=None, extra="") -> str:
    """One <segmentGroup>; members are segment ids or names of groups."""
    lexid = ' neuroLexId="sao864921383"' if marked else ""
    lines = [f'<segmentGroup id="{name}"{lexid}>']
    if divisions is not None:
        lines.append(f'<property tag="numberInternalDivisions" value="{divisions}"/>')
    for m in members:
        lines.append(f'<member segment="{m}"/>' if isinstance(m, int) else f'<include segmentGroup="{m}"/>')
    return "".join(lines) + extra + "</segmentGroup>\n"


class Builder:
    """Writes morphologies into a folder and builds their geometry."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    def elements(self, *parts: str) -> tuple[Element, Element]:
        """The cell and its morphology."""
        path = self._folder / f"m{next(self._numbers)}.nml"
        path.write_text(HEAD + "".join(parts) + TAIL)
        cell = next(iter(read(path).components()))
        return cell, cell.children[0]

    def build(self, *parts: str) -> tuple[Geometry, list[Issue]]:
        """The geometry and what was found."""
        issues: list[Issue] = []
        return build_geometry(*self.elements(*parts), issues), issues
