"""Division by what does not change in a run as multiplication by its inverse, which is computed once.

A division costs a vector unit as much as eight other operations, and point cells divide by capacitances and time
constants in every step. The product differs from the quotient by no more than a rounding error. Whether a divisor
changes is read from the form of the equations, so that a slot and a literal are treated alike.
"""

from __future__ import annotations

from dataclasses import replace

from nmlopt.codegen.analysis import Definitions, ordered
from nmlopt.codegen.attached_current import rewritten
from nmlopt.ir.model import Assigned, Dynamics, Mechanism
from nmlopt.lems.expression import Expr, Num, Op, Sym
from nmlopt.lems.trees import rebuild

PREFIX = "inverse"


def changing(dynamics: Dynamics) -> frozenset[str]:
    """The names whose values change in a run: states, and all inputs but the temperature."""
    return frozenset({s.name for s in dynamics.states} | (set(dynamics.inputs) - {"temperature"}))


def with_inverses(mechanism: Mechanism) -> tuple[Mechanism, tuple[str, ...]]:
    """The mechanism with such divisions replaced, and the names of the assigned variables that hold the inverses."""
    dynamics = mechanism.dynamics
    definitions, moving = Definitions(dynamics.assigned), changing(dynamics)
    taken = {a.name for a in dynamics.assigned} | {p.name for p in mechanism.parameters}
    prefix = PREFIX
    while any(name.startswith(prefix) for name in taken | moving):
        prefix += "_"
    found: dict[Expr, str] = {}

    def change(expr: Expr) -> Expr:
        new = rebuild(expr, change)
        match new:
            case Op("/", (left, right)) if definitions.rests_on(left, moving) and not definitions.rests_on(
                right, moving
            ):
                return Op("*", (left, Sym(found.setdefault(right, f"{prefix}{len(found)}"))))
        return new

    changed = rewritten(dynamics, change)
    inverses = {name: Assigned(name, Op("/", (Num(1.0), divisor))) for divisor, name in found.items()}
    table = {a.name: a.value for a in (*changed.assigned, *inverses.values())}
    order = tuple(Assigned(name, table[name]) for name in ordered(table, table))
    return replace(mechanism, dynamics=replace(changed, assigned=order)), tuple(inverses)
