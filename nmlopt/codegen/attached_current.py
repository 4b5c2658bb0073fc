"""The current of attached inputs inside the equations of a point cell.

A cell that integrates its own voltage cannot leave it to NEURON to add up currents. Each attached input reports, once
per step and at its middle, the line i - g v that its current is near the present voltage; the cell integrates with the
sum of these, so that a conductance acts on the voltage as it moves within the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nmlopt.codegen.nmodl import Writer
from nmlopt.ir.model import Assigned, Condition, Dynamics, Mechanism, MechanismKind, Regime, State
from nmlopt.lems.expression import Expr, Op, Sym
from nmlopt.lems.trees import rebuild

CONSTANT, SLOPE = "attached_i", "attached_g"
"""Inputs of a point cell's equations: the line's value at v = 0, and how much it falls per volt."""
SUMS = ("sum_i", "sum_g", "last_i", "last_g")
"""Variables of such a cell: what inputs add to in this step, and what came together in the last one."""
_CURRENTS = ("iSyn", "ISyn")


def voltage_of(dynamics: Dynamics) -> str:
    """The state that inputs see as the voltage of a point cell: `v`, or the plain number `V`; '' if it has neither."""
    states = {s.name for s in dynamics.states}
    return next((name for name in ("v", "V") if name in states), "")


def with_attached_current(mechanism: Mechanism) -> Mechanism:
    """A point cell whose iSyn (or ISyn) holds the current of attached inputs as well; any other mechanism as it is."""
    dynamics = mechanism.dynamics
    if mechanism.kind is not MechanismKind.POINT_CELL or not set(_CURRENTS) & set(dynamics.inputs):
        return mechanism
    line: Expr = Sym(CONSTANT)
    voltage = voltage_of(dynamics)
    if voltage:
        line = Op("-", (line, Op("*", (Sym(SLOPE), Sym(voltage)))))

    def change(expr: Expr) -> Expr:
        if isinstance(expr, Sym) and expr.name in _CURRENTS:
            return Op("+", (expr, line))
        return rebuild(expr, change)

    changed = rewritten(dynamics, change)
    return replace(mechanism, dynamics=replace(changed, inputs=(*dynamics.inputs, CONSTANT, SLOPE)))


def rewritten(dynamics: Dynamics, change: Callable[[Expr], Expr]) -> Dynamics:
    """The equations of a point cell with `change` applied to all that is computed after its start."""

    def pairs(given: tuple[tuple[str, Expr], ...]) -> tuple[tuple[str, Expr], ...]:
        return tuple((name, change(value)) for name, value in given)

    def state(old: State) -> State:
        return replace(old, derivative=None if old.derivative is None else change(old.derivative))

    def condition(old: Condition) -> Condition:
        return replace(old, test=change(old.test), assignments=pairs(old.assignments))

    def regime(old: Regime) -> Regime:
        return replace(old, derivatives=pairs(old.derivatives), on_entry=pairs(old.on_entry))

    return replace(
        dynamics,
        states=tuple(map(state, dynamics.states)),
        assigned=tuple(Assigned(a.name, change(a.value)) for a in dynamics.assigned),
        conditions=tuple(map(condition, dynamics.conditions)),
        regimes=tuple(map(regime, dynamics.regimes)),
    )


def reset_sums(writer: Writer) -> list[str]:
    """Lines that end a step of attached inputs: their sums are kept for recordings and start anew."""
    if CONSTANT not in writer.mechanism.dynamics.inputs:
        return []
    return ["last_i = sum_i", "last_g = sum_g", "sum_i = 0.0", "sum_g = 0.0"]
