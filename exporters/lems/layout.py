"""Where inputs and recordings are on a cell, in the words of LEMS: nothing for one compartment, else segments."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from nmlopt.backend import Program
from nmlopt.codegen.templating import num
from nmlopt.exporters.lems.batch import Layout
from nmlopt.ir.model import Cell, Geometry, Site, Span

_ROUNDING: Final = 1e-6
_EARLY_STEPS: Final = 1e-4
"""How much before its moment an edge is written in jLEMS, in steps: see `stimuli.Target`."""


def is_isopotential(cell: Cell) -> bool:
    """Whether jLEMS itself can run it: a point cell, or one compartment."""
    return cell.geometry is None or len(cell.geometry.compartments) == 1


def for_jlems(program: Program) -> Layout:
    """Cells of one compartment, with no word of the place."""
    return Layout(lambda _: "", lambda _: "", lambda _: None, _EARLY_STEPS * program.settings.dt_ms)


def for_people(program: Program) -> Layout:
    """As the cell is, with times as they were asked for."""
    return replace(for_jlems(program), early_ms=0.0) if is_isopotential(program.cell) else for_neuron(program)


def for_neuron(program: Program) -> Layout:
    """Cells whose parts are called by segment."""
    geometry = program.cell.geometry
    assert geometry is not None  # point cells go to jLEMS

    return Layout(
        lambda site: _place(geometry, site),
        lambda site: f"{nearest_segment(geometry, site)}/",
        lambda site: None if is_at_middle(geometry, site) else geometry.compartments[site.compartment].x,
    )


def nearest_segment(geometry: Geometry, site: Site) -> int:
    """The segment of the site's section whose middle is nearest: LEMS names places by segments."""
    return min((abs(_middle(s) - site.x), s.segment) for s in geometry.spans if s.section == site.section)[1]


def is_at_middle(geometry: Geometry, site: Site) -> bool:
    """Whether the middle of that segment lies in the compartment of the site, so that LEMS can name the place.

    A middle between two compartments names neither: rounding decides which it is.
    """
    divisions = geometry.sections[site.section].divisions
    first = next(k for k, c in enumerate(geometry.compartments) if c.section == site.section)
    segment = nearest_segment(geometry, site)
    middle = next(_middle(s) for s in geometry.spans if s.section == site.section and s.segment == segment)
    within, at = math.modf(middle * divisions)
    return first + int(at) == site.compartment and _ROUNDING < within < 1.0 - _ROUNDING


def _middle(span: Span) -> float:
    return 0.5 * (span.start + span.end)


def _place(geometry: Geometry, site: Site) -> str:
    spans = [s for s in geometry.spans if s.section == site.section and s.start <= site.x <= s.end and s.end > s.start]
    span = spans[0] if spans else next(s for s in geometry.spans if s.section == site.section)
    length = span.end - span.start
    fraction = (site.x - span.start) / length if length > 0.0 else 0.5
    return f' segmentId="{span.segment}" fractionAlong="{num(fraction)}"'
