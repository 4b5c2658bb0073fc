"""SWC files. Sections, and how they join the soma, are those of NEURON's Import3d (see read_swc.hoc there).

SWC says which point of the soma a neurite hangs on; the areas that NEURON computes depend on it, and MorphIO does not
keep it, so these files are read here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nmlopt.errors import Issue, MorphologyError, Severity
from nmlopt.importers.morphology_model import LARGEST_UM, SOMA, Point, RawMorphology, RawSection
from nmlopt.importers.morphology_tidy import tidy

_COLUMNS = "id type x y z radius parent"
_SPHERE_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class _Node:
    id: int
    kind: int
    point: Point
    parent_id: int
    line: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """Points first..last (indices) of one section; `size` counts the copied parent point too."""

    first: int
    last: int
    size: int


def read_swc(path: Path, text: str) -> RawMorphology:
    """The morphology of an SWC text. Raises MorphologyError M002-M006 with all faults."""
    nodes = sorted(_nodes(path, text), key=lambda node: node.id)
    parents = _parents(path, nodes)
    kinds = [node.kind for node in nodes]
    sphere = _is_three_point_sphere(nodes, parents)
    if sphere:
        parents[2] = 1  # as if the soma were one line of three points
    joins_start, ends = _ends(kinds, parents, three_point_sphere=sphere)
    sections = _Sections(nodes, parents, joins_start, three_point_sphere=sphere)
    first = 0
    for last in ends:
        sections.add(first, last)
        first = last + 1
    notices = () if SOMA in kinds else (_no_soma(path),)
    return tidy(RawMorphology(tuple(sections.built), notices), str(path))


def _nodes(path: Path, text: str) -> list[_Node]:
    issues: list[Issue] = []
    found: dict[int, _Node] = {}
    for line, row in enumerate(text.splitlines(), start=1):
        words = row.split("#")[0].split()
        if not words:
            continue
        node = _node(words, f"{path}:{line}", line, issues)
        if node is None:
            continue
        if node.id in found:
            message = f"point {node.id} is given twice, first in line {found[node.id].line}"
            issues.append(Issue("M003", message, f"{path}:{line}"))
        found[node.id] = node
    if not found and not issues:
        issues.append(Issue("M005", "the file holds no point", str(path), f"a line of SWC is '{_COLUMNS}'"))
    if issues:
        raise MorphologyError(issues)
    return list(found.values())


def _node(words: Sequence[str], where: str, line: int, issues: list[Issue]) -> _Node | None:
    try:
        number, kind, x, y, z, radius, parent = (float(word) for word in words[:7])
    except ValueError:
        issues.append(Issue("M002", f"'{' '.join(words)[:60]}' is no point", where, f"write '{_COLUMNS}'"))
        return None
    if not all(abs(value) < LARGEST_UM for value in (x, y, z, radius)) or radius <= 0:
        issues.append(Issue("M006", f"point {words[0]} has no place within a metre, or no radius above 0", where))
        return None
    if not all(value == int(value) for value in (number, kind, parent) if math.isfinite(value)) or not math.isfinite(
        number + kind + parent
    ):
        issues.append(Issue("M002", "id, type and parent of a point are whole numbers", where, f"write '{_COLUMNS}'"))
        return None
    return _Node(int(number), int(kind), (x, y, z, 2 * radius), int(parent), line)


def _parents(path: Path, nodes: Sequence[_Node]) -> list[int]:
    """Index of each node's parent, -1 for the root."""
    index = {node.id: k for k, node in enumerate(nodes)}
    issues: list[Issue] = []
    roots = [node for node in nodes if node.parent_id < 0]
    for node in nodes:
        where = f"{path}:{node.line}"
        if node.parent_id >= 0 and node.parent_id not in index:
            issues.append(Issue("M004", f"point {node.id} has the parent {node.parent_id}, which is missing", where))
        elif node.parent_id >= node.id:
            hint = "number the points so that parents come first"
            issues.append(Issue("M004", f"point {node.id} has the parent {node.parent_id}, after it", where, hint))
    for node in roots[1:]:
        hint = "a cell is one tree: give every point but one a parent"
        issues.append(Issue("M005", f"point {node.id} is a second root", f"{path}:{node.line}", hint))
    if issues:
        raise MorphologyError(issues)
    return [index.get(node.parent_id, -1) for node in nodes]


def _is_three_point_sphere(nodes: Sequence[_Node], parents: Sequence[int]) -> bool:
    """The convention of neuromorpho.org: the root in the middle, two soma points at its radius, nothing on them."""
    if sum(node.kind == SOMA for node in nodes) != 3 or len(nodes) < 3 or {1, 2} & set(parents):
        return False
    middle, one, other = (node.point for node in nodes[:3])
    if list(parents[1:3]) != [0, 0] or not middle[3] == one[3] == other[3]:
        return False
    reach = math.dist(middle[:3], one[:3]) + math.dist(middle[:3], other[:3])
    return abs(reach / middle[3] - 1) < _SPHERE_TOLERANCE


