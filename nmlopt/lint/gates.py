"""Channels, their gates, and whether the parts of a gate add up."""

from __future__ import annotations

from collections.abc import Iterator

from nmlopt.document.model import Document, Element
from nmlopt.errors import Issue, NmloptError, Severity
from nmlopt.ir.numbers import Numbers
from nmlopt.lems.resolve import Components, Instance
from nmlopt.lems.types import place
from nmlopt.lint.walk import file_is_lems

_ROUNDING = 1e-6


def channels(known: Components) -> Iterator[Instance]:
    """The ion channels at the top of a document."""
    for element in known.top:
        try:
            found = known.type_of(element)
        except NmloptError:
            continue  # the references say so
        if found is not None and found.extends("baseIonChannel"):
            yield Instance(element, found)


def gates_of(known: Components, channel: Instance) -> Iterator[Instance]:
    """All that opens and closes in a channel: gates, the sub-gates of fractional ones, the transitions of schemes."""
    for gate in _children(known, channel, "gates"):
        yield gate
        for name in ("subGate", "transitions"):
            yield from _children(known, gate, name)


def has_state(gate: Instance) -> bool:
    """Whether a gate has a state variable, which needs a time constant."""
    dynamics = gate.type.dynamics
    return dynamics is not None and any(e.tag == "StateVariable" for e in dynamics.children)


def gates(document: Document, known: Components) -> Iterator[Issue]:
    """I206-I209: fractions that do not sum to 1, schemes that fall apart or never open, gates of no instances."""
    numbers = Numbers(known.units)
    for channel in channels(known):
        for gate in _children(known, channel, "gates"):
            yield from _instances(numbers, gate)
            if gate.type.extends("gateFractional"):
                yield from _fractions(known, numbers, gate)
            elif gate.type.extends("gateKS"):
                yield from _scheme(known, gate)


def _children(known: Components, instance: Instance, name: str) -> tuple[Instance, ...]:
    try:
        return known.children(instance, name) or ()
    except NmloptError:
        return ()  # an unknown type; the references say so


def _instances(numbers: Numbers, gate: Instance) -> Iterator[Issue]:
    """I209, where no schema looks."""
    element = gate.element
    if "instances" not in element.attributes or not file_is_lems(element):
        return
    try:
        found = numbers.fixed(element, "instances", "")
    except NmloptError as error:
        yield from error.issues
        return
    if found <= 0.0:
        message = f"the gate '{element.attributes.get('id', '')}' has {found:g} instances"
        yield Issue("I209", message, place(element), "it is the power of the gate, 1 or more")


def _fractions(known: Components, numbers: Numbers, gate: Instance) -> Iterator[Issue]:
    parts = [e.element for e in _children(known, gate, "subGate")]
    try:
        total = sum(numbers.fixed(e, "fractionalConductance", "") for e in parts)
    except NmloptError as error:
        yield from error.issues
        return
    if abs(total - 1.0) > _ROUNDING:
        name = gate.element.attributes.get("id", "")
        message = f"the fractionalConductance of the {len(parts)} sub-gates of '{name}' sum to {total:.6g}"
        yield Issue("I206", message, place(gate.element), "let them sum to 1", Severity.WARNING)


def _scheme(known: Components, gate: Instance) -> Iterator[Issue]:
    states = [s.element.attributes.get("id", "") for s in _children(known, gate, "states")]
    name = gate.element.attributes.get("id", "")
    if not any(s.type.extends("openState") for s in _children(known, gate, "states")):
        message = f"the kinetic scheme '{name}' has no open state"
        yield Issue("I208", message, place(gate.element), "its channel would never open", Severity.WARNING)
    reached = _reached(states[:1], [e.element for e in _children(known, gate, "transitions")])
    apart = [s for s in states if s not in reached]
    if apart:
        message = f"no transition leads from state '{states[0]}' of the kinetic scheme '{name}' to {', '.join(apart)}"
        yield Issue("I207", message, place(gate.element), "join all states by transitions")


def _reached(start: list[str], transitions: list[Element]) -> set[str]:
    """States that transitions join to the start, in whichever direction."""
    edges = [(e.attributes.get("from", ""), e.attributes.get("to", "")) for e in transitions]
    reached, waiting = set(start), list(start)
    while waiting:
        state = waiting.pop()
        for one, other in (*edges, *((b, a) for a, b in edges)):
            if one == state and other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached
