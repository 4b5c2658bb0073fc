"""The layout of a cell as the kernel reads it."""

from __future__ import annotations

import ctypes

import numpy as np

from nmlopt.exporters.native.bind import Shape
from nmlopt.exporters.native.chains import Chains
from nmlopt.exporters.native.interface import Bytes, Int32s, Int64s, ShapeC, int32s, lane_bits, pointer_to
from nmlopt.exporters.native.schedule import LANES
from nmlopt.exporters.native.stimuli import Prepared


def shape_structure(shape: Shape, model: Prepared | None = None) -> Prepared:
    """The kernel's structure of what all candidates share; the generic kernel finds its mechanisms in `model`."""
    made = _plain(shape) if shape.chains is None else _chained(shape.chains)
    if model is None:
        return made
    made.structure.model = ctypes.addressof(model.structure)
    return Prepared(made.structure, (*made.kept, model))


def _plain(shape: Shape) -> Prepared:
    kept = (int32s(shape.tree.parent), int32s(shape.count), int32s(shape.first), int32s(shape.node), shape.offset)
    made = ShapeC(len(shape.tree.parent), *(pointer_to(array, Int32s) for array in kept[:4]))
    made.offset = pointer_to(shape.offset, Int64s)
    return Prepared(made, kept)


def _chained(chains: Chains) -> Prepared:
    order = chains.order
    carried = lane_bits(np.vstack([order.carried, np.zeros((1, LANES), dtype=bool)]))
    down = np.lexsort((order.source, order.target))
    rows = np.arange(order.rows + 1) * LANES
    kept = (
        int32s(chains.count), int32s(chains.row), int32s(chains.first), chains.offset, lane_bits(chains.live), carried,
        int32s(order.source), int32s(order.target), int32s(np.searchsorted(order.source, rows)),
        int32s(order.target[down]), int32s(order.source[down]), int32s(np.searchsorted(order.target[down], rows)),
    )  # fmt: skip
    count, row, first, offset, live, carry, *sent = kept
    made = ShapeC(nodes=order.rows, sends=len(order.source))
    made.count, made.first, made.node = (pointer_to(array, Int32s) for array in (count, first, row))
    made.offset, made.carried = pointer_to(offset, Int64s), pointer_to(carry, Bytes)
    made.live = pointer_to(live, Bytes)
    names = ("source", "target", "first_send", "pushed_from", "pushed_to", "first_push")
    for name, array in zip(names, sent, strict=True):
        setattr(made, name, pointer_to(array, Int32s))
    return Prepared(made, kept)
