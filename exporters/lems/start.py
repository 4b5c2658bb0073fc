"""Where a cell starts: the experiment's v_init, and what jLEMS needs that a document may leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nmlopt.codegen.templating import num
from nmlopt.document.model import Element
from nmlopt.ir.membrane import DEFAULT_INITIAL_V
from nmlopt.ir.model import Cell
from nmlopt.lems.resolve import Components


@dataclass(frozen=True, slots=True)
class Start:
    """What is printed otherwise so that a cell starts as asked; `types` are ComponentTypes to print before it."""

    attributes: Mapping[Element, Mapping[str, str]] = field(default_factory=dict)
    children: Mapping[Element, Sequence[str]] = field(default_factory=dict)
    types: str = ""


def at_start(
    known: Components, cell: Cell, element: Element, tops: Sequence[Element], v_init_mV: float | None, *, suffix: str
) -> Start:
    """Changes to the printed components `tops` that make `cell` start at `v_init_mV` (None: as its document says)."""
    if cell.geometry is not None:
        return _with_morphology(tops, v_init_mV)
    return Start()


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
