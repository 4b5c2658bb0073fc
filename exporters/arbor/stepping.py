"""How states move: by the exponential itself, as NEURON moves them.

Left to itself, Arbor's compiler of NMODL (0.12) takes (2 + x) / (2 - x) for the exp(x) of METHOD cnexp, which turns the
sign of a gate whose time constant is below half a step. A DERIVATIVE block without a METHOD is run as it is written.
"""

from __future__ import annotations

from nmlopt.codegen.nmodl import Block, Body, Writer
from nmlopt.codegen.nmodl_states import PER_MS, Decay, decays


def stepping_block(writer: Writer) -> Block | None:
    """The DERIVATIVE block that moves decaying states by exactly one step; None without states that move.

    Raises ValueError for states that are no decays (`decays`).
    """
    states = [s for s in writer.mechanism.dynamics.states if s.derivative is not None]
    if not states:
        return None
    decay = decays(writer.mechanism.dynamics.states, writer)
    if decay is None:
        raise ValueError(writer.mechanism.name)
    body = Body(writer)
    for state in states:
        name = writer.names[state.name]
        for part, expr in (("gain", decay[state.name].gain), ("loss", decay[state.name].loss)):
            if expr is not None:
                body.let(f"{name}_{part}", expr)
    body.lines += [_moved(writer.names[s.name], decay[s.name]) for s in states]
    return body.block("DERIVATIVE states")


def _moved(name: str, decay: Decay) -> str:
    """The state after dt (ms): of x' = gain - loss x, both per second and constant in the step."""
    if decay.loss is None:
        return f"{name} = {name} + {PER_MS} * dt * {name}_gain" if decay.gain is not None else f"{name} = {name}"
    growth = f"exp(-{PER_MS} * dt * {name}_loss)"
    if decay.gain is None:
        return f"{name} = {name} * {growth}"
    return f"{name} = {name} + (1.0 - {growth}) * ({name}_gain / {name}_loss - {name})"
