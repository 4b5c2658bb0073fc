"""Where a cell starts, and what jLEMS needs that a document may leave out or means otherwise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from nmlopt.codegen.templating import num
from nmlopt.document.model import Element
from nmlopt.experiment.sites import VOLTAGE
from nmlopt.exporters.lems.copies import plain
from nmlopt.exporters.lems.kinetics import Moment, occupied
from nmlopt.ir.membrane import DEFAULT_INITIAL_V
from nmlopt.ir.model import Cell
from nmlopt.lems.resolve import Components

_ENDS: Final = ("proximal", "distal")
_POINT: Final = ("x", "y", "z", "diameter")
_V_INIT: Final = "nmlopt_v_init"
_ASSIGNED: Final = f'        <StateAssignment variable="{VOLTAGE}" value="{_V_INIT}"/>\n'


@dataclass(frozen=True, slots=True)
class Start:
    """What is printed otherwise so that a cell starts as asked; `types` are ComponentTypes to print before it."""

    attributes: Mapping[Element, Mapping[str, str]] = field(default_factory=dict)
    children: Mapping[Element, Sequence[str]] = field(default_factory=dict)
    types: str = ""


def at_start(
    known: Components, cell: Cell, element: Element, tops: Sequence[Element], moment: Moment, *, suffix: str
) -> Start:
    """Changes to the printed components `tops` that make `cell` start at a moment."""
    if cell.geometry is not None:
        start = _with_morphology(tops, moment.v_init_mV)
        if len(cell.geometry.compartments) > 1:
            return start
        states, types = occupied(known, cell, element, moment, suffix)
        return Start({**start.attributes, **states, **_cylinders(tops)}, start.children, types)
    if moment.v_init_mV is None:
        return Start()
    return _of_point_cell(known, element, moment.v_init_mV, suffix)


def _of_point_cell(known: Components, element: Element, v_init_mV: float, suffix: str) -> Start:
    """A type derived from the cell's own that sets v otherwise at the start; its Dynamics replace those it extends."""
    type_ = known.instance(element).type
    assert type_.dynamics is not None  # `choose_cell` takes cells with equations only
    name = f"{type_.name}{suffix}"
    lines = [f'  <ComponentType name="{name}" extends="{type_.name}">\n']
    lines += [f'    <Parameter name="{_V_INIT}" dimension="voltage"/>\n']
    for declared in type_.children.values():
        if declared.kind == "Attachments":  # jLEMS does not let these be inherited beside new Dynamics
            lines += plain(declared.element, 2)
    lines += ["    <Dynamics>\n"]
    for item in type_.dynamics.children:
        lines += _started(item) if item.tag == "OnStart" else plain(item, 3)
    if not any(item.tag == "OnStart" for item in type_.dynamics.children):
        lines += ["      <OnStart>\n", _ASSIGNED, "      </OnStart>\n"]
    lines += ["    </Dynamics>\n  </ComponentType>\n"]
    return Start({element: {"type": name, _V_INIT: f"{num(v_init_mV)} mV"}}, {}, "".join(lines))


def _started(on_start: Element) -> Iterator[str]:
    """The block with v set to the number of the experiment, at the place where it was set."""
    is_v = [e.tag == "StateAssignment" and e.attributes.get("variable") == VOLTAGE for e in on_start.children]
    yield "      <OnStart>\n"
    if not any(is_v):
        yield _ASSIGNED
    for child, replaced in zip(on_start.children, is_v, strict=True):
        yield from (_ASSIGNED,) if replaced else plain(child, 4)
    yield "      </OnStart>\n"


def _with_morphology(tops: Sequence[Element], v_init_mV: float | None) -> Start:
    attributes: dict[Element, Mapping[str, str]] = {}
    children: dict[Element, Sequence[str]] = {}
    for membrane in (e for top in tops for e in top.walk() if e.tag.startswith("membraneProperties")):
        starts = [e for e in membrane.children if e.tag == "initMembPotential"]
        if v_init_mV is not None:
            attributes |= {e: {"value": f"{num(v_init_mV)} mV"} for e in starts}
        missing = []
        if not starts:
            begin = 1e3 * DEFAULT_INITIAL_V if v_init_mV is None else v_init_mV
            missing.append(f'<initMembPotential value="{num(begin)} mV"/>')
        if not any(e.tag == "spikeThresh" for e in membrane.children):
            missing.append('<spikeThresh value="0 mV"/>')
        children[membrane] = missing
    return Start(attributes, children)


def _cylinders(tops: Sequence[Element]) -> dict[Element, Mapping[str, str]]:
    """Diameters of cylinders of the same area and length for frusta: the core type knows the distal diameter only."""
    found: dict[Element, Mapping[str, str]] = {}
    for segment in (e for top in tops for e in top.walk() if e.tag == "segment"):
        ends = {e.tag: {k: float(e.attributes[k]) for k in _POINT} for e in segment.children if e.tag in _ENDS}
        if len(ends) < len(_ENDS):
            continue
        first, last = (ends[tag] for tag in _ENDS)
        length = math.dist(*([end[axis] for axis in "xyz"] for end in (first, last)))
        if length > 0.0 and first["diameter"] != last["diameter"]:
            slant = math.hypot(length, 0.5 * (first["diameter"] - last["diameter"]))
            diameter = 0.5 * (first["diameter"] + last["diameter"]) * slant / length
            found |= {e: {"diameter": num(diameter)} for e in segment.children if e.tag in _ENDS}
    return found
