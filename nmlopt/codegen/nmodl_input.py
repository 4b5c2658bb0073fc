"""Inputs and synapses as POINT_PROCESSes on a membrane: one instance for each that an experiment attaches.

`weight` is the weight of the attachment, `present` switches an instance off while another experiment runs. Events act
in NET_RECEIVE. All currents are NONSPECIFIC, those of electrodes too: the sign is turned, the membrane sees the same.
"""

from __future__ import annotations

from collections.abc import Collection

from nmlopt.codegen.analysis import linear, slope
from nmlopt.codegen.input_conditions import edges, sorted_conditions
from nmlopt.codegen.nmodl import Block, Body, Interface, ModText, Writer, interface, ions
from nmlopt.codegen.nmodl_current import assemble
from nmlopt.codegen.nmodl_events import CALL, stepping_blocks
from nmlopt.codegen.nmodl_states import derivative_block, euler_lines, initial_lines, preset_lines
from nmlopt.ir.model import Condition
from nmlopt.lems.expression import Expr, Num, Op, Sym
from nmlopt.lems.trees import names

SETTINGS = ("weight", "present")
"""RANGE variables of every input, which the experiment sets."""
CURRENT = "i"
_LATE = "late_i"


def input_interface(writer: Writer) -> Interface:
    """How an input is bound and read."""
    return interface(name_inputs(writer))


def name_inputs(writer: Writer) -> Writer:
    """The names of what comes from outside."""
    own = {p.name for p in writer.mechanism.parameters} | {s.name for s in writer.mechanism.dynamics.states}
    writer.names |= {name: name for name in ("weight",) if name not in own}
    return writer


def input_text(writer: Writer, suffix: str, *, lag: bool) -> ModText:
    """The mod of an input. `lag`: as jNeuroML exports it, else textbook."""
    name_inputs(writer)
    blocks, stored = _lagging(writer) if lag else (_textbook(writer), ())
    return assemble(
        writer,
        suffix,
        blocks=blocks,
        uses=ions(writer.mechanism),
        nonspecific=CURRENT,
        stored=(CURRENT, *still_states(writer), *stored),
        kind="POINT_PROCESS",
        extra_ranges=SETTINGS,
        readable=(*still_states(writer), *(name for name in stored if not name.startswith("rate_"))),
        states=moving_states(writer),
    )


def moving_states(writer: Writer) -> tuple[str, ...]:
    """States with a derivative, in NMODL's names."""
    return tuple(writer.names[s.name] for s in writer.mechanism.dynamics.states if s.derivative is not None)


def still_states(writer: Writer) -> tuple[str, ...]:
    """States that only events and conditions change."""
    return tuple(writer.names[s.name] for s in writer.mechanism.dynamics.states if s.derivative is None)


def receive_blocks(writer: Writer, known: Collection[str] = (), *, own_inputs: bool = True) -> tuple[Block, ...]:
    """What an arriving event does; `known` variables are at hand. `own_inputs`: v and t are still to be converted."""
    events = writer.mechanism.dynamics.events
    if not events:
        return ()
    body = Body(writer, known=set(known), own_inputs=own_inputs)
    body.need([value for _, value in events[0].assignments])  # all from before the event, as LEMS has it
    for name, value in events[0].assignments:
        body.let(writer.names[name], value, local=False)
    return (body.block("NET_RECEIVE(netcon_weight)"),)


def condition_lines(writer: Writer, body: Body, conditions: tuple[Condition, ...]) -> None:
    """Test conditions in their order."""
    for condition in conditions:
        body.need([condition.test, *(value for _, value in condition.assignments)])
        temporaries, text = writer.assign("holds", condition.test)
        body.local_names += temporaries
        body.lines += [*text[:-1], f"if ({text[-1].removeprefix('holds = ')}) {{"]
        for name, value in condition.assignments:
            temporaries, text = writer.assign(writer.names[name], value, prefix=writer.names[name])
            body.local_names += temporaries
            body.lines += [f"    {line}" for line in text]
        body.lines.append("}")


