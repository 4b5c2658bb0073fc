"""A cell with compartments for the generic kernel: its mechanisms as byte code and tables."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from ctypes import POINTER, c_int32, c_void_p
from typing import Any

from nmlopt.exporters.native.bytecode import Body, Load, Names, translate
from nmlopt.exporters.native.generic_text import text_structure
from nmlopt.exporters.native.interface import Int32s, int32s, pointer_to
from nmlopt.exporters.native.mechanism import CONCENTRATIONS, ION_CURRENTS, Lines, MechanismText
from nmlopt.exporters.native.ohmic import Bundle
from nmlopt.exporters.native.source import Kernel, Part
from nmlopt.exporters.native.stimuli import Prepared
from nmlopt.ir.model import MechanismKind

BODIES = ("INITIAL", "ADVANCE", "STAGGER", "HAPPEN", "CURRENT", "FACTORS", "EVENT", "MOMENTS", "RATES")
"""In the order of the kernel's text."""
_V, _AREA, _CONCENTRATION, _ION_CURRENT, _V_SLOPE, _CONCENTRATION_SLOPE = 0, 1, 2, 6, 8, 9
"""Indices of what is at a node."""
_A, _B, _BOTH = 0, 1, 2
"""Of the lengths that a body is given: before and past the present moment (h is the first), and their sum."""


class MechanismC(ctypes.Structure):
    """`Mechanism` of the kernel."""

    _fields_ = (
        ("body", c_void_p * len(BODIES)), ("exposure", c_void_p), ("derivatives", c_void_p), ("gate", Int32s),
        ("publishes", Int32s), ("published", c_int32), ("ion", c_int32), ("is_density", c_int32),
        ("goes_by_gates", c_int32), ("is_steady", c_int32), ("unused", c_int32),
    )  # fmt: skip


class ModelC(ctypes.Structure):
    """`Model` of the kernel."""

    _fields_ = (
        ("mechanisms", c_int32), ("numbers", c_int32), ("bundles", c_int32), ("most_parts", c_int32),
        ("bundle_room", c_int32), ("has_pools", c_int32),
        ("mechanism", POINTER(MechanismC)),
        *((name, Int32s) for name in (
            "holds", "feeds_ions", "goes_apart", "gates_of", "moments_of", "bundled_gates", "bundled_parts",
            "bundle_row", "bundle_room_of", "bundle_width", "bundle_gates", "products", "first_product",
        )),
    )  # fmt: skip


def cable_model(kernel: Kernel) -> Prepared:
    """The model of a cell with compartments."""
    kept: list[Any] = []
    count = len(kernel.parts)
    most_parts = max((len(bundle.parts) for bundle in kernel.bundles), default=0)
    mechanisms = (MechanismC * count)(*(_mechanism(part, kept) for part in kernel.parts))
    made = ModelC(
        count, kernel.numbers, len(kernel.bundles), most_parts,
        max((bundle.room for bundle in kernel.bundles), default=0), int(any(_cable(p).published for p in kernel.parts)),
    )  # fmt: skip
    made.mechanism = ctypes.cast(mechanisms, POINTER(MechanismC))
    for name, values in {**_by_mechanism(kernel.parts), **_by_bundle(kernel.bundles)}.items():
        array = int32s([*values, 0])
        kept.append(array)
        setattr(made, name, pointer_to(array, Int32s))
    return Prepared(made, (*kept, mechanisms))


def _cable(part: Part) -> MechanismText:
    assert isinstance(part.text, MechanismText)
    return part.text


def _by_mechanism(parts: Sequence[Part]) -> dict[str, list[int]]:
    return {
        "holds": [len(_cable(p).states) for p in parts],
        "feeds_ions": [int(_feeds_ions(_cable(p))) for p in parts],
        "goes_apart": [int(not (p.bundled or p.steady)) for p in parts],
        "gates_of": [len(p.tabled.states) if p.tabled else 0 for p in parts],
        "moments_of": [p.edge_count for p in parts],
    }


def _feeds_ions(text: MechanismText) -> bool:
    return text.ion >= 0 or bool(text.published) or bool({*text.inputs} & {*ION_CURRENTS})


def _by_bundle(bundles: Sequence[Bundle]) -> dict[str, list[int]]:
    products: list[int] = []
    first: list[int] = []
    for bundle in bundles:
        first.append(len(products))
        products.append(len(bundle.parts))
        for part in bundle.parts:
            assert part.ohmic is not None
            products += [len(part.ohmic.gates), *(bundle.place(part, gate) for gate in part.ohmic.gates)]
    return {
        "bundled_gates": [*(n for bundle in bundles for row in bundle.gate_rows for n in row), *[-1] * 9],
        "bundled_parts": [
            *(n for b in bundles for k, p in enumerate(b.parts) for n in (b.index, k, p.index)),
            *[-1] * 3,
        ],
        "bundle_row": [b.row for b in bundles],
        "bundle_room_of": [b.room for b in bundles],
        "bundle_width": [b.width for b in bundles],
        "bundle_gates": [len(b.gates) for b in bundles],
        "products": products,
        "first_product": first,
    }


# ------------------------------------------------------------------------------------------------ mechanisms


