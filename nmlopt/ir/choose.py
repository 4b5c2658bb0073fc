"""Which component of a document is the cell, and at which temperature it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.numbers import Numbers
from nmlopt.lems.resolve import Components
from nmlopt.lems.types import place

SET_BY_PROTOCOL = "temperature is a condition of the protocol, set in the targets file"


def choose_cell(known: Components, wanted: str | None) -> Element:
    """The cell of that id; by default the only cell, or the one of the network's only population.

    Raises LemsError: I001 no cell, I002 several cells, I003 no cell of that id, I007 types of the earliest LEMS.
    """
    cells = [e for e in known.top if is_cell(known, e)]
    ids = [e.attributes.get("id", "?") for e in cells]
    if not cells:
        _refuse_behavior(known)
    if wanted is not None:
        found = [e for e in cells if e.attributes.get("id") == wanted]
        if len(found) == 1:
            return found[0]
        near = get_close_matches(wanted, ids, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"cells here: {', '.join(ids) or 'none'}"
        raise LemsError(Issue("I003", f"the document has {len(found) or 'no'} cell '{wanted}'", hint=hint))
    if len(cells) == 1:
        return cells[0]
    if not cells:
        message = "the document holds no cell (an element whose ComponentType extends baseCell)"
        raise LemsError(Issue("I001", message, hint="give the file that defines the cell, or include it"))
    in_network = {e.attributes.get("component") for e in _of_type(known, "basePopulation")}
    chosen = [e for e in cells if e.attributes.get("id") in in_network]
    if len(chosen) == 1:
        return chosen[0]
    raise LemsError(
        Issue(
            "I002",
            f"the document holds {len(cells)} cells: {', '.join(sorted(ids))}",
            hint="choose one with --component",
        )
    )


def _refuse_behavior(known: Components) -> None:
    """Raise LemsError I007 where types are written in the first LEMS, which called their equations Behavior."""
    for element in known.top:
        old = (
            next((c for c in element.children if c.tag == "Behavior"), None) if element.tag == "ComponentType" else None
        )
        if old is not None:
            message = (
                f"ComponentType '{element.attributes.get('name', '')}' has a <Behavior>, the early LEMS for <Dynamics>"
            )
            raise LemsError(Issue("I007", message, place(old), "write <Dynamics> in its place"))


def is_cell(known: Components, element: Element) -> bool:
    """Whether a top-level element is a cell and not a spike source."""
    try:
        found = known.type_of(element)
    except LemsError:
        return False
    return found is not None and found.extends("baseCell") and found.dynamics is not None


def temperature_of(known: Components, numbers: Numbers) -> float | None:
    """The temperature (K) of the document's networks, None unless exactly one is stated. Raises LemsError."""
    stated = {numbers.fixed(e, "temperature", SET_BY_PROTOCOL) for e in networks_with_temperature(known)}
    return stated.pop() if len(stated) == 1 else None


def networks_with_temperature(known: Components) -> list[Element]:
    """The networks that state their temperature."""
    return [e for e in _of_type(known, "networkWithTemperature") if "temperature" in e.attributes]


def _of_type(known: Components, name: str) -> Iterator[Element]:
    for top in known.top:
        for element in _with_children(top):
            try:
                found = known.type_of(element)
            except LemsError:
                continue
            if found is not None and found.extends(name):
                yield element


def _with_children(top: Element) -> Iterable[Element]:
    return (top, *top.children) if top.tag != "ComponentType" else ()
