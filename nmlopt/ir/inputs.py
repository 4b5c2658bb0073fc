"""Input and synapse components: each one as a mechanism that experiments attach to a compartment or point cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.bind import TEMPERATURE
from nmlopt.ir.flat import Flat
from nmlopt.ir.flatten import Flattener
from nmlopt.ir.input_events import Firing, InputEvents
from nmlopt.ir.mechanisms import Catalogue, Prototype
from nmlopt.ir.model import MechanismKind
from nmlopt.ir.numbers import Numbers
from nmlopt.ir.passes import run
from nmlopt.lems.expression import Expr, Sym
from nmlopt.lems.resolve import Components, Instance, label
from nmlopt.lems.routes import Routes
from nmlopt.lems.types import place

CURRENTS: Final = {"basePointCurrent": "i", "basePointCurrentDL": "I"}
"""Types whose components are currents, and the exposure that is the current (A; dimensionless)."""
_ALSO_RECORDED: Final = ("g",)
_INPUTS: Final[dict[str, Expr]] = {
    name: Sym(name) for name in ("v", "V", "t", TEMPERATURE, "weight", "caConc", "caConcExt", "caConc2", "caConcExt2")
}


def lower_input(known: Components, numbers: Numbers, component: str, catalogue: Catalogue) -> None:
    """Add the mechanism of an input component.

    Raises LemsError: I070 no such input, I071 it makes no current by itself, and those of its equations.
    """
    element = input_element(known, component)
    root = known.instance(element)
    flattener = Flattener(known, numbers, _INPUTS, collect=_refuse_schemes, below=_below(known))
    current = next(name for base, name in CURRENTS.items() if root.type.extends(base))
    if not flattener.has(root, current):
        message = f"<{element.tag}> '{component}' has no equations for its current '{current}'"
        raise LemsError(Issue("I071", message, place(element)))
    made = flattener.want(root, current, *(n for n in _ALSO_RECORDED if flattener.has(root, n)))[0]
    if not isinstance(made, Sym):
        made = flattener.force(root, current, made)
    routes = Routes(known, lambda instance, name: flattener.children(instance, name, element))
    conditions, events = InputEvents(flattener, routes, root).collect()
    flat = flattener.finish()
    named = {path for path, _ in flat.exposures}
    recorded = (*flat.exposures, *((s.name, s.name) for s in flat.states if s.name not in named))
    flat = replace(flat, conditions=conditions, events=events, exposures=recorded)
    bound = run(flat, [made.name, *(name for _, name in recorded)])
    catalogue.add(Prototype(bound, flat.own, MechanismKind.INPUT, component, current=made.name, component=component))


def lower_spike_source(known: Components, component: str) -> tuple[Flat, tuple[Firing, ...]]:
    """The equations by which a component makes spikes, and its conditions. Raises LemsError: I072, and those of the
    equations (such as a spike that depends on the voltage of the cell)."""
    found = [e for e in known.by_id.get(component, ()) if known.type_of(e) is not None]
    if len(found) != 1:
        message = f"{len(found) or 'no'} components are called '{component}'"
        raise LemsError(Issue("I072", message, hint="name a spike source, or an input that makes its own spikes"))
    root = known.instance(found[0])
    flattener = Flattener(known, Numbers(known.units), {"t": Sym("t")}, collect=_refuse_schemes, below=_below(known))
    routes = Routes(known, lambda instance, name: flattener.children(instance, name, found[0]))
    try:
        firings = InputEvents(flattener, routes, root).firings()
    except RecursionError:
        message = f"the definition of '{component}' rests on itself, or goes too deep"
        raise LemsError(Issue("L003", message, place(found[0]))) from None
    if not any(firing.spikes for firing in firings):
        raise LemsError(Issue("I072", f"<{found[0].tag}> '{component}' makes no spikes by itself", place(found[0])))
    return flattener.finish(), firings


def input_element(known: Components, component: str) -> Element:
    """The component of that id that is a current. Raises LemsError I070."""
    fitting = [e for e in known.by_id.get(component, ()) if is_input(known, e)]
    if len(fitting) == 1:
        return fitting[0]
    ids = sorted(name for name, elements in known.by_id.items() if any(is_input(known, e) for e in elements))
    near = get_close_matches(component, ids, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"inputs here: {', '.join(ids[:12]) or 'none'}"
    others = known.by_id.get(component, ())
    what = f"<{others[0].tag}> '{component}' is no input current" if others else f"there is no input '{component}'"
    if fitting:
        what = f"{len(fitting)} inputs are called '{component}'"
    raise LemsError(Issue("I070", what, place(others[0]) if others else "", hint))


def is_input(known: Components, element: Element) -> bool:
    """Whether a component is a current that acts on a cell."""
    try:
        found = known.type_of(element)
    except LemsError:
        return False
    return found is not None and any(found.extends(base) for base in CURRENTS)


def _below(known: Components) -> Callable[[Instance, str], tuple[Instance, ...] | None]:
    """Children and references; those that are referred to are called by their id, as a double synapse has two."""

    def find(instance: Instance, name: str) -> tuple[Instance, ...] | None:
        found = known.children(instance, name)
        declared = instance.type.children.get(name)
        if not found or declared is None or declared.kind != "ComponentReference":
            return found
        return tuple(replace(each, path=(*instance.path, label(each.element))) for each in found)

    return find


def _refuse_schemes(_: Flattener, instance: Instance) -> None:
    for item in _unsupported(instance):
        raise LemsError(Issue("I013", f"<{item.tag}> in an input ({instance.type.name}) is not supported", place(item)))


def _unsupported(instance: Instance) -> Iterator[Element]:
    dynamics = instance.type.dynamics
    for item in dynamics.children if dynamics is not None else ():
        if item.tag in ("Regime", "KineticScheme", "StateScalarField", "DerivedScalarField", "DerivedPunctateField"):
            yield item
