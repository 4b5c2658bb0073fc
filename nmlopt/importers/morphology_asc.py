"""Neurolucida files (.asc), read by MorphIO. Sections, and how they join the soma, are those of NEURON's Import3d."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from nmlopt.errors import Issue, MorphologyError, Severity
from nmlopt.importers.morphology_contour import stack
from nmlopt.importers.morphology_model import LARGEST_UM, SOMA, Point, RawMorphology, RawSection
from nmlopt.importers.morphology_tidy import tidy

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PLACE = re.compile(r"^\S*:(?P<line>\d+):(error|warning)$")


def read_asc(path: Path, text: str) -> RawMorphology:
    """The morphology of a Neurolucida text: the outline of the soma as a stack of frusta, all trees on its middle.

    Raises MorphologyError M002 (not understood, several outlines), M006, M007, M008 (no soma).
    """
    try:
        import morphio
    except ImportError as error:
        hint = "python -m pip install morphio"
        raise MorphologyError(Issue("M009", "MorphIO is not installed", str(path), hint)) from error
    try:
        found = morphio.Morphology(text, "asc", warning_handler=morphio.WarningHandlerCollector())
    except morphio.MorphioError as error:
        raise MorphologyError(_issue(str(error), path)) from error
    if len(found.soma.points) < 3:
        hint = 'an outline of at least three points, named "CellBody", is needed to connect the trees'
        raise MorphologyError(Issue("M008", "the file holds no outline of a soma", str(path), hint))
    sections = [RawSection(SOMA, stack(found.soma.points.tolist(), str(path)), -1, 0.0)]
    index = {-1: 0}
    for section in found.iter():
        index[section.id] = len(sections)
        points = tuple(_points(section.points, section.diameters))
        if section.is_root:
            sections.append(RawSection(int(section.type), points, 0, 0.5))
        else:
            sections.append(RawSection(int(section.type), points, index[section.parent.id], 1.0))
    wrong = sum(not _is_sound(point) for section in sections for point in section.points)
    if wrong:
        message = f"{wrong} points have no place within a metre, or no diameter above 0"
        raise MorphologyError(Issue("M006", message, str(path)))
    return tidy(RawMorphology(tuple(sections), tuple(_notices(sections, path))), str(path))


def _points(places: Iterable[Iterable[object]], diameters: Iterable[object]) -> Iterable[Point]:
    """MorphIO holds single precision: the shortest decimals that mean the same are those of the file."""
    for place, diameter in zip(places, diameters, strict=True):
        x, y, z = (float(str(value)) for value in place)
        yield x, y, z, float(str(diameter))


def _is_sound(point: Point) -> bool:
    return point[3] > 0 and all(abs(value) < LARGEST_UM for value in point)


def _notices(sections: Iterable[RawSection], path: Path) -> Iterable[Issue]:
    if len(list(sections)) == 1:
        message = "the file holds a soma but no tree of a known kind"
        yield Issue("M010", message, str(path), severity=Severity.WARNING)


def _issue(message: str, path: Path) -> Issue:
    """MorphIO's message as a finding."""
    lines = [line for row in _COLOUR.sub("", message).splitlines() if (line := row.strip())]
    places = [found for line in lines if (found := _PLACE.match(line))]
    told = " ".join(line for line in lines if not _PLACE.match(line)) or "the file cannot be read"
    where = f"{path}:{places[0]['line']}" if places else str(path)
    if "already defined" in told:
        return Issue("M002", "the soma is drawn by several outlines, one can be read", where, "keep the widest")
    return Issue("M002", told, where)
