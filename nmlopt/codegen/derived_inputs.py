"""What an attached input exposes: recorded as it is, or computed from its states and the voltage at the samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nmlopt.codegen.analysis import ordered
from nmlopt.codegen.derived import Derived, Source, Sources
from nmlopt.codegen.input_conditions import held_value, sorted_conditions
from nmlopt.ir.model import Mechanism
from nmlopt.lems.evaluate import compile_expression
from nmlopt.lems.expression import Expr
from nmlopt.lems.trees import names


@dataclass(frozen=True)
class DerivedInput:
    """One exposure of one attached input. `own` are the sources, by IR name, that lie in the input itself."""

    quantity: Derived
    own: frozenset[str]


def derived_input(
    mechanism: Mechanism,
    exposure: str,
    weight: float,
    *,
    states: Mapping[str, str],
    outside: Sources,
    kept: Mapping[str, str] | None = None,
) -> DerivedInput:
    """How an exposure of an input is had. Raises KeyError for an unknown one.

    `states` and `kept` (assigned variables that the mechanism stores) give the simulator's variables of the input by IR
    name, `outside` those of the cell.
    """
    dynamics = mechanism.dynamics
    stored = kept or {}
    result = dict(dynamics.exposures)[exposure]
    own = {**states, **stored}
    table: dict[str, Expr] = {a.name: a.value for a in dynamics.assigned if a.name not in stored}
    if not stored:  # else what the mechanism itself saw is wanted
        held = sorted_conditions(dynamics).held
        table |= {name: held_value(dynamics, name) for name in held}
        own = {name: variable for name, variable in own.items() if name not in held}
    steps = ordered((result,), table)
    used = {result}.union(*(names(table[name]) for name in steps)) - set(steps)
    sources = {name: Source(own[name]) for name in used if name in own}
    of_cell = {name: source for name in used if name not in own and (source := outside(name)) is not None}
    return DerivedInput(
        Derived(
            dict(sorted({**sources, **of_cell}.items())),
            {"weight": weight},
            tuple((p.name, compile_expression(p.value)) for p in mechanism.parameters if p.value is not None),
            tuple((name, compile_expression(table[name])) for name in steps),
            result,
            tuple((name, table[name]) for name in steps),
        ),
        frozenset(sources),
    )
