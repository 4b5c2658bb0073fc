"""A point cell for the generic kernel: its bodies and those of its inputs as byte code, in the kernel's structures."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, c_double, c_int32, c_void_p
from typing import Any

from nmlopt.exporters.native.bytecode import Body, Load, translate
from nmlopt.exporters.native.generic_text import text_structure
from nmlopt.exporters.native.interface import Int32s, int32s, pointer_to
from nmlopt.exporters.native.point import PointText
from nmlopt.exporters.native.source import Kernel, Part
from nmlopt.exporters.native.stimuli import Prepared

BODIES = ("INITIAL", "ADVANCE", "EVENT", "HOLD", "GLIDE")
"""In the order of the kernel's text."""
_CLOCKS = ("t", "now", "dt", "start_given", "start")
_FIELDS = ("sum_i", "sum_g", "last_i", "last_g", "spike_t", "spike_v", "regime", "drive")
"""What the cell has for each lane; the first two are also its inputs', which add to them."""
_SUMS = _FIELDS[:4]


class MechanismC(ctypes.Structure):
    """`Mechanism` of the kernel."""

    _fields_ = (("body", c_void_p * len(BODIES)), ("exposure", c_void_p))


class ModelC(ctypes.Structure):
    """`Model` of the kernel."""

    _fields_ = (
        ("mechanisms", c_int32), ("numbers", c_int32), ("voltage", c_int32), ("in_volts", c_int32),
        ("scale", c_double), ("mechanism", POINTER(MechanismC)), ("holds", Int32s),
    )  # fmt: skip


def point_model(kernel: Kernel) -> Prepared:
    """The model of a point cell."""
    kept: list[Any] = []
    cell = _point(kernel.parts[0])
    counts = int32s([*(len(part.text.states) for part in kernel.parts), 0])
    mechanisms = (MechanismC * len(kernel.parts))(*(_mechanism(part, kept) for part in kernel.parts))
    voltage = kernel.parts[0].states[cell.voltage] if cell.voltage else -1
    made = ModelC(len(kernel.parts), kernel.numbers, voltage, int(cell.in_volts), cell.scale)
    made.mechanism = ctypes.cast(mechanisms, POINTER(MechanismC))
    made.holds = pointer_to(counts, Int32s)
    return Prepared(made, (*kept, counts, mechanisms))


def _point(part: Part) -> PointText:
    assert isinstance(part.text, PointText)
    return part.text


def _mechanism(part: Part, kept: list[Any]) -> MechanismC:
    text, bodies, shown = _point(part), _bodies(part), _names(part)
    if not text.is_input:
        shown |= {"sum_i": _field("last_i"), "sum_g": _field("last_g")}
    exposed = [translate(lines, shown, results=["value"]) for lines in text.exposures]
    exposures = (c_void_p * (len(exposed) + 1))(*(ctypes.addressof(text_structure(body, kept)) for body in exposed))
    kept.append(exposures)
    found = (bodies.get(name) for name in BODIES)
    addresses = (None if body is None else ctypes.addressof(text_structure(body, kept)) for body in found)
    return MechanismC((c_void_p * len(BODIES))(*addresses), ctypes.addressof(exposures))


def _bodies(part: Part) -> dict[str, Body]:
    """The bodies that the cell or an input has, as the template of compiled kernels puts them together."""
    text, names = _point(part), _names(part)
    states: dict[str, Load] = {name: ("STORE_STATE", index) for name, index in part.states.items()}
    fields = _FIELDS[:2] if text.is_input else _FIELDS[:7]
    everything = states | {name: _stored(name) for name in fields}
    found = {"INITIAL": text.initial, "ADVANCE": text.advance, "EVENT": text.event}
    bodies = {name: translate(lines, names, stores=everything) for name, lines in found.items() if lines}
    if text.is_input:
        return bodies
    held: dict[str, Load] = {name: ("STORE_HELD", k) for k, name in enumerate(text.held)}
    bodies["HOLD"] = translate(text.hold, {**names, **dict.fromkeys(held, 0.0)}, stores=held)
    kept = states | ({name: _stored(name) for name in _SUMS} if text.sums else {})
    lines = (*text.glide, *_held_back(text))
    bodies["GLIDE"] = translate(lines, names, results=["hit", "vm" if text.in_volts else "hit"], stores=kept)
    return bodies


def _held_back(text: PointText) -> Sequence[str]:
    """Lanes in which something happens in a step stay where they were."""
    back = [f"{name} = old_{name};" for name in text.states]
    back += [f"{name} = {name}__;" for name in _SUMS] if text.sums else []
    return ("if (hit != 0.0) {", *back, "}") if back else ()


def _field(name: str) -> Load:
    return "FIELD", _FIELDS.index(name)


def _stored(name: str) -> Load:
    return "STORE_FIELD", _FIELDS.index(name)


def _names(part: Part) -> dict[str, Load | float]:
    """Where the names of a body get their values from."""
    text = _point(part)
    names: dict[str, Load | float] = {name: ("CLOCK", k) for k, name in enumerate(_CLOCKS)}
    names |= {"temperature": ("TEMPERATURE", 0), "weight": ("WEIGHT", 0), "present": 1.0, "cell_v": ("AT_NODE", 0)}
    names |= {name: _field(name) for name in _FIELDS} | {f"{name}__": _field(name) for name in _SUMS}
    names |= {name: ("SHARED", part.numbers[name]) for name in text.shared}
    names |= {name: ("OWN", part.numbers[name]) for name in text.own}
    names |= {name: ("HELD", k) for k, name in enumerate(text.held)}
    names |= {f"old_{name}": 0.0 for name in text.states}
    return names | {name: ("STATE", part.states[name]) for name in text.states} | {"value": float("nan")}
