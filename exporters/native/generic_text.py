"""Byte code in the structures of the generic kernel."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import c_int32
from typing import Any

import numpy as np

from nmlopt.errors import BackendError, Issue
from nmlopt.exporters.native.bytecode import Body
from nmlopt.exporters.native.interface import Doubles, Int32s, doubles, int32s, pointer_to


class TextC(ctypes.Structure):
    """`Text` of the kernel."""

    _fields_ = (
        ("order", Int32s), ("constant", Doubles), ("result", Int32s), ("orders", c_int32), ("constants", c_int32),
        ("first_constant", c_int32), ("registers", c_int32), ("results", c_int32), ("context", c_int32),
    )  # fmt: skip


def check_room(room: Mapping[str, int], **wanted: int) -> None:
    """Raise BackendError B006 where a cell has more of something than the generic kernel has room for."""
    for what, count in wanted.items():
        if count > room[what]:
            message = f"the generic kernel has room for {room[what]} {what}, this cell has {count}"
            raise BackendError(Issue("B006", message, hint="install a C compiler: compiled kernels have no such limit"))


def text_structure(body: Body, kept: list[Any], *, context: int = 0) -> TextC:
    """The kernel's structure of a body; `kept` gets what must outlive it."""
    orders = int32s(np.array(body.code, dtype=np.int32).reshape(-1, 4))
    constants, results = doubles([*body.constants, 0.0]), int32s([*body.results, -1])
    made = TextC(
        pointer_to(orders, Int32s), pointer_to(constants, Doubles), pointer_to(results, Int32s), len(body.code),
        len(body.constants), body.first_constant, body.registers, len(body.results), context,
    )  # fmt: skip
    kept += [orders, constants, results, made]
    return made
