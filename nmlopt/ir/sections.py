"""Unbranched sections: which segments form one cable, its points, where it joins its parent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nmlopt.document.model import Element
from nmlopt.errors import Issue, Severity
from nmlopt.ir.cable import arc_lengths
from nmlopt.ir.groups import group_elements
from nmlopt.ir.model import Section, Span
from nmlopt.ir.segments import Fixed, Point, Segment, read_number

UNBRANCHED = "sao864921383"
"""The neuroLexId that marks a segment group as one section."""
DIVISIONS = "numberInternalDivisions"
MOST_DIVISIONS = 32767
"""What NEURON takes for one section."""
_SAME_PLACE_UM = 1e-6


@dataclass(frozen=True, slots=True)
class Chain:
    """Segments that form one section, proximal first, and its number of compartments."""

    name: str
    segments: tuple[int, ...]
    divisions: int


def chains(
    morphology: Element,
    segments: Mapping[int, Segment],
    groups: Mapping[str, tuple[int, ...]],
    fixed: Fixed,
    issues: list[Issue],
) -> list[Chain]:
    """The sections to be, in document order.

    A group marked as an unbranched section is one, named by its id, with its numberInternalDivisions (1 if it gives
    none). If its segments are no single chain, each contiguous chain becomes a section, the divisions shared out by
    length (I115). A segment in no such group is a section of one compartment.
    """
    marked = {n: e for n, e in group_elements(morphology).items() if e.attributes.get("neuroLexId") == UNBRANCHED}
    taken: dict[int, str] = {}
    names = set(groups)
    found: list[Chain] = []
    for name, element in marked.items():
        own = [s for s in groups[name] if taken.setdefault(s, name) == name]
        if len(own) < len(groups[name]):
            message = f"section group '{name}' holds segments that are in an earlier section; they stay there"
            issues.append(Issue("I114", message, element.where, severity=Severity.WARNING))
        pieces = _unbranched(own, segments)
        divisions = _divisions(element, fixed, issues)
        if len(pieces) > 1:
            message = f"section group '{name}' is not one unbranched chain; it is split into {len(pieces)} sections"
            issues.append(Issue("I115", message, element.where, severity=Severity.WARNING))
        shares = _shares(pieces, segments, divisions)
        for k, (piece, share) in enumerate(zip(pieces, shares, strict=True), start=1):
            found.append(Chain(name if k == 1 else _unique(f"{name}_{k}", names), tuple(piece), share))
    _warn_of_ignored_divisions(morphology, marked, issues)
    rest = [s for s in segments.values() if s.id not in taken]
    if marked and rest:
        message = f"{len(rest)} segments are in no section group; each becomes a section of one compartment"
        issues.append(Issue("I116", message, rest[0].element.where, severity=Severity.WARNING))
    names = names if marked else set()
    found.extend(Chain(_unique(s.name or f"section_{s.id}", names), (s.id,), 1) for s in rest)
    return found


def build_sections(
    parts: Sequence[Chain], segments: Mapping[int, Segment], issues: list[Issue]
) -> tuple[list[Section], list[Span]]:
    """Sections, parents first, otherwise in the order given; where each segment lies, by section."""
    owner = {s: k for k, part in enumerate(parts) for s in part.segments}
    parents = [owner.get(-1 if (p := segments[c.segments[0]].parent) is None else p, -1) for c in parts]
    sections: list[Section] = []
    spans: dict[int, Span] = {}
    new_index: dict[int, int] = {}
    for old in _parents_first(parents):
        part = parts[old]
        first = segments[part.segments[0]]
        new_index[old] = len(sections)
        parent_x = 0.0 if first.parent is None else along(spans[first.parent], first.fraction)
        points, arcs = _polyline([segments[s] for s in part.segments], issues)
        total = arcs[-1]
        for number, start, end in zip(part.segments, arcs, arcs[1:], strict=False):
            # a cable of no length has been reported by _polyline
            spans[number] = Span(number, len(sections), start / total if total else 0.0, end / total if total else 1.0)
        parent = new_index.get(parents[old], -1)
        sections.append(Section(part.name, points, parent, parent_x, part.divisions, part.segments))
    return sections, list(spans.values())


def along(span: Span, fraction: float) -> float:
    """Length fraction of the section at `fraction` of a segment; its very ends at 0 and 1."""
    if fraction in (0.0, 1.0):
        return span.end if fraction else span.start
    return span.start + fraction * (span.end - span.start)


def _unbranched(members: Iterable[int], segments: Mapping[int, Segment]) -> list[list[int]]:
    """Contiguous chains: a segment goes on where its parent's distal end is, the first listed child wins."""
    listed = list(members)
    inside = set(listed)
    successor: dict[int, int] = {}
    starts: list[int] = []
    for number in listed:
        parent = segments[number].parent
        if parent in inside and parent is not None and segments[number].fraction == 1 and parent not in successor:
            successor[parent] = number
        else:
            starts.append(number)
    pieces = []
    for start in starts:
        piece = [start]
        while piece[-1] in successor:
            piece.append(successor[piece[-1]])
        pieces.append(piece)
    return pieces


