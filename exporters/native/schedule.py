"""The order in which a tree is eliminated eight nodes at a time: chains of nodes side by side in the lanes of vectors.

List scheduling: a node is ready when all its children are done. Each row takes up to eight ready nodes, the deepest
first, those with a child in the row before preferred and put into that child's lane, where what the child leaves is
still at hand; all else goes through memory. Rows prefer nodes with the same mechanisms. The order depends on the tree
and its mechanisms alone, so results cannot depend on the width of the machine's vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmlopt.exporters.native.layout import Ints, tree
from nmlopt.ir.model import Geometry

LANES = 8
_STAY = 20
"""By how many levels of depth a chain is preferred that goes on in its lane."""
_DELAY = 1
"""Rows between a number's way into memory and its use: a store has to be over before a wider load can have it."""


@dataclass(frozen=True)
class Schedule:
    """`slot` (nodes,): row * 8 + lane. `carried` (rows, 8): whether a child sits in the same lane of the row before.

    `source` and `target` are the slots of child and parent where that is not so, by the row of the child.
    """

    rows: int
    slot: Ints
    carried: np.ndarray
    source: Ints
    target: Ints

    @property
    def filled(self) -> float:
        """The share of lanes in use."""
        return len(self.slot) / (self.rows * LANES)


def schedule(parent: Ints, kinds: Sequence[str]) -> Schedule:
    """Rows for a tree whose parents come before their children; `kinds` name what is on each node, '' nothing."""
    count = len(parent)
    depth, waiting, ready = [0] * count, [0] * count, [0] * count
    for node in range(1, count):
        depth[node] = depth[parent[node]] + 1
        waiting[parent[node]] += 1
    slot, rows = np.full(count, -1, dtype=np.int32), 0
    able = [node for node in range(count) if waiting[node] == 0]
    before: dict[int, int] = {}
    while able:
        chosen = _chosen([k for k in able if ready[k] <= rows], depth, before, kinds)
        lanes = _lanes(chosen, before)
        before = {}
        able = [k for k in able if k not in lanes]
        for node, lane in lanes.items():
            slot[node] = rows * LANES + lane
        for node in sorted(lanes):
            above = int(parent[node])
            if above < 0:
                continue
            waiting[above] -= 1
            if waiting[above] == 0:
                able.append(above)
                before[above] = lanes[node]
                ready[above] = max(ready[above], rows + 1)
            else:
                ready[above] = max(ready[above], rows + 1 + _DELAY)
        rows += 1
    return _finished(parent, slot, rows)


def filled(geometry: Geometry) -> float:
    """The share of lanes that the chains of a cell would fill at best."""
    parent = tree(geometry).parent
    return schedule(parent, [""] * len(parent)).filled


def _chosen(able: list[int], depth: list[int], before: dict[int, int], kinds: Sequence[str]) -> list[int]:
    """Up to eight nodes: those like the most urgent one before others, and those with nothing on them with any."""
    able.sort(key=lambda node: (-depth[node] - (_STAY if node in before else 0), node))
    kind = next((kinds[node] for node in able if kinds[node]), "")
    alike = [node for node in able if kinds[node] in (kind, "")]
    others = [node for node in able if kinds[node] not in (kind, "")]
    return [*alike, *others][:LANES]


def _lanes(chosen: list[int], before: dict[int, int]) -> dict[int, int]:
    """The lane of each node: that of its child in the row before where it can be."""
    found: dict[int, int] = {}
    for node in chosen:
        if node in before and before[node] not in found.values():
            found[node] = before[node]
    free = [lane for lane in range(LANES) if lane not in found.values()]
    rest = [node for node in chosen if node not in found]
    return found | dict(zip(rest, free, strict=False))


def _finished(parent: Ints, slot: Ints, rows: int) -> Schedule:
    carried = np.zeros((rows, LANES), dtype=bool)
    sent: list[tuple[int, int]] = []
    for node in range(1, len(parent)):
        own, above = int(slot[node]), int(slot[parent[node]])
        if above == own + LANES:
            carried[own // LANES + 1, own % LANES] = True
        else:
            sent.append((own, above))
    sent.sort()
    source, target = (np.array([pair[k] for pair in sent], dtype=np.int32) for k in (0, 1))
    return Schedule(rows, slot, carried, source, target)
