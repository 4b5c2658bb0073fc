"""Members of segment groups: member, include, path and subTree, all expanded."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from nmlopt.document.model import Element
from nmlopt.errors import Issue
from nmlopt.ir.segments import Segment, child, integer, stop_on


def group_elements(morphology: Element) -> dict[str, Element]:
    """The segmentGroup elements by id, in document order; the first of equal ids."""
    found: dict[str, Element] = {}
    for element in morphology.children:
        if element.tag == "segmentGroup":
            found.setdefault(element.attributes.get("id", ""), element)
    return found


def read_groups(
    morphology: Element, segments: Mapping[int, Segment], issues: list[Issue]
) -> dict[str, tuple[int, ...]]:
    """Segment ids of each group, in the order in which its children list them, each once.

    What is wrong is appended to `issues` (I101, I110-I113); raises UnsupportedError when includes go in a circle.
    """
    elements = group_elements(morphology)
    known = set(elements.values())
    for element in morphology.children:
        if element.tag == "segmentGroup" and element not in known:
            name = element.attributes.get("id", "")
            issues.append(Issue("I110", f"two segment groups have the id '{name}'", element.where, "ids must differ"))
    includes = {name: _included(element, elements, issues) for name, element in elements.items()}
    try:
        order = tuple(TopologicalSorter(includes).static_order())
    except CycleError as error:
        names = error.args[1]
        found = Issue("I112", f"segment groups include each other: {' > '.join(names)}", elements[names[0]].where)
        issues.append(found)
        stop_on([found])
    tree = _Tree(segments)
    members: dict[str, tuple[int, ...]] = {}
    for name in order:
        ids: dict[int, None] = {}
        for part in elements[name].children:
            ids.update(dict.fromkeys(_expand(part, members, tree, issues)))
        members[name] = tuple(ids)
    return {name: members[name] for name in elements}


class _Tree:
    """Ways through the tree of segments."""

    __slots__ = ("_children", "_segments")

    def __init__(self, segments: Mapping[int, Segment]) -> None:
        self._segments = segments
        self._children: dict[int, list[int]] = {}
        for segment in segments.values():
            if segment.parent is not None:
                self._children.setdefault(segment.parent, []).append(segment.id)

    def __contains__(self, number: int) -> bool:
        return number in self._segments

    def up(self, number: int) -> list[int]:
        """The segment and all its ancestors, root last."""
        way = [number]
        while (parent := self._segments[way[-1]].parent) is not None:
            way.append(parent)
        return way

    def between(self, start: int | None, end: int) -> list[int]:
        """The way from one segment (None: the root) to another, both included."""
        down = self.up(end)[::-1]
        if start is None:
            return down
        up = self.up(start)
        shared = set(up) & set(down)
        return [s for s in up if s not in shared] + [down[len(shared) - 1]] + down[len(shared) :]

    def below(self, number: int) -> list[int]:
        """The segment and all its descendants, depth first in document order."""
        found: list[int] = []
        waiting = [number]
        while waiting:
            found.append(waiting.pop())
            waiting.extend(reversed(self._children.get(found[-1], [])))
        return found


def _included(element: Element, elements: Mapping[str, Element], issues: list[Issue]) -> list[str]:
    names = []
    for part in element.children:
        if part.tag == "include":
            name = part.attributes.get("segmentGroup", "")
            if name in elements:
                names.append(name)
            else:
                issues.append(Issue("I111", f"there is no segment group '{name}' to include", part.where))
    return names


def _expand(part: Element, members: Mapping[str, tuple[int, ...]], tree: _Tree, issues: list[Issue]) -> list[int]:
    if part.tag == "member":
        found = _reference(part, tree, issues)
        return [] if found is None else [found]
    if part.tag == "include":
        return list(members.get(part.attributes.get("segmentGroup", ""), ()))
    if part.tag not in ("path", "subTree"):
        return []
    before = len(issues)
    start, end = (
        None if (point := child(part, tag)) is None else _reference(point, tree, issues) for tag in ("from", "to")
    )
    if len(issues) > before:
        return []
    if part.tag == "subTree" and start is not None:
        return tree.below(start)
    if end is not None:
        return tree.between(start if part.tag == "path" else None, end)
    message = f"<{part.tag}> does not say where it ends"
    issues.append(Issue("I113", message, part.where, "a path needs <to>, a subTree <from>"))
    return []


def _reference(element: Element, tree: _Tree, issues: list[Issue]) -> int | None:
    number = integer(element, "segment", issues)
    if number is not None and number not in tree:
        issues.append(Issue("I111", f"there is no segment {number}", element.where))
        return None
    return number
