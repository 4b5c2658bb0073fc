"""Byte code in the structures of the generic kernel."""

from __future__ import annotations

import ctypes
from ctypes import c_int32
from typing import Any

import numpy as np

from nmlopt.errors import BackendError, Issue
from nmlopt.exporters.native.bytecode import Body
from nmlopt.exporters.native.generic_sources import MOST_REGISTERS, POINT_ROOM, ROOM, name_of
from nmlopt.exporters.native.interface import Doubles, Int32s, doubles, int32s, pointer_to
from nmlopt.exporters.native.point import PointText
from nmlopt.exporters.native.source import Kernel


class TextC(ctypes.Structure):
    """`Text` of the kernel."""

    _fields_ = (
        ("order", Int32s), ("constant", Doubles), ("result", Int32s), ("orders", c_int32), ("constants", c_int32),
        ("first_constant", c_int32), ("registers", c_int32), ("results", c_int32), ("context", c_int32),
        ("depth", c_int32), ("unused", c_int32),
    )  # fmt: skip


def raise_without_room(kernel: Kernel) -> None:
    """Raise BackendError B006 where a cell has more of something than the generic kernel has room for."""
    room = POINT_ROOM if name_of(kernel.layout) == "point" else ROOM
    wanted = {
        "mechanisms": len(kernel.parts),
        "numbers": kernel.numbers,
        "states": sum(len(part.text.states) for part in kernel.parts),
        "bundles": len(kernel.bundles),
        "held": max((len(part.text.held) for part in kernel.parts if isinstance(part.text, PointText)), default=0),
    }
    for what, count in wanted.items():
        if count > room.get(what, count):
            raise _no_room(f"{room[what]} {what}, this cell has {count}")


def _no_room(what: str) -> BackendError:
    hint = "install a C compiler: compiled kernels have no such limit"
    return BackendError(Issue("B006", f"the generic kernel has room for {what}", hint=hint))


def text_structure(body: Body, kept: list[Any], *, context: int = 0) -> TextC:
    """The kernel's structure of a body; `kept` gets what must outlive it.

    Raises BackendError B006 where there is no room for the numbers at work in it.
    """
    registers = body.registers + body.depth
    if registers > MOST_REGISTERS:
        raise _no_room(f"{MOST_REGISTERS} numbers at work at once, a mechanism of this cell has {registers}")
    orders = int32s(np.array(body.code, dtype=np.int32).reshape(-1, 4))
    constants, results = doubles([*body.constants, 0.0]), int32s([*body.results, -1])
    made = TextC(
        pointer_to(orders, Int32s), pointer_to(constants, Doubles), pointer_to(results, Int32s), len(body.code),
        len(body.constants), body.first_constant, body.registers, len(body.results), context, body.depth,
    )  # fmt: skip
    kept += [orders, constants, results, made]
    return made
