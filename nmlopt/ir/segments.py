"""Segments of a morphology as the document gives them, parents resolved, every proximal point known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from nmlopt.document.model import Element
from nmlopt.errors import Issue, NmloptError, UnsupportedError
from nmlopt.units import Quantity

Point: TypeAlias = tuple[float, float, float, float]
"""x, y, z, diameter in µm."""

Fixed: TypeAlias = "Callable[[Element, str], float]"
"""Reads one attribute as a plain number that no candidate may change."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A NeuroML frustum. It joins `parent` (None: the root) at `fraction` (0 its proximal end, 1 its distal)."""

    id: int
    name: str
    parent: int | None
    fraction: float
    proximal: Point
    distal: Point
    element: Element

    @property
    def length_um(self) -> float:
        """Distance between the two ends."""
        return math.dist(self.proximal[:3], self.distal[:3])


@dataclass(frozen=True, slots=True)
class _Draft:
    """A segment as written, before its proximal point is known."""

    id: int
    parent: int | None
    fraction: float
    proximal: Point | None
    distal: Point
    element: Element


def plain_number(element: Element, name: str) -> float:
    """The default `Fixed`: a finite number without a unit. Raises UnitsError."""
    return Quantity.parse(element.attributes[name]).value


def child(element: Element, tag: str) -> Element | None:
    """The first child of that local name."""
    return next((c for c in element.children if c.tag == tag), None)


def integer(element: Element, name: str, issues: list[Issue]) -> int | None:
    """An id or a reference to one; None and an issue (I101) if it is no whole number."""
    text = element.attributes.get(name, "")
    if text.isascii() and text.isdigit():
        return int(text)
    issues.append(Issue("I101", f"<{element.tag}> {name}='{text}' is not a segment id", element.where))
    return None


def read_number(element: Element, name: str, fixed: Fixed, issues: list[Issue]) -> float:
    """An attribute through `fixed`; NaN and an issue (I101) if it is missing or unreadable."""
    if name not in element.attributes:
        issues.append(Issue("I101", f"<{element.tag}> has no attribute '{name}'", element.where))
        return math.nan
    try:
        return fixed(element, name)
    except NmloptError as error:
        issues.extend(Issue("I101", i.message, element.where, i.hint) for i in error.issues)
        return math.nan


def read_segments(morphology: Element, fixed: Fixed, issues: list[Issue]) -> dict[int, Segment]:
    """All segments by id, in document order.

    A missing proximal point is the point of the parent at fractionAlong, its diameter interpolated too. What is wrong
    is appended to `issues` (I101-I109); raises UnsupportedError with the errors when no tree can be made of them.
    """
    before = len(issues)
    drafts: dict[int, _Draft] = {}
    for element in morphology.children:
        if element.tag != "segment":
            continue
        draft = _read_draft(element, fixed, issues)
        if draft is not None and draft.id in drafts:
            issues.append(Issue("I102", f"two segments have the id {draft.id}", element.where, "ids must differ"))
        elif draft is not None:
            drafts[draft.id] = draft
    if not drafts and len(issues) == before:
        issues.append(Issue("I103", "the morphology holds no segment", morphology.where))
    order = _parents_first(drafts, issues)
    stop_on(issues[before:])
    resolved: dict[int, Segment] = {}
    for number in order:
        resolved[number] = _resolve(drafts[number], resolved, issues)
    stop_on(issues[before:])
    return {number: resolved[number] for number in drafts}


def stop_on(issues: Iterable[Issue]) -> None:
    """Raise UnsupportedError with the errors among `issues`, if any."""
    errors = tuple(i for i in issues if i.severity == "error")
    if errors:
        raise UnsupportedError(errors)


def _read_draft(element: Element, fixed: Fixed, issues: list[Issue]) -> _Draft | None:
    number = integer(element, "id", issues)
    distal = child(element, "distal")
    if distal is None:
        issues.append(Issue("I103", "the segment has no distal point", element.where))
    proximal = child(element, "proximal")
    parent_element = child(element, "parent")
    parent, fraction = None, 1.0
    if parent_element is not None:
        parent = integer(parent_element, "segment", issues)
        if "fractionAlong" in parent_element.attributes:
            fraction = read_number(parent_element, "fractionAlong", fixed, issues)
        if not 0 <= fraction <= 1 and not math.isnan(fraction):
            issues.append(Issue("I108", f"fractionAlong {fraction:g} is not within 0 to 1", parent_element.where))
    if number is None or distal is None or (parent_element is not None and parent is None):
        return None
    start = None if proximal is None else _point(proximal, fixed, issues)
    return _Draft(number, parent, fraction, start, _point(distal, fixed, issues), element)


def _point(element: Element, fixed: Fixed, issues: list[Issue]) -> Point:
    x, y, z, diameter = (read_number(element, name, fixed, issues) for name in ("x", "y", "z", "diameter"))
    if diameter < 0:
        issues.append(Issue("I109", f"the diameter {diameter:g} is negative", element.where))
    return x, y, z, diameter


def _parents_first(drafts: dict[int, _Draft], issues: list[Issue]) -> list[int]:
    """Ids, each after its parent's; issues for missing parents, cycles, and roots other than one."""
    children: dict[int, list[int]] = {}
    roots: list[int] = []
    for number, draft in drafts.items():
        if draft.parent is None:
            roots.append(number)
        elif draft.parent in drafts:
            children.setdefault(draft.parent, []).append(number)
        else:
            message = f"segment {number} has the parent {draft.parent}, which does not exist"
            issues.append(Issue("I104", message, draft.element.where))
            roots.append(number)
    for number in [n for n in roots if drafts[n].parent is None][1:]:
        message = f"segment {number} is a second root: it has no parent"
        issues.append(Issue("I105", message, drafts[number].element.where, "a cell is one tree of segments"))
    order = list(roots)
    for number in order:  # grows while it is walked
        order.extend(children.get(number, ()))
    reached = set(order)
    for number in (n for n in drafts if n not in reached):
        message = f"segment {number} descends from itself"
        issues.append(Issue("I106", message, drafts[number].element.where, "one segment must have no parent"))
    return order


def _resolve(draft: _Draft, resolved: dict[int, Segment], issues: list[Issue]) -> Segment:
    proximal = draft.proximal
    if proximal is None and draft.parent is not None:
        parent = resolved[draft.parent]
        proximal = interpolate(parent.proximal, parent.distal, draft.fraction)
    if proximal is None:
        issues.append(Issue("I107", f"the root segment {draft.id} has no proximal point", draft.element.where))
        proximal = draft.distal
    name = draft.element.attributes.get("name", "")
    return Segment(draft.id, name, draft.parent, draft.fraction, proximal, draft.distal, draft.element)


def interpolate(start: Point, end: Point, fraction: float) -> Point:
    """The point and diameter at `fraction` of a frustum; its very ends at 0 and 1."""
    if fraction in (0.0, 1.0):
        return end if fraction else start
    x, y, z, diameter = (a + fraction * (b - a) for a, b in zip(start, end, strict=True))
    return x, y, z, diameter
