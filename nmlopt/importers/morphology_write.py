"""A morphology as the text of a NeuroML cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from nmlopt.importers.morphology_model import (
    APICAL,
    AXON,
    BASAL,
    SOMA,
    Point,
    RawSection,
    divisions,
    length,
)
from nmlopt.units import format_number

_HEAD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2"
         xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
         xsi:schemaLocation="http://www.neuroml.org/schema/neuroml2 \
https://raw.githubusercontent.com/NeuroML/NeuroML2/master/Schemas/NeuroML2/NeuroML_v2.3.1.xsd"
         id="{id}_document">

"""
_NAMES: Final[Mapping[int, str]] = {SOMA: "soma", AXON: "axon", BASAL: "dend", APICAL: "apic"}
_SECTION_LEX: Final = "sao864921383"
_LEX: Final[Mapping[str, str]] = {
    "soma_group": "GO:0043025",
    "axon_group": "GO:0030424",
    "dendrite_group": "GO:0030425",
}
_GROUPS: Final[Mapping[int, str]] = {
    SOMA: "soma_group",
    AXON: "axon_group",
    BASAL: "basal_group",
    APICAL: "apical_group",
}
_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class WrittenSection:
    """A section as the document has it: its group's id, its segments' ids in order, its number of compartments."""

    name: str
    section: RawSection
    segments: tuple[int, ...]
    divisions: int


def written_sections(sections: Sequence[RawSection], longest_um: float) -> tuple[WrittenSection, ...]:
    """Names as NEURON's Import3d gives them (`dend[3]` is `dend_3`, a single soma `soma`), ids in file order from 0."""
    amounts = Counter(section.kind for section in sections)
    used: Counter[int] = Counter()
    found = []
    next_id = 0
    for section in sections:
        base = _NAMES.get(section.kind, f"dend_{section.kind}")
        is_single_soma = section.kind == SOMA and amounts[SOMA] == 1
        name = base if is_single_soma else f"{base}_{used[section.kind]}"
        used[section.kind] += 1
        segments = tuple(range(next_id, next_id + len(section.points) - 1))
        next_id += len(segments)
        found.append(WrittenSection(name, section, segments, divisions(length(section), longest_um)))
    return tuple(found)


def region_groups(sections: Iterable[WrittenSection]) -> dict[str, list[str]]:
    """Names of sections, or of groups, that each region includes; only regions that hold something."""
    groups: dict[str, list[str]] = {}
    for written in sections:
        kind = written.section.kind
        groups.setdefault(_GROUPS.get(kind, f"dendrite_{kind}_group"), []).append(written.name)
    dendrites = [name for name in groups if name not in ("soma_group", "axon_group")]
    order = [name for name in ("soma_group", "axon_group") if name in groups] + dendrites
    regions = {name: groups[name] for name in order}
    if dendrites:
        regions["dendrite_group"] = dendrites
    return {"all": list(regions)[: len(order)], **regions} if regions else {}


@dataclass(frozen=True, slots=True)
class Additions:
    """What a document has beside the morphology: text before the cell and after the morphology; children of groups."""

    before: str = ""
    after: str = ""
    in_groups: Mapping[str, str] = field(default_factory=dict)


def cell_text(
    sections: Sequence[WrittenSection], cell_id: str, notes: Sequence[str], additions: Additions | None = None
) -> str:
    """The whole document."""
    more = Additions() if additions is None else additions
    return (
        _HEAD.format(id=cell_id)
        + more.before
        + f"    <cell id={quoteattr(cell_id)}>\n"
        + "        <notes>\n"
        + "".join(f"            {escape(line)}\n" for line in notes)
        + "        </notes>\n"
        + _morphology(sections, cell_id, more.in_groups)
        + more.after
        + "    </cell>\n\n</neuroml>\n"
    )


def _morphology(sections: Sequence[WrittenSection], cell_id: str, in_groups: Mapping[str, str]) -> str:
    lines = [f"<morphology id={quoteattr(f'{cell_id}_morphology')}>"]
    for written in sections:
        lines.extend(f"    {line}" for line in _segments(written, sections))
    for written in sections:
        lines.append(f'    <segmentGroup id="{written.name}" neuroLexId="{_SECTION_LEX}">')
        lines.append(f'        <property tag="numberInternalDivisions" value="{written.divisions}"/>')
        lines.extend(f'        <member segment="{segment}"/>' for segment in written.segments)
        lines.append("    </segmentGroup>")
    regions = region_groups(sections)
    for name in [*(n for n in regions if n not in ("all", "dendrite_group")), "dendrite_group", "all"]:
        if name not in regions:
            continue
        lex = f' neuroLexId="{_LEX[name]}"' if name in _LEX else ""
        lines.append(f'    <segmentGroup id="{name}"{lex}>')
        lines.extend(f'        <include segmentGroup="{part}"/>' for part in regions[name])
        lines.extend(f"        {line}" for line in in_groups.get(name, "").splitlines())
        lines.append("    </segmentGroup>")
    lines.append("</morphology>")
    return "".join(f"        {line}\n" for line in lines)


def joint(written: WrittenSection, x: float) -> tuple[int, float]:
    """The segment and the fraction along it at the length fraction `x` of a section."""
    points = written.section.points
    if x <= 0:
        return written.segments[0], 0.0
    wanted = x * length(written.section)
    for segment, a, b in zip(written.segments, points, points[1:], strict=False):
        step = length(RawSection(0, (a, b), -1, 0.0))
        fraction = round(wanted / step, _DIGITS) if step else 0.0
        if 0 < fraction <= 1:
            return segment, fraction
        wanted -= step
    return written.segments[-1], 1.0


def _segments(written: WrittenSection, sections: Sequence[WrittenSection]) -> Iterator[str]:
    points = written.section.points
    for k, segment in enumerate(written.segments):
        yield f'<segment id="{segment}" name="{written.name}_{k}">'
        if k:
            yield f'    <parent segment="{segment - 1}"/>'
        elif written.section.parent >= 0:
            parent, fraction = joint(sections[written.section.parent], written.section.parent_x)
            along = "" if fraction == 1 else f' fractionAlong="{format_number(fraction)}"'
            yield f'    <parent segment="{parent}"{along}/>'
        if k == 0:
            yield f"    {_point('proximal', points[0])}"
        yield f"    {_point('distal', points[k + 1])}"
        yield "</segment>"


def _point(tag: str, point: Point) -> str:
    x, y, z, diameter = (format_number(round(value, _DIGITS)) for value in point)
    return f'<{tag} x="{x}" y="{y}" z="{z}" diameter="{diameter}"/>'
