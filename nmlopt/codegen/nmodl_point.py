"""Point cells with textbook numerics: a POINT_PROCESS that integrates its own voltage.

Second order in dt: states that decay are stepped by the exponential of their midpoint coefficients (Rush-Larsen type,
Sundnes et al. 2009), the others by the explicit midpoint rule. Where a condition becomes true within a step, the step
is halved until the moment is known to dt/1000, then interpolated; the reset happens there and the rest of the step is
integrated from it. `spike_t`, `spike_v` hold the last crossing, so that a trace can show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from nmlopt.codegen.attached_current import CONSTANT, SLOPE, SUMS, reset_sums
from nmlopt.codegen.nmodl import Block, Body, Interface, ModText, Writer, interface
from nmlopt.codegen.nmodl_current import assemble
from nmlopt.codegen.nmodl_lagging_point import lagging_interface, lagging_text
from nmlopt.codegen.nmodl_states import decay_of, initial_lines
from nmlopt.ir.model import Condition, Regime, State
from nmlopt.lems.expression import Expr, Num, Op

_MAX_PASSES = 400
_FINEST = "0.001"
_OWN = ("start", "start_given", "drive")
HELD = ("now", "spike_t", "spike_v", "regime")
"""Variables beside the states that a step changes."""
SPANS = MappingProxyType({"mid": "(0.5 * h)", "end": "h"})
"""The two stages of a step, and how far each goes."""
_COMPARISONS = {">": (0, 1), ">=": (0, 1), "<": (1, 0), "<=": (1, 0)}


@dataclass(frozen=True, slots=True)
class Held:
    """What is computed before the steps: assigned variables, and the names of growths by regime, state and stage."""

    assigned: frozenset[str] = frozenset()
    growths: Mapping[tuple[str, str, str], str] = field(default_factory=dict)


NOTHING_HELD = Held()


def point_text(writer: Writer, suffix: str, *, lag: bool) -> ModText:
    """The mod of a point cell. `lag`: as jNeuroML exports it, else textbook."""
    if lag:
        return lagging_text(writer, suffix)
    initial, advance, integrate = point_blocks(writer)
    states = [writer.names[s.name] for s in writer.mechanism.dynamics.states]
    sums = SUMS if CONSTANT in writer.mechanism.dynamics.inputs else ()
    stored = [*states, *(f"old_{name}" for name in states), *HELD]
    blocks = (initial, Block("BREAKPOINT", (), ("SOLVE advance",)), advance, integrate)
    return assemble(
        writer,
        suffix,
        blocks=blocks,
        uses=(),
        stored=tuple(stored),
        kind="POINT_PROCESS",
        extra_ranges=(*_OWN, *sums),
        readable=(*states, "spike_t", "spike_v"),
        states=(),
    )


def point_blocks(writer: Writer) -> tuple[Block, Block, Block]:
    """INITIAL, a step, and the integration within it: the lines are NMODL as well as, apart from semicolons, C."""
    _rename(writer)
    writer.helpers.add("growth")
    return _initial(writer), _advance(writer), integrate_block(writer)


def point_interface(writer: Writer, *, lag: bool) -> Interface:
    """How a point cell is bound and read."""
    if lag:
        return lagging_interface(writer)
    _rename(writer)
    return interface(writer)


def _rename(writer: Writer) -> None:
    """The voltage is a state of its own; input currents arrive in `drive`."""
    if any(s.name == "v" for s in writer.mechanism.dynamics.states):
        writer.names["v"] = "vm"
    writer.names |= {"iSyn": "drive", "ISyn": "drive", "t": "now", CONSTANT: "sum_i", SLOPE: "sum_g"}
    writer.avoid_locals()


def _initial(writer: Writer) -> Block:
    body = Body(writer)
    body.lines += ["now = 0.0", *reset_sums(writer)]
    initial_lines(writer, body)
    if writer.names.get("v") == "vm":
        body.lines += ["if (start_given) {", "    vm = start", "}"]
    start = next((k for k, r in enumerate(writer.mechanism.dynamics.regimes) if r.is_initial), 0)
    body.lines += ["spike_t = -1.0", "spike_v = 0.0", f"regime = {start}"]
    return body.block("INITIAL")


def _advance(writer: Writer) -> Block:
    """One fixed step, with everything that happens inside it."""
    dynamics = writer.mechanism.dynamics
    states = [writer.names[s.name] for s in dynamics.states]
    loop = ["passes = passes + 1", "if (h > left) {", "    h = left", "}"]
    loop += [f"old_{name} = {name}" for name in states]
    local_names = ["left", "h", "begin", "passes", "hit", "theta", "fresh"]
    loop += margins(writer, "before", local_names)
    loop += ["begin = now", "integrate(h)", "now = begin + h", "hit = 0.0", "theta = 1.0", "fresh = 0.0"]
    loop += margins(writer, "after", local_names)
    for index, condition in enumerate(dynamics.conditions, start=1):
        loop += _detect(writer, index, condition)
    restore = [f"    {name} = old_{name}" for name in states]
    loop += [f"if (fresh > 0.0 && h > {_FINEST} * (0.001 * dt)) {{", *restore, "    now = begin", "    h = 0.5 * h"]
    loop += ["} else if (hit > 0.0) {"]
    loop += [f"    {name} = old_{name} + theta * ({name} - old_{name})" for name in states]
    loop += ["    now = begin + theta * h", "    left = left - theta * h", "    h = left"]
    for index, condition in enumerate(dynamics.conditions, start=1):
        loop += _event(writer, index, condition, local_names)
    loop += ["} else {", "    left = left - h", "}"]
    head = ["left = 0.001 * dt", "now = 0.001 * t - left", "h = left", "passes = 0.0"]
    tail = reset_sums(writer)
    head += [f"while (left > 1e-9 * dt && passes < {_MAX_PASSES}) {{", *(f"    {line}" for line in loop), "}", *tail]
    return Block("PROCEDURE advance()", tuple(dict.fromkeys(local_names)), tuple(head))


def margins(writer: Writer, prefix: str, local_names: list[str], held: Held = NOTHING_HELD) -> list[str]:
    """For each condition how far it is from true: positive when it holds."""
    lines: list[str] = []
    for index, condition in enumerate(writer.mechanism.dynamics.conditions, start=1):
        body = Body(writer, known=set(held.assigned), own_inputs=False)
        match condition.test:
            case Op(op, args) if op in _COMPARISONS:
                larger, smaller = (args[k] for k in _COMPARISONS[op])
                body.let(f"{prefix}{index}", Op("-", (larger, smaller)))
            case test:
                body.need([test])
                body.local_names.append(f"{prefix}{index}")
                text = writer.text(test)
                name = f"{prefix}{index}"
                body.lines += [f"if ({text}) {{", f"    {name} = 1.0", "} else {", f"    {name} = -1.0", "}"]
        lines += body.lines
        local_names += body.local_names
    return lines


def fires(writer: Writer, index: int, condition: Condition) -> str:
    """The test whether a condition holds at the end of a step, by its margin `after<index>`."""
    regimes = [r.name for r in writer.mechanism.dynamics.regimes]
    where = f"regime == {regimes.index(condition.regime)} && " if condition.regime else ""
    strict = condition.test.op in (">", "<") if isinstance(condition.test, Op) else True
    holds = ">" if strict else ">="  # on the boundary it was met before: an event need not move the state away from it
    return f"{where}after{index} {holds} 0.0"


def _detect(writer: Writer, index: int, condition: Condition) -> list[str]:
    """The earliest condition that became true wins; one that held before the step fires at its end, as in LEMS."""
    before, after = f"before{index}", f"after{index}"
    share = f"{before} / ({before} - {after})"
    if not (isinstance(condition.test, Op) and condition.test.op in _COMPARISONS):
        share = "1.0"
    return [
        f"if ({fires(writer, index, condition)}) {{",
        f"    if ({before} >= 0.0) {{",
        "        if (hit == 0.0) {",
        f"            hit = {index}",
        "        }",
        f"    }} else if (fresh == 0.0 || {share} < theta) {{",
        f"        hit = {index}",
        "        fresh = 1.0",
        f"        theta = {share}",
        "    }",
        "}",
    ]


def _event(writer: Writer, index: int, condition: Condition, local_names: list[str]) -> list[str]:
    regimes = writer.mechanism.dynamics.regimes
    lines = [f"if (hit == {index}) {{"]
    if condition.emits_spike:
        lines.append("    spike_t = now")
        if writer.names.get("v") == "vm":
            lines.append("    spike_v = vm")
    lines += _assignments(writer, condition.assignments, local_names)
    if condition.next_regime:
        names = [r.name for r in regimes]
        target = regimes[names.index(condition.next_regime)]
        lines += [f"    regime = {names.index(target.name)}", *_assignments(writer, target.on_entry, local_names)]
    return [f"    {line}" for line in [*lines, "    hit = 0.0", "}"]]


def _assignments(writer: Writer, assignments: Sequence[tuple[str, Expr]], local_names: list[str]) -> list[str]:
    lines: list[str] = []
    for name, value in assignments:
        body = Body(writer, own_inputs=False)
        body.let(writer.names[name], value, local=False)
        lines += [f"    {line}" for line in body.lines]
        local_names += body.local_names
    return lines


def regimes_of(writer: Writer) -> tuple[Regime, ...]:
    """The regimes, or one without a name that is all there is."""
    return writer.mechanism.dynamics.regimes or (Regime("", True, (), ()),)


def moving_states(writer: Writer, regime: Regime) -> list[State]:
    """The states that move in a regime, with the derivatives that hold there."""
    dynamics = writer.mechanism.dynamics
    own = dict(regime.derivatives)
    return [
        State(s.name, s.initial, own.get(s.name, s.derivative))
        for s in dynamics.states
        if s.name in own or s.derivative is not None
    ]


def growth_text(name: str, stage: str) -> str:
    """How far the state `name` goes to its target in the stage 'mid' or 'end' of a step."""
    return f"growth({name}_loss * {SPANS[stage]})"


def integrate_block(writer: Writer, held: Held = NOTHING_HELD) -> Block:
    """States from `old_` over h; `now` is the time the coefficients are taken at."""
    regimes = regimes_of(writer)
    local_names: list[str] = []
    lines: list[str] = []
    for stage in SPANS:
        if stage == "end":
            lines.append("now = now + 0.5 * h")
        for index, regime in enumerate(regimes):
            inner = _stage(writer, regime, stage, local_names, held)
            if len(regimes) == 1:
                lines += inner
            else:
                lines += [f"if (regime == {index}) {{", *(f"    {line}" for line in inner), "}"]
    return Block("PROCEDURE integrate(h)", tuple(dict.fromkeys(local_names)), tuple(lines))


def _stage(writer: Writer, regime: Regime, stage: str, local_names: list[str], held: Held) -> list[str]:
    """Half a step from the coefficients at the start, or a whole one from those at the midpoint."""
    body = Body(writer, known=set(held.assigned), own_inputs=False)
    updates = []
    span = SPANS[stage]
    for state in moving_states(writer, regime):
        name = writer.names[state.name]
        decay = decay_of(state, writer)
        if decay is None or decay.loss is None:
            body.let(f"{name}_rate", state.derivative or Num(0.0))
            updates.append(f"{name} = old_{name} + {span} * {name}_rate")
            continue
        body.let(f"{name}_loss", decay.loss)
        gain = "0.0"
        if decay.gain is not None:
            gain = f"{name}_gain"
            body.let(gain, decay.gain)
        change = f"({gain} - {name}_loss * old_{name}) * {span}"
        growth = held.growths.get((regime.name, state.name, stage)) or growth_text(name, stage)
        updates.append(f"{name} = old_{name} + {change} * {growth}")
    local_names += body.local_names
    return [*body.lines, *updates]