def _mechanism(part: Part, kept: list[Any]) -> MechanismC:
    text = _cable(part)

    def address(body: Body | None, context: int = 0) -> int | None:
        return None if body is None else ctypes.addressof(text_structure(body, kept, context=context))

    bodies = _bodies(part)
    exposures = (c_void_p * (len(text.exposures) + 1))(
        *(address(translate(lines, _names(part), results=["value"])) for lines in text.exposures)
    )
    gates = int32s([part.states[name] for name in part.tabled.states] if part.tabled else [0])
    publishes = int32s([*text.published, 0])
    kept += [exposures, gates, publishes]
    made = MechanismC(
        (c_void_p * len(BODIES))(*(address(bodies.get(name)) for name in BODIES)),
        ctypes.addressof(exposures),
        None if text.coupled is None else address(_derivatives(text), len(text.coupled.context)),
    )
    made.gate, made.publishes = pointer_to(gates, Int32s), pointer_to(publishes, Int32s)
    made.published, made.ion = len(text.published), text.ion
    made.is_density = int(text.kind is MechanismKind.DENSITY)
    made.goes_by_gates, made.is_steady = int(part.bundled), int(part.steady)
    return made


_Text = tuple[Lines, Sequence[str], Mapping[str, Load]]
"""Lines, what they leave, what is stored."""


def _bodies(part: Part) -> dict[str, Body]:
    """The bodies that a mechanism has; those in which nothing is done are left out."""
    names = _names(part)
    found = {
        name: translate(lines, {**names, "v": ("ROW", 0)} if name == "RATES" else names, results=results, stores=stores)
        for name, (lines, results, stores) in _texts(part).items()
    }
    return {name: body for name, body in found.items() if body.code}


def _texts(part: Part) -> dict[str, _Text]:
    """What is done when, as the template of compiled kernels puts it together."""
    text, keep = _cable(part), {name: ("STORE_STATE", index) for name, index in part.states.items()}
    published = [f"published{index}" for index in text.published]
    found: dict[str, _Text] = {
        "INITIAL": ((*text.initial, *text.publish), published, keep),
        "EVENT": (text.event, (), keep),
        "MOMENTS": (text.edges, [f"moments[{k}]" for k in range(part.edge_count)], {}),
    }
    if text.published or text.states:
        found["ADVANCE"] = ((*text.advance, *text.after, *text.publish), published, keep)
    if part.staggered and not text.published:
        found["STAGGER"] = ((*_ends(text), *part.staggered), (), keep)
    if text.after and not text.published:
        found["HAPPEN"] = (text.after, (), keep)
    if text.current:
        found["CURRENT"] = (text.current, ("here", "slope"), keep if text.current_moves_states else {})
    if part.ohmic is not None:
        found["FACTORS"] = (part.ohmic.lines, ("reversal__", "conductance__"), {})
    if part.tabled is not None:
        pairs = [name for k in range(len(part.tabled.states)) for name in (f"gain[{k}]", f"loss[{k}]")]
        found["RATES"] = (part.tabled.lines, pairs, {})
    return found


def _names(part: Part) -> Names:
    """Where the names of a body get their values from."""
    text = _cable(part)
    names: dict[str, Load | float] = {name: _input(name) for name in text.inputs}
    names |= {"temperature": ("TEMPERATURE", 0), "h": ("GIVEN", _A)}
    names |= {"before": ("GIVEN", _A), "past": ("GIVEN", _B), "length": ("GIVEN", _BOTH)}
    names |= {f"{name}_slope__": ("AT_NODE", _CONCENTRATION_SLOPE + k) for k, name in enumerate(CONCENTRATIONS)}
    names["v_slope__"] = ("AT_NODE", _V_SLOPE)
    names |= {name: ("SHARED", part.numbers[name]) for name in text.shared}
    names |= {name: ("OWN", part.numbers[name]) for name in text.own}
    names |= {name: ("STATE", part.states[name]) for name in text.states}
    return names | {"value": float("nan")}


def _input(name: str) -> Load | float:
    if name in CONCENTRATIONS:
        return "AT_NODE", _CONCENTRATION + CONCENTRATIONS.index(name)
    if name in ION_CURRENTS:
        return "AT_NODE", _ION_CURRENT + ION_CURRENTS.index(name)
    known: dict[str, Load] = {
        "v": ("AT_NODE", _V), "surfaceArea": ("AT_NODE", _AREA), "t": ("CLOCK", 0), "weight": ("WEIGHT", 0)
    }  # fmt: skip
    return known.get(name, 0.0)


def _ends(text: MechanismText) -> Iterable[str]:
    """What moves, at both ends of an interval."""
    for name in text.inputs:
        if name == "v":
            yield "double v_a = v - before * v_slope__, v_b = v + past * v_slope__;"
        elif name == "t":
            yield "double t_a = t - before, t_b = t + past;"
        elif name in CONCENTRATIONS:
            slope = f"{name}_slope__"
            yield f"double {name}_a = {name} - before * {slope}, {name}_b = {name} + past * {slope};"


def _derivatives(text: MechanismText) -> Body:
    assert text.coupled is not None
    names: dict[str, Load | float] = {name: ("CONTEXT", k) for k, name in enumerate(text.coupled.context)}
    names |= {name: ("UNKNOWN", k) for k, name in enumerate(text.coupled.states)}
    return translate(text.coupled.lines, names, results=[f"dx[{k}]" for k in range(len(text.coupled.states))])