def _ends(kinds: Sequence[int], parents: Sequence[int], *, three_point_sphere: bool) -> tuple[set[int], list[int]]:
    """Points that join the 0 end of their parent's section, and the last point of every section.

    A section goes on from a point only to the next one in the file, if that is its only child and of its kind. Points
    of the soma in a row stay together, whatever hangs on them. A neurite that hangs on the first point of another,
    which itself hangs on the soma, joins that one's 0 end.
    """
    weight = [0.0] * len(kinds)  # 1: one child, the next point, of the same kind
    joins_start: set[int] = set()
    for child, parent in enumerate(parents):
        if parent < 0:
            continue
        weight[parent] += 1
        if parent != child - 1:
            weight[parent] += 0.5
            above = parents[parent]
            first_of_neurite = parent > 1 and kinds[parent] != SOMA and above >= 0 and kinds[above] == SOMA
            if first_of_neurite or (parent == 0 and kinds[0] != SOMA):
                joins_start.add(child)
                weight[parent] = 1
        if kinds[parent] != kinds[child]:
            weight[parent] += 0.5
    soma_children = _soma_children(kinds, parents, three_point_sphere=three_point_sphere)
    for k in range(len(kinds) - 1):
        in_a_row = kinds[k] == kinds[k + 1] == SOMA and parents[k + 1] == k
        if in_a_row and (k == 0 or soma_children[k] <= 1):
            weight[k] = 1
    ends = [k for k, w in enumerate(weight) if w != 1]
    return joins_start, ends if ends[-1:] == [len(kinds) - 1] else [*ends, len(kinds) - 1]


def _soma_children(kinds: Sequence[int], parents: Sequence[int], *, three_point_sphere: bool) -> list[int]:
    """How many points of the soma hang on each point of the soma."""
    found = [0] * len(kinds)
    for child, parent in enumerate(parents):
        if parent >= 0 and kinds[child] == kinds[parent] == SOMA:
            found[0 if three_point_sphere and child == 2 else parent] += 1
    return found


class _Sections:
    """Builds the sections one after another."""

    def __init__(
        self, nodes: Sequence[_Node], parents: Sequence[int], joins_start: set[int], *, three_point_sphere: bool
    ) -> None:
        self._nodes = nodes
        self._parents = parents
        self._joins_start = joins_start
        self._sphere = three_point_sphere
        kinds = [node.kind for node in nodes]
        self._soma_children = _soma_children(kinds, parents, three_point_sphere=three_point_sphere)
        self._owner: dict[int, int] = {}
        self._pieces: list[_Piece] = []
        self.built: list[RawSection] = []

    def add(self, first: int, last: int) -> None:
        """Add the section of the points first..last."""
        number = len(self.built)
        for k in range(first, last + 1):
            self._owner[k] = number
        own = tuple(node.point for node in self._nodes[first : last + 1])
        kind = self._nodes[first].kind
        if number == 0:
            points = own[:1] if self._sphere else own
            self._pieces.append(_Piece(first, last, len(points)))
            self.built.append(RawSection(kind, points if len(points) > 1 else sphere(points[0]), -1, 0.0))
            return
        at = self._parents[first]
        x, is_wire = self._joint(first, len(own), at)
        start = self._nodes[at].point
        parent_kind = self.built[self._owner[at]].kind
        if parent_kind == SOMA and kind != SOMA:
            start = (*start[:3], own[0][3])
        if first in self._joins_start:
            x = 0.0
        self._pieces.append(_Piece(first, last, len(own) + 1))
        self.built.append(RawSection(kind, own if is_wire else (start, *own), self._owner[at], x))

    def _joint(self, first: int, own: int, at: int) -> tuple[float, bool]:
        """Where a section joins its parent, and whether without a cable between parent and first own point."""
        piece = self._pieces[self._owner[at]]
        is_soma = self._nodes[first].kind == SOMA
        on_soma = self._nodes[piece.first].kind == SOMA
        is_root = piece.first == 0
        if is_root and on_soma and not is_soma and piece.size == 1:
            return 0.5, own > 1
        if is_root and at == 0:
            return 0.0, not is_soma and self._soma_children[at] > 1
        if on_soma and at < piece.last:
            return 0.5, not is_soma and own > 1
        return 1.0, on_soma and not is_soma and own > 1 and self._soma_children[at] > 1


def sphere(center: Point) -> tuple[Point, Point]:
    """A cylinder as long as wide, along x: the area of the sphere."""
    x, y, z, diameter = center
    return (x - diameter / 2, y, z, diameter), (x + diameter / 2, y, z, diameter)


def _no_soma(path: Path) -> Issue:
    message = "no point is of type 1 (soma); the tree is kept without one"
    return Issue("M008", message, str(path), severity=Severity.WARNING)
