"""How states move: by the exponential itself, as NEURON moves them.

Left to itself, Arbor's compiler of NMODL (0.12) takes (2 + x) / (2 - x) for the exp(x) of METHOD cnexp, which turns the
sign of a gate whose time constant is below half a step. A DERIVATIVE block without a METHOD is run as it is written.

States that are not decays with coefficients free of states move along their tangent: x' = f(x0) - loss (x - x0) within
the step, which is the exponential Euler method (Hochbruck & Ostermann, Acta Numerica 2010). An error of the loss costs
stability only, so a finite difference will do for it.
"""

from __future__ import annotations

from nmlopt.codegen.nmodl import Body, Writer
from nmlopt.codegen.nmodl_states import PER_MS, Decay, decay_of, decays
from nmlopt.ir.model import Assigned, State
from nmlopt.lems.expression import Call, Expr, Num, Op, Sym
from nmlopt.lems.trees import substitute

_RELATIVE, _LEAST = 1e-6, 1e-15
"""How far beside a state its rate is computed again: of the state, and at least."""


def moves(writer: Writer, body: Body) -> None:
    """Lines that move all states by exactly one step, from what holds at its start."""
    states = [s for s in writer.mechanism.dynamics.states if s.derivative is not None]
    decay = decays(writer.mechanism.dynamics.states, writer)
    if decay is None:
        body.lines += [_along_tangent(writer, body, state) for state in states]
        return
    for state in states:
        name = writer.names[state.name]
        for part, expr in (("gain", decay[state.name].gain), ("loss", decay[state.name].loss)):
            if expr is not None:
                body.let(f"{name}_{part}", expr)
    body.lines += [_moved(writer.names[s.name], decay[s.name]) for s in states]


def _moved(name: str, decay: Decay) -> str:
    """The state after dt (ms): of x' = gain - loss x, both per second and constant in the step."""
    if decay.loss is None:
        return f"{name} = {name} + {PER_MS} * dt * {name}_gain" if decay.gain is not None else f"{name} = {name}"
    growth = f"exp(-{PER_MS} * dt * {name}_loss)"
    if decay.gain is None:
        return f"{name} = {name} * {growth}"
    return f"{name} = {name} + (1.0 - {growth}) * ({name}_gain / {name}_loss - {name})"


def _along_tangent(writer: Writer, body: Body, state: State) -> str:
    """The state after dt, of x' = rate - loss (x - x0); what it needs is computed before any state moves."""
    name, rate = writer.names[state.name], state.derivative or Num(0.0)
    body.let(f"{name}_rate", rate)
    decay = decay_of(state, writer)
    loss = _difference(writer, body, state.name, rate) if decay is None else decay.loss or Num(0.0)
    body.let(f"{name}_loss", loss)
    writer.helpers.add("linoid")
    return f"{name} = {name} + {PER_MS} * dt * {name}_rate / linoid({PER_MS} * dt * {name}_loss)"


def _difference(writer: Writer, body: Body, state: str, rate: Expr) -> Expr:
    """Minus the slope of a rate over its state."""
    step, beside = f"{state}_step", f"{state}_beside"
    writer.names |= {step: f"{writer.names[state]}_step", beside: f"{writer.names[state]}_beside"}
    body.compute(Assigned(step, Op("+", (Op("*", (Num(_RELATIVE), Call("abs", (Sym(state),)))), Num(_LEAST)))))
    body.compute(Assigned(beside, Op("+", (Sym(state), Sym(step)))))
    table: dict[str, Expr] = {state: Sym(beside)}
    for assigned in writer.definitions.needed([rate]):
        if writer.definitions.rests_on(assigned.value, {state}):
            copy = f"{assigned.name}_{beside}"
            writer.names[copy] = f"{writer.names[assigned.name]}_{writer.names[beside]}"
            body.compute(Assigned(copy, substitute(assigned.value, table)))
            table[assigned.name] = Sym(copy)
    return Op("/", (Op("-", (rate, substitute(rate, table))), Sym(step)))
