"""What an attached input exposes: recorded as it is, or computed from its states and the voltage at the samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nmlopt.codegen.derived import Derived, Source
from nmlopt.codegen.input_conditions import held_value, sorted_conditions
from nmlopt.codegen.nmodl import ION_VARIABLES
from nmlopt.exporters.neuron.bind import OWN_VOLTAGE
from nmlopt.exporters.neuron.input_parts import InputPart
from nmlopt.exporters.neuron.mod import Plan
from nmlopt.ir.model import MechanismKind
from nmlopt.lems.evaluate import compile_expression
from nmlopt.lems.expression import Expr
from nmlopt.lems.trees import names


@dataclass(frozen=True)
class DerivedInput:
    """One exposure of one attached input. `own` are the sources, by IR name, that lie in its point process."""

    quantity: Derived
    own: frozenset[str]


def derived_input(plan: Plan, part: InputPart, exposure: str, weight: float) -> DerivedInput:
    """How an exposure of an input is had. Raises KeyError for an unknown one."""
    dynamics = part.mechanism.dynamics
    result = dict(dynamics.exposures)[exposure]
    own = {**part.interface.states, **part.kept}
    table: dict[str, Expr] = {a.name: a.value for a in dynamics.assigned if a.name not in part.kept}
    if not part.kept:  # else what the mechanism itself saw is wanted
        held = sorted_conditions(dynamics).held
        table |= {name: held_value(dynamics, name) for name in held}
        own = {name: variable for name, variable in own.items() if name not in held}
    steps = _ordered(result, table)
    used = {result}.union(*(names(table[name]) for name in steps)) - set(steps)
    sources = {name: Source(own[name]) for name in used if name in own}
    outside = {name: source for name in used if name not in own and (source := _outside(plan, name)) is not None}
    return DerivedInput(
        Derived(
            dict(sorted({**sources, **outside}.items())),
            {"weight": weight},
            tuple((p.name, compile_expression(p.value)) for p in part.mechanism.parameters if p.value is not None),
            tuple((name, compile_expression(table[name])) for name in steps),
            result,
        ),
        frozenset(sources),
    )


def _ordered(result: str, table: Mapping[str, Expr]) -> list[str]:
    """The names of the table that a result rests on, each after those that it rests on."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in table and name not in done:
            for used in sorted(names(table[name])):
                visit(used)
            done[name] = None

    visit(result)
    return list(done)


def _outside(plan: Plan, name: str) -> Source | None:
    """The variable of the cell behind an input of the equations; None for a number known beforehand."""
    if name in ION_VARIABLES:
        return Source(ION_VARIABLES[name][1])
    if name == "t":
        return Source("t", 0.001)
    point = next((p for p in plan.parts if p.mechanism.kind is MechanismKind.POINT_CELL), None)
    if name == "V" and point is not None:
        return Source(point.interface.states["V"])
    if name == "v":
        own = point is not None and point.interface.states.get("v") == OWN_VOLTAGE
        return Source(OWN_VOLTAGE) if own else Source("v", 0.001)
    return None
