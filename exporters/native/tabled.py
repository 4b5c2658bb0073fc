"""Gates whose rates rest on v alone: their coefficients can be looked up.

For a step of length L with v in its middle at V and moving at V', the solution of `staggered` is to first order in V'
s <- s + (s_inf - s) (1 - e) + P V'. The kernel tabulates s_inf, 1 - e and P over v for each length in use.
"""

from __future__ import annotations

from dataclasses import dataclass

from nmlopt.codegen.c_text import c_block, c_body
from nmlopt.codegen.nmodl import Writer
from nmlopt.codegen.nmodl_states import decays
from nmlopt.exporters.native.mechanism import Lines
from nmlopt.lems.trees import names as names_in


@dataclass(frozen=True, slots=True)
class Tabled:
    """`lines` leave gain and loss (1/s) of state k at `v` in gain[k] and loss[k]; `states` are names of C."""

    states: Lines
    lines: Lines


def tabled(writer: Writer) -> Tabled | None:
    """What to tabulate of a mechanism; None unless all its moving states are decays that rest on v and shared numbers.

    Whether a number is a literal or a slot plays no role: shared numbers are the same for all instances either way.
    """
    dynamics = writer.mechanism.dynamics
    found = decays(dynamics.states, writer)
    if not found or dynamics.kinetics or dynamics.conditions:
        return None
    allowed = {"v", "temperature", *writer.shared, *(a.name for a in dynamics.assigned)}
    body = c_body(writer)
    for k, decay in enumerate(found.values()):
        if decay.gain is None or decay.loss is None:
            return None
        used = writer.definitions.closure([*names_in(decay.gain), *names_in(decay.loss)])
        if "v" not in used or not used <= allowed:
            return None
        body.let(f"gain[{k}]", decay.gain, local=False)
        body.let(f"loss[{k}]", decay.loss, local=False)
    return Tabled(tuple(writer.names[name] for name in found), ("{", *(f"    {x}" for x in c_block(body)), "}"))
