"""Checks of a cell as a whole: where its densities lie, what they read, what is left without a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from nmlopt.document.model import Document, Element
from nmlopt.errors import Issue, NmloptError, Severity
from nmlopt.ir.bind import TEMPERATURE
from nmlopt.ir.choose import temperature_of
from nmlopt.ir.flatten import Flattener
from nmlopt.ir.geometry import build_geometry
from nmlopt.ir.groups import read_groups
from nmlopt.ir.membrane import DEFAULT_INITIAL_V
from nmlopt.ir.nonuniform import uniform_type
from nmlopt.ir.numbers import Numbers
from nmlopt.ir.pools import IONS
from nmlopt.ir.segments import Segment, plain_number, read_segments
from nmlopt.lems.expression import Sym
from nmlopt.lems.resolve import Components, Instance
from nmlopt.lems.types import ComponentType, place
from nmlopt.lint.walk import file_is_lems

_INPUTS: Final = {
    name: Sym(name) for name in ("v", "t", TEMPERATURE, "surfaceArea", *(n for pair in IONS.values() for n in pair))
}
_CURRENTS: Final = ("iDensity", "i")
_NO_ION: Final = frozenset({"", "non_specific", "nonspecific", "none"})
_FEW: Final = 5


@dataclass(frozen=True)
class CellParts:
    """A cell with morphology, its parts wherever they stand, and the segments of each of its groups."""

    element: Element
    morphology: Element
    membrane: Element
    inside: Element | None
    segments: dict[int, Segment]
    groups: dict[str, tuple[int, ...]]
    warnings: tuple[Issue, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """The id of the cell."""
        return self.element.attributes.get("id", "")

    def where(self, element: Element) -> frozenset[int]:
        """The segments that an element of the membrane lies on; none for groups that are missing."""
        varying = [e for e in element.children if e.tag == "variableParameter"]
        if varying:
            return frozenset().union(*(self.where(e) for e in varying if "segmentGroup" in e.attributes))
        group, segment = element.attributes.get("segmentGroup"), element.attributes.get("segment")
        if group is None and segment is not None:
            return frozenset(s for s in self.segments if str(s) == segment)
        if group is None or group == "all":
            return frozenset(self.segments)
        return frozenset(self.groups.get(group, ()))


def cells(document: Document, known: Components) -> Iterator[Issue]:
    """I114-I121 of the geometry, I210, I213-I217, I219-I221: see `nmlopt check --explain`."""
    for top in known.top:
        parts = _parts(known, top)
        if parts is None:
            continue
        yield from parts.warnings
        yield from _segments(parts)
        yield from _empty_groups(parts)
        yield from _without_value(parts)
        yield from _densities(known, parts)


def _parts(known: Components, top: Element) -> CellParts | None:
    """The parts of a cell; None if it is none, or so wrong that other rules say it."""
    try:
        found = known.type_of(top)
        if found is None or not found.extends("cell"):
            return None
        morphology = _part(known, top, "morphology")
        biophysics = _part(known, top, "biophysicalProperties") or _part(known, top, "biophysicalProperties2CaPools")
        membrane = _child(biophysics, "membraneProperties")
        if morphology is None or membrane is None:
            return None
        issues: list[Issue] = []
        segments = read_segments(morphology, plain_number, issues)
        groups = read_groups(morphology, segments, issues)
        geometry: list[Issue] = []
        build_geometry(top, morphology, geometry)
    except NmloptError:
        return None  # what is wrong is found by lowering
    warnings = tuple(i for i in geometry if i.severity is not Severity.ERROR)
    return CellParts(
        top, morphology, membrane, _child(biophysics, "intracellularProperties"), segments, groups, warnings
    )


def _part(known: Components, cell: Element, tag: str) -> Element | None:
    inline = next((e for e in cell.children if e.tag == tag), None)
    wanted = cell.attributes.get(tag)
    return inline if inline is not None or wanted is None else known.reference(wanted, tag, cell)


def _child(parent: Element | None, tag: str) -> Element | None:
    return next((e for e in parent.children if e.tag.startswith(tag)), None) if parent is not None else None


# ------------------------------------------------------------------------------------------ morphology


def _segments(parts: CellParts) -> Iterator[Issue]:
    """I216 segments in no group, I217 segments without length."""
    grouped = {s for name, members in parts.groups.items() if name != "all" for s in members}
    alone = [s for s in parts.segments if s not in grouped]
    if grouped and alone:
        message = f"cell '{parts.name}' has {_count(alone)} in no segmentGroup: {_few(alone)}"
        hint = "properties that lie on groups do not reach them"
        yield Issue("I216", message, place(parts.segments[alone[0]].element), hint, Severity.WARNING)
    points = [s.id for s in parts.segments.values() if _has_no_length(s) and not (_is_round(s) and s.parent is None)]
    if points:
        message = f"cell '{parts.name}' has {_count(points)} without length: {_few(points)}"
        hint = "move its distal point, or join it with its neighbour"
        yield Issue("I217", message, place(parts.segments[points[0]].element), hint, Severity.WARNING)


def _has_no_length(segment: Segment) -> bool:
    return segment.proximal[:3] == segment.distal[:3]


def _is_round(segment: Segment) -> bool:
    """Whether a segment without length stands for a sphere."""
    return segment.proximal[3] == segment.distal[3]


def _empty_groups(parts: CellParts) -> Iterator[Issue]:
    """I221: something that lies on a group without segments."""
    inside = parts.inside.children if parts.inside is not None else ()
    on: dict[str, list[Element]] = {}
    for element in (*parts.membrane.children, *inside):
        for part in (element, *element.children):
            group = part.attributes.get("segmentGroup", "all")
            if group != "all" and group in parts.groups and not parts.groups[group]:
                on.setdefault(group, []).append(part)
    for group, elements in on.items():
        more = f" and {len(elements) - 1} more elements lie" if len(elements) > 1 else " lies"
        message = f"<{elements[0].tag}>{more} on the segmentGroup '{group}', which holds no segment"
        yield Issue("I221", message, place(elements[0]), "it has no effect there", Severity.WARNING)


def _without_value(parts: CellParts) -> Iterator[Issue]:
    """I219: segments without initMembPotential, I220: a cell without spikeThresh."""
    given = [e for e in parts.membrane.children if e.tag == "initMembPotential"]
    left = set(parts.segments).difference(*(parts.where(e) for e in given))
    checked = not file_is_lems(parts.membrane)  # by the schema, which asks for one of each
    if left and (given or not checked):
        message = f"cell '{parts.name}' has {_count(sorted(left))} without initMembPotential: {_few(sorted(left))}"
        hint = f"{DEFAULT_INITIAL_V * 1e3:g} mV is taken there"
        yield Issue("I219", message, place(parts.membrane), hint, Severity.WARNING)
    if not checked and not any(e.tag == "spikeThresh" for e in parts.membrane.children):
        message = f"cell '{parts.name}' has no spikeThresh"
        yield Issue("I220", message, place(parts.membrane), "it never emits a spike event", Severity.WARNING)


# ------------------------------------------------------------------------------------------ densities


def _densities(known: Components, parts: CellParts) -> Iterator[Issue]:
    found = list(_typed_densities(known, parts.membrane))
    yield from _overlaps(parts, [e for e, _ in found])
    reads: dict[tuple[str, str], frozenset[str]] = {}
    warm = False
    for element, type_ in found:
        yield from _ions(known, element)
        key = (type_.name, element.attributes.get("ionChannel", ""))
        if key not in reads:
            reads[key] = _read(known, element, type_)
        warm |= TEMPERATURE in reads[key]
        yield from _concentrations(parts, element, reads[key])
    if warm and not _has_temperature(known):
        message = f"currents of cell '{parts.name}' depend on temperature, and the model states none"
        hint = "6.3 degC is taken; state it in a networkWithTemperature, or per protocol in the targets"
        yield Issue("I215", message, place(parts.element), hint, Severity.WARNING)


def _typed_densities(known: Components, membrane: Element) -> Iterator[tuple[Element, ComponentType]]:
    within = known.type_of(membrane)
    for element in membrane.children:
        try:
            found = known.type_of(element, within)
        except NmloptError:
            continue
        if found is not None and (found.extends("baseChannelDensity") or found.extends("baseChannelPopulation")):
            yield element, found


def _overlaps(parts: CellParts, densities: Iterable[Element]) -> Iterator[Issue]:
    """I210: two densities of one channel on the same segments."""
    earlier: dict[str, list[tuple[Element, frozenset[int]]]] = {}
    for element in densities:
        channel, where = element.attributes.get("ionChannel", ""), parts.where(element)
        for other, there in earlier.get(channel, ()):
            both = sorted(where & there)
            if both:
                names = f"'{other.attributes.get('id')}' and '{element.attributes.get('id')}'"
                message = f"{names} both put channel '{channel}' on {_count(both)}: {_few(both)}"
                hint = "their conductances add up (jNeuroML's NEURON export keeps the last one only)"
                yield Issue("I210", message, place(element), hint, Severity.WARNING)
                break
        earlier.setdefault(channel, []).append((element, where))


def _ions(known: Components, element: Element) -> Iterator[Issue]:
    """I213: a density whose ion is not the species of its channel; I222: one with a reversal potential and no ion."""
    ion = element.attributes.get("ion", "")
    if not ion and "erev" in element.attributes and file_is_lems(element):  # elsewhere the schema asks for it
        message = f"'{element.attributes.get('id', '')}' has a reversal potential and no ion"
        yield Issue("I222", message, place(element), 'state it, or ion="non_specific"', Severity.WARNING)
    for channel in known.by_id.get(element.attributes.get("ionChannel", ""), ())[:1]:
        species = channel.attributes.get("species", "")
        if ion not in _NO_ION and species not in _NO_ION and ion != species:
            id_ = element.attributes.get("id", "")
            message = f"'{id_}' carries the ion '{ion}', but its channel '{channel.attributes['id']}' '{species}'"
            hint = "the ion of the density decides which pool the current feeds; make them the same"
            yield Issue("I213", message, place(element), hint, Severity.WARNING)


def _read(known: Components, element: Element, type_: ComponentType) -> frozenset[str]:
    """The inputs that the current of a density reads; none where it cannot be flattened."""
    try:
        root = Instance(element, uniform_type(known, type_))
        flattener = Flattener(known, Numbers(known.units), _INPUTS, owner=root)
        flattener.want(root, *(name for name in _CURRENTS if flattener.has(root, name)))
        return frozenset(flattener.finish().inputs)
    except NmloptError:
        return frozenset()


def _concentrations(parts: CellParts, element: Element, reads: frozenset[str]) -> Iterator[Issue]:
    """I214: a current that reads a concentration where no species of that ion lies."""
    for ion, names in IONS.items():
        if reads.isdisjoint(names):
            continue
        pools = [e for e in (parts.inside.children if parts.inside else ()) if e.tag == "species"]
        held = frozenset().union(*(parts.where(e) for e in pools if e.attributes.get("ion") == ion))
        bare = sorted(parts.where(element) - held)
        if bare:
            id_ = element.attributes.get("id", "")
            message = f"'{id_}' reads the concentration of '{ion}' on {_count(bare)} without such a species"
            hint = f"it is taken as 0 there ({_few(bare)}); add a <species ion='{ion}'>, or a smaller segmentGroup"
            yield Issue("I214", message, place(element), hint, Severity.WARNING)


def _has_temperature(known: Components) -> bool:
    try:
        return temperature_of(known, Numbers(known.units)) is not None
    except NmloptError:
        return True  # one that cannot be read


def _count(segments: list[int]) -> str:
    return f"{len(segments)} segment{'s' if len(segments) != 1 else ''}"


def _few(segments: list[int]) -> str:
    shown = ", ".join(map(str, segments[:_FEW]))
    return f"{shown}, ..." if len(segments) > _FEW else shown