def _shares(pieces: Sequence[Sequence[int]], segments: Mapping[int, Segment], divisions: int) -> list[int]:
    if len(pieces) == 1:
        return [divisions]
    lengths = [sum(segments[s].length_um for s in piece) for piece in pieces]
    total = sum(lengths) or 1.0
    return [max(1, round(divisions * length / total)) for length in lengths]


def _polyline(chain: Sequence[Segment], issues: list[Issue]) -> tuple[tuple[Point, ...], list[float]]:
    """Points of a section, and the arc length (µm) at which each segment starts, plus that of the end.

    A segment whose own proximal point is not where its parent ends is moved there, since such a gap is no cable; a
    jump in diameter becomes two points at one place. A lone segment of length 0 and equal diameters is a sphere: a
    cylinder of the same area, as long as wide, along y.
    """
    first = chain[0]
    if len(chain) == 1 and first.length_um == 0 and first.proximal[3] == first.distal[3] > 0:
        x, y, z, d = first.distal
        return ((x, y - d / 2, z, d), (x, y + d / 2, z, d)), [0.0, d]
    points: list[Point] = [first.proximal]
    shift = (0.0, 0.0, 0.0)
    ends = [0]
    for segment in chain:
        last = points[-1]
        gap = (last[0] - segment.proximal[0], last[1] - segment.proximal[1], last[2] - segment.proximal[2])
        if math.dist(gap, shift) > _SAME_PLACE_UM:
            shift = gap
            message = f"segment {segment.id} does not start where its parent ends; the gap is closed"
            issues.append(Issue("I117", message, segment.element.where, severity=Severity.WARNING))
        if abs(last[3] - segment.proximal[3]) > _SAME_PLACE_UM:
            points.append((last[0], last[1], last[2], segment.proximal[3]))
        x, y, z, diameter = segment.distal
        points.append((x + shift[0], y + shift[1], z + shift[2], diameter))
        ends.append(len(points) - 1)
    arcs = arc_lengths(points)
    if not arcs[-1] > 0:
        message = f"segment {first.id} has no length, and is no sphere"
        hint = "a sphere has its two points at one place and equal diameters"
        issues.append(Issue("I109", message, first.element.where, hint))
    return tuple(points), [arcs[k] for k in ends]


def _parents_first(parents: Sequence[int]) -> list[int]:
    order: dict[int, None] = {}
    for index in range(len(parents)):
        way = []
        while index >= 0 and index not in order:
            way.append(index)
            index = parents[index]
        order.update(dict.fromkeys(reversed(way)))
    return list(order)


def _unique(name: str, names: set[str]) -> str:
    chosen, k = name, 2
    while chosen in names:
        chosen, k = f"{name}_{k}", k + 1
    names.add(chosen)
    return chosen


def _division_property(group: Element) -> Element | None:
    """`<property tag="numberInternalDivisions">` of the group or within its annotation."""
    waiting = list(group.children)
    while waiting:
        element = waiting.pop(0)
        if element.tag == "property" and element.attributes.get("tag") == DIVISIONS:
            return element
        if element.tag == "annotation" or element.parent is not group:
            waiting.extend(element.children)
    return None


def _divisions(group: Element, fixed: Fixed, issues: list[Issue]) -> int:
    element = _division_property(group)
    if element is None:
        return 1
    before = len(issues)
    value = read_number(element, "value", fixed, issues)
    if len(issues) == before and not (value >= 1 and value == int(value)):
        issues.append(Issue("I118", f"{DIVISIONS} {value:g} is not a whole number above 0", element.where))
    elif value > MOST_DIVISIONS:
        message = f"{DIVISIONS} {value:g} is more than {MOST_DIVISIONS}"
        issues.append(Issue("I118", message, element.where, "no section needs that many compartments"))
    return int(value) if 1 <= value <= MOST_DIVISIONS else 1


def _warn_of_ignored_divisions(morphology: Element, marked: Mapping[str, Element], issues: list[Issue]) -> None:
    for name, group in group_elements(morphology).items():
        element = _division_property(group)
        if name not in marked and element is not None:
            message = f"group '{name}' is no section, so its {DIVISIONS} has no effect"
            hint = f'mark an unbranched group with neuroLexId="{UNBRANCHED}"'
            issues.append(Issue("I119", message, element.where, hint, Severity.WARNING))