def _textbook(writer: Writer) -> tuple[Block, ...]:
    dynamics = writer.mechanism.dynamics
    found = sorted_conditions(dynamics)
    start = Body(writer)
    initial_lines(writer, start)
    solve, steps = _solution(writer, found.steps)
    body = Body(writer)
    body.lines += solve
    _edge_lines(writer, body)
    condition_lines(writer, body, found.switches)
    current = Sym(writer.mechanism.current)
    body.need([current])
    form = linear(current, "v", writer.definitions)
    conductance = None if form is None or found.switches else slope(form)
    if conductance is not None:
        body.lines.append("CONDUCTANCE cond")
        body.let("slope", conductance)
        body.local_names.append("cond")
        body.lines.append("cond = -1e6 * slope * present")
    body.lines.append(_current_line(writer))
    return (start.block("INITIAL"), body.block("BREAKPOINT"), *steps, *receive_blocks(writer))


def _solution(writer: Writer, after: tuple[Condition, ...]) -> tuple[list[str], tuple[Block, ...]]:
    """The lines of BREAKPOINT that move the states and test the conditions after it, and the blocks that they name."""
    if not after:
        states, method = derivative_block(writer)
        return ([f"SOLVE states METHOD {method}"], (states,)) if states else ([], ())
    check = Body(writer)
    condition_lines(writer, check, after)
    return ["SOLVE advance"], (stepping_blocks(writer)[0], check.block(f"PROCEDURE {CALL}"))


def _current_line(writer: Writer) -> str:
    return f"{CURRENT} = -1e9 * {writer.names[writer.mechanism.current]} * present"


def _edge_lines(writer: Writer, body: Body) -> None:
    """Variable steps end where a switch is thrown."""
    moments = edges(writer.mechanism.dynamics)
    if not moments:
        return
    lines = []
    for index, moment in enumerate(moments):
        body.let(f"edge{index}", Op("*", (Num(1000.0), moment)))
        lines.append(f"    at_time(edge{index})")
    body.lines += ["if (present > 0.0) {", *lines, "}"]


def _lagging(writer: Writer) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """jNeuroML: the current and all else is computed from the states before they move by forward Euler, with the
    voltage at the end of the step; switches are thrown after that. The stored variables as well."""
    dynamics = writer.mechanism.dynamics
    rates, moves = euler_lines(writer)
    stored = _stored(writer)
    procedure = Body(writer)
    for assigned in writer.definitions.needed([Sym(n) for n in stored]):
        procedure.inputs([names(assigned.value)])
        procedure.compute(assigned, local=False)
    moving = [s.derivative for s in dynamics.states if s.derivative is not None]
    for rate, derivative in zip(rates, moving, strict=True):
        procedure.let(rate, derivative, local=False)
    late = writer.names[writer.mechanism.current] if _is_moving(writer) else ""
    if late:  # a current that is a state lags like any other
        procedure.lines.append(f"{_LATE} = {late}")
    start = Body(writer)
    preset_lines(writer, start)
    start.lines.append("rates()")
    initial_lines(writer, start)
    body = Body(writer, known=set(stored))
    found = sorted_conditions(dynamics)
    step = Body(writer, known=set(stored))
    step.lines += ["rates()", *moves]
    condition_lines(writer, step, found.steps)
    once = bool(moves or found.steps)
    body.lines.append("SOLVE advance" if once else "rates()")
    condition_lines(writer, body, found.switches)
    body.lines.append(f"{CURRENT} = -1e9 * {_LATE} * present" if late else _current_line(writer))
    blocks = (
        start.block("INITIAL"), body.block("BREAKPOINT"), *((step.block("PROCEDURE advance()"),) if once else ()),
        procedure.block("PROCEDURE rates()"), *receive_blocks(writer, set(stored)),
    )  # fmt: skip
    return blocks, (*(writer.names[n] for n in stored), *rates, *([_LATE] if late else []))


def _is_moving(writer: Writer) -> bool:
    """Whether the current is a state with a derivative."""
    states = writer.mechanism.dynamics.states
    return any(s.name == writer.mechanism.current and s.derivative is not None for s in states)


def kept_variables(writer: Writer) -> dict[str, str]:
    """The assigned variables that a lagging mod stores, with their NMODL names."""
    return {name: writer.names[name] for name in _stored(name_inputs(writer))}


def _stored(writer: Writer) -> tuple[str, ...]:
    """What is kept from one step to the next: the current, all that events read, and what is recorded."""
    dynamics = writer.mechanism.dynamics
    roots: list[Expr] = [Sym(writer.mechanism.current)]
    roots += [value for event in dynamics.events for _, value in event.assignments]
    roots += [Sym(name) for _, name in dynamics.exposures]
    return tuple(a.name for a in writer.definitions.needed(roots))
