"""Regions: which compartments a segment group owns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nmlopt.document.model import Element
from nmlopt.errors import Issue, Severity
from nmlopt.ir.groups import group_elements
from nmlopt.ir.model import Compartment, Section, Span

ALL = "all"
"""The region of every compartment; it holds where a document names no group."""


def first_compartments(sections: Sequence[Section]) -> list[int]:
    """Index of the first compartment of each section."""
    starts = [0]
    for section in sections[:-1]:
        starts.append(starts[-1] + section.divisions)
    return starts


def compartment_at(section: Section, x: float) -> int:
    """Number, within its section, of the compartment at length fraction `x`; the distal one on a boundary."""
    return min(int(section.divisions * x), section.divisions - 1)


def build_regions(
    morphology: Element,
    groups: Mapping[str, tuple[int, ...]],
    sections: Sequence[Section],
    compartments: Sequence[Compartment],
    spans: Sequence[Span],
    issues: list[Issue],
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Compartments of every group in document order, 'all' first.

    A compartment belongs to the segment that holds its centre. A group with segments of which none holds a centre gets
    the compartments that hold the middles of its segments (I120). 'all' is the whole cell whatever the document lists.
    """
    holders = _holders(compartments, spans)
    owned: dict[int, list[int]] = {}
    for index, segment in enumerate(holders):
        owned.setdefault(segment, []).append(index)
    starts = first_compartments(sections)
    by_segment = {span.segment: span for span in spans}
    elements = group_elements(morphology)
    regions: dict[str, tuple[int, ...]] = {ALL: tuple(range(len(compartments)))}
    for name, members in groups.items():
        found = sorted(index for segment in members for index in owned.get(segment, ()))
        if members and not found:
            message = f"group '{name}' holds no centre of a compartment; it gets those around its segments' middles"
            hint = "more internal divisions would give it compartments of its own"
            issues.append(Issue("I120", message, elements[name].where, hint, Severity.WARNING))
            found = sorted({_around(by_segment[segment], sections, starts) for segment in members})
        if name != ALL:
            regions[name] = tuple(found)
        elif len(members) != len(by_segment):
            message = f"group '{ALL}' does not hold all segments; the whole cell is taken"
            issues.append(Issue("I121", message, elements[name].where, severity=Severity.WARNING))
    return tuple(regions.items())


def _holders(compartments: Sequence[Compartment], spans: Sequence[Span]) -> list[int]:
    """The segment that holds the centre of each compartment: start <= x < end."""
    holders = []
    k = 0
    for compartment in compartments:
        while spans[k].section < compartment.section or spans[k].end <= compartment.x:
            k += 1
        holders.append(spans[k].segment)
    return holders


def _around(span: Span, sections: Sequence[Section], starts: Sequence[int]) -> int:
    return starts[span.section] + compartment_at(sections[span.section], 0.5 * (span.start + span.end))
