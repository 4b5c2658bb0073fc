"""Places on a cell: by segment and fraction, or by path distance from the soma along a named way."""

from __future__ import annotations

from collections.abc import Sequence

from nmlopt.errors import Issue, TargetsError
from nmlopt.ir.cable import arc_lengths
from nmlopt.ir.model import Geometry, Site, Span
from nmlopt.ir.regions import compartment_at, first_compartments
from nmlopt.ir.sections import along


def locate(geometry: Geometry, segment: int, fraction: float) -> Site:
    """The site at `fraction` (0 proximal, 1 distal) along a segment.

    Raises TargetsError: I130 no such segment, I131 fraction not within 0 to 1.
    """
    span = _span(geometry, segment)
    if not 0 <= fraction <= 1:
        raise TargetsError(Issue("I131", f"fraction {fraction:g} along segment {segment} is not within 0 to 1"))
    return _site(geometry, span.section, along(span, fraction))


def locate_distance(geometry: Geometry, distance_um: float, towards_segment: int) -> Site:
    """The site `distance_um` away from the middle of the root section, on the way to the end of a segment.

    Distance is path length along the cable, as NEURON's distance() from soma(0.5). On the root section itself the site
    goes from the middle towards the point where the way leaves it.
    Raises TargetsError: I130 no such segment, I132 distance not on that way (the valid range is in the hint).
    """
    span = _span(geometry, towards_segment)
    legs = _way(geometry, span.section, span.end)
    lengths = section_lengths(geometry)
    left = distance_um
    for section, start, end in legs:
        leg = abs(end - start) * lengths[section]
        if 0 <= left <= leg:
            x = start + (left / lengths[section] if end >= start else -left / lengths[section])
            return _site(geometry, section, min(max(x, 0.0), 1.0))
        left -= leg
    reach = sum(abs(end - start) * lengths[section] for section, start, end in legs)
    message = f"{distance_um:g} um from the soma is not on the way to segment {towards_segment}"
    raise TargetsError(Issue("I132", message, hint=f"that way is 0 to {reach:.6g} um long"))


def path_length(geometry: Geometry, site: Site) -> float:
    """Path length (µm) between the middle of the root section and a site."""
    lengths = section_lengths(geometry)
    return sum(abs(end - start) * lengths[section] for section, start, end in _way(geometry, site.section, site.x))


def distances_from_root(geometry: Geometry) -> list[float]:
    """Path length (µm) of every compartment's centre from the 0 end of the root section.

    A section that joins its parent at x starts at x; NEURON's distance() takes the centre of the compartment at x
    instead when x is neither 0 nor 1.
    """
    starts = section_starts(geometry)
    lengths = section_lengths(geometry)
    return [starts[c.section] + c.x * lengths[c.section] for c in geometry.compartments]


def section_lengths(geometry: Geometry) -> list[float]:
    """Length (µm) of every section along its polyline."""
    return [arc_lengths(section.points)[-1] for section in geometry.sections]


def section_starts(geometry: Geometry) -> list[float]:
    """Path length (µm) of every section's 0 end from the 0 end of the root section."""
    lengths = section_lengths(geometry)
    starts: list[float] = []
    for section in geometry.sections:
        origin = 0.0 if section.parent < 0 else starts[section.parent] + section.parent_x * lengths[section.parent]
        starts.append(origin)
    return starts


def _span(geometry: Geometry, segment: int) -> Span:
    for span in geometry.spans:
        if span.segment == segment:
            return span
    known = [span.segment for span in geometry.spans]
    hint = f"segments are {_listed(known)}"
    raise TargetsError(Issue("I130", f"there is no segment {segment}", hint=hint))


def _listed(numbers: Sequence[int]) -> str:
    if len(numbers) <= 10:
        return ", ".join(map(str, sorted(numbers)))
    return f"{min(numbers)} to {max(numbers)} ({len(numbers)} of them)"


def _way(geometry: Geometry, section: int, x: float) -> list[tuple[int, float, float]]:
    """Legs (section, from x, to x) from the middle of the root section to x of another."""
    legs = []
    while geometry.sections[section].parent >= 0:
        legs.append((section, 0.0, x))
        x = geometry.sections[section].parent_x
        section = geometry.sections[section].parent
    legs.append((section, 0.5, x))
    return legs[::-1]


def _site(geometry: Geometry, section: int, x: float) -> Site:
    first = first_compartments(geometry.sections)[section]
    return Site(section, x, first + compartment_at(geometry.sections[section], x))
