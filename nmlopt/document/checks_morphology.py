"""Checks of a morphology: the tree of its segments, its groups, and the references to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from nmlopt.document.model import Document, Element
from nmlopt.errors import Issue


@dataclass(frozen=True, slots=True)
class Morphology:
    """A morphology, its segments and groups by id, and the cells that use it."""

    element: Element
    segments: dict[str, Element]
    groups: dict[str, Element]
    cells: tuple[Element, ...]


def morphologies(document: Document) -> list[Morphology]:
    """All morphologies of a document, inside cells or beside them."""
    top = list(document.components())
    beside = {e.attributes.get("id"): e for e in top if e.tag == "morphology"}
    users: dict[Element, list[Element]] = {e: [] for e in beside.values()}
    for cell in (e for e in top if e.tag in ("cell", "cell2CaPools")):
        own = [e for e in cell.children if e.tag == "morphology"]
        other = beside.get(cell.attributes.get("morphology"))
        for element in own or ([other] if other is not None else []):
            users.setdefault(element, []).append(cell)
    return [
        Morphology(element, _by_id(element, "segment"), _by_id(element, "segmentGroup"), tuple(cells))
        for element, cells in users.items()
    ]


def parents(document: Document) -> Iterator[Issue]:
    """D040: a segment whose parent does not exist, or that is its own ancestor."""
    for morphology in morphologies(document):
        segments = morphology.segments
        parent = {id_: _parent(segment) for id_, segment in segments.items()}
        for id_, above in parent.items():
            if above is not None and above not in segments:
                near = get_close_matches(above, segments, n=1)
                hint = f"did you mean {near[0]}?" if near else "segments are named by their id"
                yield Issue(
                    "D040", f"segment {id_} has the parent {above}, which is missing", segments[id_].where, hint
                )
        for id_ in _in_cycles(parent):
            yield Issue("D040", f"segment {id_} is its own ancestor", segments[id_].where, "mend the parents")


def roots(document: Document) -> Iterator[Issue]:
    """D041: no segment without parent, or several."""
    for morphology in morphologies(document):
        found = [s for s in morphology.segments.values() if _parent(s) is None]
        if len(found) == 1:
            continue
        if not found:
            message, hint = "the morphology has no segment without parent", "one segment is the root of the tree"
            yield Issue("D041", message, morphology.element.where, hint)
        for extra in found[1:]:
            first = found[0].attributes.get("id")
            message = f"segment {extra.attributes.get('id')} has no parent, nor has segment {first}"
            yield Issue("D041", message, extra.where, "give all segments but one a <parent>")


def ends(document: Document) -> Iterator[Issue]:
    """D042: a segment without distal end, or a root segment without proximal end."""
    for morphology in morphologies(document):
        for id_, segment in morphology.segments.items():
            tags = {e.tag for e in segment.children}
            if "distal" not in tags:
                yield Issue("D042", f"segment {id_} has no <distal>", segment.where, "give its end point and diameter")
            if "proximal" not in tags and "parent" not in tags:
                message = f"segment {id_} has neither <parent> nor <proximal>"
                yield Issue("D042", message, segment.where, "give its start point and diameter")


def group_members(document: Document) -> Iterator[Issue]:
    """D043: a group that names a segment or group that is not in its morphology."""
    for morphology in morphologies(document):
        for group in morphology.groups.values():
            for part in group.children:
                yield from _missing_parts(morphology, group, part)


def group_cycles(document: Document) -> Iterator[Issue]:
    """D044: a group that includes itself."""
    for morphology in morphologies(document):
        done: set[str] = set()
        for start, group in morphology.groups.items():
            if _reaches(morphology, start, done):
                yield Issue("D044", f"segmentGroup '{start}' includes itself", group.where, "remove the include")


def group_references(document: Document) -> Iterator[Issue]:
    """D045: a property of a cell on a segmentGroup or segment that its morphology has not."""
    for morphology in morphologies(document):
        for cell in morphology.cells:
            for element in _biophysics(document, cell):
                yield from _missing_places(morphology, element)


def _missing_places(morphology: Morphology, element: Element) -> Iterator[Issue]:
    group, segment = element.attributes.get("segmentGroup"), element.attributes.get("segment")
    if group is not None and group != "all" and group not in morphology.groups:
        message = f"<{element.tag}> is on the segmentGroup '{group}', which is missing"
        yield Issue("D045", message, element.where, _near(group, [*morphology.groups, "all"]))
    if segment is not None and segment not in morphology.segments:
        message = f"<{element.tag}> is on the segment '{segment}', which is missing"
        yield Issue("D045", message, element.where, _near(segment, list(morphology.segments)))


def _biophysics(document: Document, cell: Element) -> Iterator[Element]:
    own = [e for e in cell.children if e.tag.startswith("biophysicalProperties")]
    name = cell.attributes.get("biophysicalProperties")
    beside = [e for e in document.components() if e.tag.startswith("biophysicalProperties") and name is not None]
    for element in own or [e for e in beside if e.attributes.get("id") == name]:
        yield from element.walk()


def _missing_parts(morphology: Morphology, group: Element, part: Element) -> Iterator[Issue]:
    id_ = group.attributes.get("id", "")
    wanted = part.attributes.get("segment") if part.tag in ("member", "from", "to") else None
    if wanted is not None and wanted not in morphology.segments:
        message = f"segmentGroup '{id_}' names the segment {wanted}, which is missing"
        yield Issue("D043", message, part.where, _near(wanted, list(morphology.segments)))
    other = part.attributes.get("segmentGroup") if part.tag == "include" else None
    if other is not None and other not in morphology.groups and other != "all":
        message = f"segmentGroup '{id_}' includes the group '{other}', which is missing"
        yield Issue("D043", message, part.where, _near(other, list(morphology.groups)))
    if part.tag in ("path", "subTree"):
        for end in part.children:
            yield from _missing_parts(morphology, group, end)


def _reaches(morphology: Morphology, start: str, done: set[str]) -> bool:
    """Whether a group is among what it includes; groups in `done` lead to no cycle."""
    waiting, seen = [start], set[str]()
    while waiting:
        group = morphology.groups.get(waiting.pop())
        for part in group.children if group is not None else ():
            name = part.attributes.get("segmentGroup") if part.tag == "include" else None
            if name == start:
                return True
            if name is not None and name not in seen and name not in done:
                seen.add(name)
                waiting.append(name)
    done.add(start)
    return False


def _by_id(morphology: Element, tag: str) -> dict[str, Element]:
    return {e.attributes.get("id", ""): e for e in morphology.children if e.tag == tag}


def _parent(segment: Element) -> str | None:
    return next((e.attributes.get("segment", "") for e in segment.children if e.tag == "parent"), None)


def _in_cycles(parent: dict[str, str | None]) -> list[str]:
    """One segment of each cycle of parents."""
    state: dict[str, int] = {}
    found: list[str] = []
    for number, start in enumerate(parent, 1):
        at: str | None = start
        while at is not None and at in parent and at not in state:
            state[at] = number
            at = parent[at]
        if at is not None and state.get(at) == number:
            found.append(at)
    return found


def _near(word: str, words: list[str]) -> str:
    near = get_close_matches(word, words, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(words[:8]) or 'none'}"
