"""What the kernel reads of a cell whose chains of compartments go side by side: rows of eight nodes, blocks of eight.

A mechanism has a block of eight instances for each row in which it sits on any node. Lanes in which it does not sit
copy the numbers of one in which it does, and what they compute is left out. Lanes without a node are compartments
without channels and neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmlopt.exporters.native.layout import Floats, Ints, Tree
from nmlopt.exporters.native.schedule import LANES, Schedule, schedule
from nmlopt.exporters.native.source import NODE_NUMBERS, Part

PADDING_F = 1e-12
"""Capacitance of a lane without a node (F)."""


@dataclass(frozen=True)
class Chains:
    """`live` (blocks, 8): whether an instance sits there. `expand` gives the place of each number of the kernel
    among a candidate's numbers, one past the last for the capacitance of empty lanes."""

    order: Schedule
    count: Ints
    first: Ints
    row: Ints
    live: npt.NDArray[np.bool_]
    offset: npt.NDArray[np.int64]
    expand: npt.NDArray[np.int64]
    place: tuple[Ints, ...]
    """For each mechanism, block * 8 + lane of each instance."""

    def numbers(self, candidate: Floats) -> Floats:
        """A candidate's numbers as the kernel reads them, on a boundary of 64 bytes."""
        room = np.empty(len(self.expand) + 8)
        start = -(room.ctypes.data // 8) % 8
        found = room[start : start + len(self.expand)]
        np.take(np.append(candidate, PADDING_F), self.expand, out=found)
        return found


def chains(
    made: Tree, parts: Sequence[Part], nodes: Sequence[Ints], offset: npt.NDArray[np.int64], size: int
) -> Chains:
    """`nodes`: of each instance of each mechanism; `offset`: where each number begins among a candidate's."""
    on: list[list[int]] = [[] for _ in made.parent]
    for part, here in zip(parts, nodes, strict=True):
        for node in here:
            on[node].append(part.index)
    order = schedule(made.parent, [" ".join(map(str, sorted(indices))) for indices in on])
    holder = np.zeros(order.rows * LANES, dtype=np.int64)
    holder[order.slot] = np.arange(len(made.parent))
    empty = np.ones(order.rows * LANES, dtype=bool)
    empty[order.slot] = False
    expand = [np.where(empty, size, holder), *(holder + n * len(made.parent) for n in range(1, NODE_NUMBERS))]
    count, rows, live, place = [], [], [], []
    for part, here in zip(parts, nodes, strict=True):
        at, places = _blocks(order.slot[here])
        own = np.full((len(at), LANES), -1, dtype=np.int64)
        own.ravel()[places] = np.arange(len(places))
        count.append(len(at))
        rows.append(at)
        live.append(own >= 0)
        place.append(places)
        filled = np.where(own >= 0, own, own.max(axis=1, keepdims=True, initial=0)).ravel()
        expand += [np.full(LANES, offset[part.numbers[name]]) for name in part.text.shared]
        expand += [offset[part.numbers[name]] + filled for name in part.text.own]
    sizes = [len(numbers) // LANES for numbers in expand]
    return Chains(
        order,
        np.array(count, dtype=np.int32),
        _starts(count).astype(np.int32),
        np.concatenate([*rows, np.zeros(0)]).astype(np.int32),
        np.concatenate([*live, np.zeros((0, LANES), dtype=bool)]),
        _starts(sizes),
        np.concatenate(expand).astype(np.int64),
        tuple(place),
    )


def _starts(sizes: list[int]) -> npt.NDArray[np.int64]:
    return np.cumsum([0, *sizes])[:-1].astype(np.int64)


def _blocks(slots: Ints) -> tuple[Ints, Ints]:
    """(row of each block, block * 8 + lane of each instance); a second instance at a node begins a block of its own."""
    seen: dict[int, int] = {}
    keys = []
    for slot in slots.tolist():
        seen[slot] = seen.get(slot, -1) + 1
        keys.append((slot // LANES, seen[slot]))
    order = {key: k for k, key in enumerate(sorted(set(keys)))}
    rows = np.array([row for row, _ in order], dtype=np.int32)
    places = [order[key] * LANES + slot % LANES for key, slot in zip(keys, slots.tolist(), strict=True)]
    return rows, np.array(places, dtype=np.int32)
