"""Input and synapse components: each one as a mechanism that experiments attach to a compartment or point cell."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.bind import TEMPERATURE
from nmlopt.ir.flatten import Flattener
from nmlopt.ir.mechanisms import Catalogue, Prototype
from nmlopt.ir.model import MechanismKind
from nmlopt.ir.numbers import Numbers
from nmlopt.ir.passes import run
from nmlopt.lems.expression import Sym
from nmlopt.lems.resolve import Components
from nmlopt.lems.types import place

CURRENTS: Final = {"basePointCurrent": "i", "basePointCurrentDL": "I"}
"""Types whose components are currents, and the exposure that is the current (A; dimensionless)."""

_INPUTS: Final = {
    name: Sym(name) for name in ("v", "V", "t", TEMPERATURE, "weight", "caConc", "caConcExt", "caConc2", "caConcExt2")
}


def lower_input(known: Components, numbers: Numbers, component: str, catalogue: Catalogue) -> None:
    """Add the mechanism of an input component. Raises LemsError: I070 no such input, and those of its equations."""
    element = _element(known, component)
    instance = known.instance(element)
    current = next(name for base, name in CURRENTS.items() if instance.type.extends(base))
    flattener = Flattener(known, numbers, _INPUTS)
    (made,) = flattener.want(instance, current)
    if not isinstance(made, Sym):
        made = flattener.force(instance, current, made)
    flat = flattener.finish()
    bound = run(flat, [made.name, *(name for _, name in flat.exposures)])
    prototype = Prototype(bound, flat.own, MechanismKind.INPUT, component, current=made.name, component=component)
    catalogue.add(prototype)


def _element(known: Components, component: str) -> Element:
    inputs = {
        name: element
        for name, elements in known.by_id.items()
        for element in elements
        if (found := known.type_of(element)) is not None and any(found.extends(base) for base in CURRENTS)
    }
    if component in inputs:
        return inputs[component]
    others = known.by_id.get(component, ())
    near = get_close_matches(component, inputs, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"inputs here: {', '.join(sorted(inputs)) or 'none'}"
    what = f"<{others[0].tag}> '{component}' is no input current" if others else f"there is no input '{component}'"
    raise LemsError(Issue("I070", what, place(others[0]) if others else "", hint))
