"""The Simulation of a LEMS file as written: what is simulated, how long, and what is to be recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from nmlopt.document.model import Document, Element
from nmlopt.errors import Issue, SimulationError
from nmlopt.importers.scope import Scope
from nmlopt.lems.resolve import Components
from nmlopt.lems.types import ComponentType, place

_MOST_STEPS = 10**9


@dataclass(frozen=True, slots=True)
class Written:
    """A Simulation element, its target and its numbers."""

    element: Element
    type: ComponentType
    target: Element
    target_type: ComponentType
    duration_ms: float
    step_ms: float
    seed: int


def simulations(known: Components) -> tuple[Element, ...]:
    """The Simulations of a document, also those written as `<Component type="Simulation">`."""
    return tuple(e for e in known.top if _extends(known, e, "Simulation"))


def read_written(scope: Scope, document: Document) -> Written:
    """The Simulation that the file means to run. Raises SimulationError S001 to S003; S004 goes to `scope`."""
    element = _chosen(scope.known, document)
    type_ = scope.type_of(element)
    assert type_ is not None  # it was found by its type
    target, target_type = _target(scope, element)
    duration_ms = 1e3 * scope.number(element, "length", math.nan, "time")
    step_ms = 1e3 * scope.number(element, "step", math.nan, "time")
    for name, value in (("length", duration_ms), ("step", step_ms)):
        if not value > 0.0 and name not in element.attributes:
            scope.fault("S004", f"the Simulation has no {name}", element, f'write {name}="..ms"')
        elif value <= 0.0:
            scope.fault("S004", f"{name}='{element.attributes[name]}' of the Simulation is not positive", element)
    if step_ms > 0.0 and duration_ms / step_ms > _MOST_STEPS:
        scope.fault("S004", f"the Simulation has {duration_ms / step_ms:.3g} steps", element, "choose a longer step")
    return Written(element, type_, target, target_type, duration_ms, step_ms, _seed(element))


def children(scope: Scope, parent: Element, type_: ComponentType, base: str) -> Iterator[tuple[Element, ComponentType]]:
    """The children of a component whose type extends `base`, with their types."""
    for child in parent.children:
        found = scope.type_of(child, type_)
        if found is not None and found.extends(base):
            yield child, found


def file_name(element: Element) -> str:
    """The name of an output file as written, in its `path` if it has one."""
    name = element.attributes.get("fileName") or f"{element.attributes.get('id', 'output')}.dat"
    return PurePosixPath(element.attributes.get("path", ""), name).as_posix()


def _chosen(known: Components, document: Document) -> Element:
    found = simulations(known)
    if not found:
        hint = "give a LEMS file that holds a <Simulation>, or a model and a targets.json"
        raise SimulationError(Issue("S001", f"'{document.main}' holds no <Simulation>", document.main, hint))
    wanted = [e.attributes.get("component") for e in known.top if e.tag == "Target"]
    chosen = [e for e in found if e.attributes.get("id") in wanted] or list(found)
    if len(chosen) > 1:
        ids = ", ".join(e.attributes.get("id", "?") for e in chosen)
        message = f"'{document.main}' holds several Simulations: {ids}"
        hint = 'choose one: <Target component="..."/>'
        raise SimulationError(Issue("S002", message, place(chosen[0]), hint))
    return chosen[0]


def _target(scope: Scope, simulation: Element) -> tuple[Element, ComponentType]:
    wanted = simulation.attributes.get("target", "")
    candidates = scope.known.by_id.get(wanted, ())
    typed = [(e, found) for e in candidates if (found := scope.type_of(e)) is not None]
    fitting = [(e, t) for e, t in typed if t.extends("network") or t.extends("baseCell")]
    if len(fitting) == 1:
        return fitting[0]
    problem = "is not defined" if not candidates else "is defined twice" if fitting else "is no network and no cell"
    message = f"the target '{wanted}' of the Simulation {problem}"
    raise SimulationError(Issue("S003", message, place(simulation), "name a network, or a cell"))


def _seed(element: Element) -> int:
    text = element.attributes.get("seed", "").strip()
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def _extends(known: Components, element: Element, name: str) -> bool:
    if element.tag == "ComponentType":
        return False
    tag = element.attributes.get("type", element.tag)
    return tag in known.types and known.types.get(tag).extends(name)
