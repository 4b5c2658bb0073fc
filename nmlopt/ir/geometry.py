"""The geometry of a cell with morphology: NeuroML segments become sections, compartments and regions."""

from __future__ import annotations

from nmlopt.document.model import Element
from nmlopt.errors import Issue
from nmlopt.ir.cable import compartment_areas
from nmlopt.ir.groups import read_groups
from nmlopt.ir.model import Compartment, Geometry, Section
from nmlopt.ir.regions import build_regions
from nmlopt.ir.sections import build_sections, chains
from nmlopt.ir.segments import Fixed, plain_number, read_segments, stop_on

_M2_PER_UM2 = 1e-12


def build_geometry(cell: Element, morphology: Element, issues: list[Issue], *, fixed: Fixed = plain_number) -> Geometry:
    """Sections, compartments, regions of a cell.

    `fixed(element, attribute)` reads a structural number: points, fractionAlong, numberInternalDivisions. All that is
    found is appended to `issues` (codes I101-I122); raises UnsupportedError, holding the errors among them, when no
    geometry can be made.
    """
    before = len(issues)
    segments = read_segments(morphology, fixed, issues)
    groups = read_groups(morphology, segments, issues)
    parts = chains(morphology, segments, groups, fixed, issues)
    sections, spans = build_sections(parts, segments, issues)
    stop_on(issues[before:])
    compartments = [c for index, section in enumerate(sections) for c in _compartments(index, section)]
    for compartment in compartments:
        if not compartment.area_m2 > 0:
            name = cell.attributes.get("id", "")
            message = f"section '{sections[compartment.section].name}' of cell '{name}' has a part without membrane"
            issues.append(Issue("I122", message, morphology.where, "diameters must be above 0"))
    stop_on(issues[before:])
    regions = build_regions(morphology, groups, sections, compartments, spans, issues)
    return Geometry(tuple(sections), tuple(compartments), tuple(spans), regions)


def _compartments(index: int, section: Section) -> list[Compartment]:
    areas = compartment_areas(section.points, section.divisions)
    return [
        Compartment(index, (2 * k + 1) / (2 * section.divisions), area * _M2_PER_UM2) for k, area in enumerate(areas)
    ]
