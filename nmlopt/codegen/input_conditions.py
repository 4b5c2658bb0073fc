"""The conditions of an input, told apart by how often they may be tested.

Most are switches: `t >= delay` sets the current of a pulse generator. They may be tested whenever the current is
computed, even twice in a step, and so NEURON sees how the current depends on v. The others change what they rest on (a
counter, a clip) and are tested once after each step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nmlopt.codegen.analysis import Definitions
from nmlopt.ir.model import Condition, Dynamics
from nmlopt.lems.expression import Cases, Expr, Op, Sym
from nmlopt.lems.trees import names, parts

_COMPARISONS = frozenset({"<", ">", "<=", ">="})


@dataclass(frozen=True, slots=True)
class Conditions:
    """`switches` may be tested at any time, `steps` once after each step; `held` are the states only switches set."""

    switches: tuple[Condition, ...]
    steps: tuple[Condition, ...]
    held: frozenset[str]


def sorted_conditions(dynamics: Dynamics) -> Conditions:
    """The conditions of a system without regimes."""
    definitions = Definitions(dynamics.assigned)
    changed = {name for c in dynamics.conditions for name, _ in c.assignments}
    moving = {s.name for s in dynamics.states if s.derivative is not None}
    moving |= {name for event in dynamics.events for name, _ in event.assignments}

    def is_switch(condition: Condition) -> bool:
        read = [condition.test, *(value for _, value in condition.assignments)]
        steady = not any(definitions.rests_on(expr, changed) for expr in read)
        return steady and not any(name in moving for name, _ in condition.assignments)

    switches = tuple(c for c in dynamics.conditions if is_switch(c))
    steps = tuple(c for c in dynamics.conditions if not is_switch(c))
    late = {name for c in steps for name, _ in c.assignments}
    held = frozenset(name for c in switches for name, _ in c.assignments) - late
    return Conditions(switches, steps, held)


def held_value(dynamics: Dynamics, state: str) -> Expr:
    """What the switches make of a held state at one moment: the last that holds decides, else its initial value."""
    value = next(s.initial for s in dynamics.states if s.name == state)
    cases = [
        (c.test, expr) for c in sorted_conditions(dynamics).switches for name, expr in c.assignments if name == state
    ]
    return Cases(tuple(reversed(cases)), value) if cases else value


def edges(dynamics: Dynamics) -> tuple[Expr, ...]:
    """The times (s) at which a comparison of t with a number changes: where a variable-step integrator must stop."""
    variable = {"v", "V", *(s.name for s in dynamics.states), *(a.name for a in dynamics.assigned)}
    variable |= set(dynamics.inputs)
    found: dict[Expr, None] = {}
    exprs = [c.test for c in dynamics.conditions] + [a.value for a in dynamics.assigned]
    exprs += [value for c in dynamics.conditions for _, value in c.assignments]
    for expr in exprs:
        for test in _comparisons(expr):
            for clock, moment in (test.args, tuple(reversed(test.args))):
                if clock == Sym("t") and names(moment).isdisjoint(variable):
                    found[moment] = None
    return tuple(found)


def _comparisons(expr: Expr) -> Iterator[Op]:
    if isinstance(expr, Op) and expr.op in _COMPARISONS:
        yield expr
    for part in parts(expr):
        yield from _comparisons(part)
