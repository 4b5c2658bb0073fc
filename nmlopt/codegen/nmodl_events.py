"""Conditions of a channel or its gates, tested after each step as in LEMS.

NMODL solves a DERIVATIVE or calls a PROCEDURE after v has moved, not both. So a mechanism with conditions takes its own
step: a state that decays moves by the exponential of its coefficients, as `cnexp` does it, any other by forward Euler.
"""

from __future__ import annotations

from nmlopt.codegen.nmodl import Block, Body, Writer
from nmlopt.codegen.nmodl_states import PER_MS, decay_of
from nmlopt.lems.expression import Num

CALL = "happen()"
_STEP_S = f"({PER_MS} * dt)"


def has_conditions(writer: Writer) -> bool:
    """Whether something is to happen after a step."""
    return bool(writer.mechanism.dynamics.conditions)


def stepping_blocks(writer: Writer) -> tuple[Block, Block]:
    """The procedure that moves the states by one step, and the one it calls, which does what the conditions say."""
    body = Body(writer)
    moves = []
    for state in writer.mechanism.dynamics.states:
        if state.derivative is None:
            continue
        name, decay = writer.names[state.name], decay_of(state, writer)
        if decay is None or decay.loss is None:
            body.let(f"{name}_rate", state.derivative or Num(0.0))
            moves.append(f"{name} = {name} + {_STEP_S} * {name}_rate")
            continue
        writer.helpers.add("growth")
        body.let(f"{name}_loss", decay.loss)
        gain = "0.0"
        if decay.gain is not None:
            gain = f"{name}_gain"
            body.let(gain, decay.gain)
        change = f"({gain} - {name}_loss * {name}) * {_STEP_S}"
        moves.append(f"{name} = {name} + {change} * growth({name}_loss * {_STEP_S})")
    body.lines += [*moves, CALL]
    return body.block("PROCEDURE advance()"), condition_block(writer)


def condition_block(writer: Writer) -> Block:
    """The procedure `happen`: what the conditions say, from the states as the step left them.

    All are tested before anything is assigned, or a component could pass through two regimes in one step.
    """
    body = Body(writer)
    conditions = writer.mechanism.dynamics.conditions
    for index, condition in enumerate(conditions, 1):
        body.need([condition.test, *(value for _, value in condition.assignments)])
        body.local_names.append(f"holds{index}")
        body.lines += [f"holds{index} = 0.0", f"if ({writer.text(condition.test)}) {{", f"    holds{index} = 1.0", "}"]
    for index, condition in enumerate(conditions, 1):
        body.lines.append(f"if (holds{index} > 0.0) {{")
        for name, value in condition.assignments:
            temporaries, text = writer.assign(writer.names[name], value)
            body.local_names += temporaries
            body.lines += [f"    {line}" for line in text]
        body.lines.append("}")
    return body.block(f"PROCEDURE {CALL}")
