"""Kinetic schemes at steady state: jLEMS starts all channels of a scheme in its first state.

LEMS does not say where a scheme starts. As every simulator with compartments does, the IR has it at the steady state
of the first voltage, which is computed here and written into the states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from nmlopt.codegen.derived import Source, derived
from nmlopt.codegen.templating import num
from nmlopt.document.model import Element
from nmlopt.exporters.lems.copies import plain
from nmlopt.exporters.lems.quantities import placements
from nmlopt.ir.membrane import DEFAULT_INITIAL_V
from nmlopt.ir.model import Assigned, Cell, KineticScheme, Mechanism, MechanismKind, Placement
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Expr
from nmlopt.lems.resolve import Components, Instance, label
from nmlopt.lems.types import ComponentType

_START: Final = "nmlopt_start"
_ASKED: Final = "nmlopt_asked"


@dataclass(frozen=True, slots=True)
class Moment:
    """When a cell starts: `v_init_mV` (None: as its document says), temperature, and the slots in SI."""

    v_init_mV: float | None
    temperature_K: float
    slots: Sequence[float]


def occupied(
    known: Components, cell: Cell, element: Element, moment: Moment, suffix: str
) -> tuple[dict[Element, Mapping[str, str]], str]:
    """Attributes of the states of all schemes of a cell with one compartment, and the types that take them.

    A scheme whose rates depend on what is not known before the run is left as it is.
    """
    attributes: dict[Element, Mapping[str, str]] = {}
    types: dict[str, str] = {}
    schemes = [p for p in cell.placements if cell.mechanism(p.mechanism).dynamics.kinetics]
    held = {label(i.element): i for _, i in placements(known, known.instance(element))} if schemes else {}
    for placement in schemes:
        mechanism = cell.mechanism(placement.mechanism)
        found: dict[str, float] = {}
        for scheme in mechanism.dynamics.kinetics:
            found |= _steady(cell, mechanism, placement, scheme, moment)
        variables = dict(mechanism.dynamics.exposures)
        for node, path, state in _nodes(known, held[placement.id], ()):
            if variables.get(path) in found:
                name = f"{node.type.name}{suffix}"
                attributes[node.element] = {"type": name, _START: num(found[variables[path]])}
                types[name] = "".join(_type(node.type, name, state))
    return attributes, "".join(types.values())


def _nodes(known: Components, instance: Instance, steps: tuple[str, ...]) -> Iterator[tuple[Instance, str, str]]:
    """The nodes of schemes below an instance, with the canonical path of their occupancy and its name."""
    dynamics = instance.type.dynamics
    for item in dynamics.children if dynamics is not None else ():
        if item.tag == "KineticScheme":
            state = item.attributes["stateVariable"]
            for node in known.children(instance, item.attributes["nodes"]) or ():
                yield node, "/".join((*steps, label(node.element), state)), state
    for name, declared in instance.type.children.items():
        if declared.kind in ("Child", "Children", "ComponentReference"):
            is_reference = declared.kind == "ComponentReference" and name in instance.element.attributes
            for child in known.children(instance, name) or ():
                yield from _nodes(known, child, steps if is_reference else (*steps, label(child.element)))


def _type(type_: ComponentType, name: str, state: str) -> Iterator[str]:
    """A type derived from that of a state, which starts where it is told to."""
    yield f'  <ComponentType name="{name}" extends="{type_.name}">\n'
    yield f'    <Parameter name="{_START}" dimension="none"/>\n    <Dynamics>\n'
    for item in type_.dynamics.children if type_.dynamics is not None else ():
        if item.tag != "OnStart":
            yield from plain(item, 3)
    yield f'      <OnStart>\n        <StateAssignment variable="{state}" value="{_START}"/>\n      </OnStart>\n'
    yield "    </Dynamics>\n  </ComponentType>\n"


# ------------------------------------------------------------------------------------------------ numbers


def _steady(
    cell: Cell, mechanism: Mechanism, placement: Placement, scheme: KineticScheme, moment: Moment
) -> dict[str, float]:
    """Occupancies by state at which nothing changes; none where the rates or the steady state are not to be had."""
    index = {state: k for k, state in enumerate(scheme.states)}
    flows = np.zeros((len(index), len(index)))
    for edge in scheme.transitions:
        for source, target, rate in (
            (edge.source, edge.target, edge.forward),
            (edge.target, edge.source, edge.reverse),
        ):
            number = _number(cell, mechanism, placement, rate, moment)
            if number is None:
                return {}
            flows[index[target], index[source]] += number
            flows[index[source], index[source]] -= number
    flows[0] = 1.0
    try:
        found = np.linalg.solve(flows, np.eye(len(index))[0])
    except np.linalg.LinAlgError:
        return {}
    return {state: float(found[k]) for state, k in index.items()} if np.isfinite(found).all() else {}


def _number(cell: Cell, mechanism: Mechanism, placement: Placement, wanted: Expr, moment: Moment) -> float | None:
    """The value of an expression of a placed mechanism at the start, None if it needs more than is known then."""
    dynamics = mechanism.dynamics
    dynamics = replace(dynamics, assigned=(*dynamics.assigned, Assigned(_ASKED, wanted)), exposures=((_ASKED, _ASKED),))
    states = {s.name for s in dynamics.states} | {name for k in dynamics.kinetics for name in k.states}
    outside = {*dynamics.inputs, *states} - {"temperature", "surfaceArea"}
    area = cell.geometry.compartments[placement.compartments[0]].area_m2 if cell.geometry else 0.0
    made = derived(
        replace(mechanism, dynamics=dynamics), placement, _ASKED, compartment=placement.compartments[0],
        area_m2=area, sources=lambda name: Source(name) if name in outside else None,
    )  # fmt: skip
    known = {name: _at_start(cell, name, moment) for name in made.sources}
    if any(value is None for value in known.values()):
        return None
    recorded = {name: np.array([value], dtype=np.float64) for name, value in known.items()}
    return float(made.compute(recorded, moment.slots, moment.temperature_K)[0])


def _at_start(cell: Cell, name: str, moment: Moment) -> float | None:
    """What a mechanism reads from outside when the run starts (SI); None if that is not known."""
    if name == "v" and moment.v_init_mV is not None:
        return 1e-3 * moment.v_init_mV
    if name == "v":
        return float(evaluate(cell.initial_v[-1].value, {}, moment.slots)) if cell.initial_v else DEFAULT_INITIAL_V
    if name == "t":
        return 0.0
    ion = {"caConc": "ca", "caConc2": "ca2"}.get(name)
    for placement in cell.placements:
        pool = cell.mechanism(placement.mechanism)
        if pool.kind is MechanismKind.POOL and pool.ion == ion:
            variable = dict(pool.dynamics.exposures).get("concentration", "")
            for state in pool.dynamics.states:
                if state.name == variable:
                    return _number(cell, pool, placement, state.initial, moment)
    return None
