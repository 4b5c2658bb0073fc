"""Inputs and synapses on a point cell that adds up its currents itself.

Once per step, before the cell moves, an input steps its states to the middle of the step, adds the line of its current
(`codegen.attached_current`) to the cell's sums through pointers, and steps on to the end.
"""

from __future__ import annotations

from nmlopt.codegen.analysis import linear, slope
from nmlopt.codegen.input_conditions import sorted_conditions
from nmlopt.codegen.nmodl import Block, Body, Interface, ModText, Writer, interface
from nmlopt.codegen.nmodl_current import assemble
from nmlopt.codegen.nmodl_input import SETTINGS, condition_lines, receive_blocks
from nmlopt.codegen.nmodl_point import integrate_block
from nmlopt.codegen.nmodl_states import initial_lines
from nmlopt.lems.expression import Sym
from nmlopt.lems.trees import names

SUMS = ("sum_i", "sum_g")
VOLTAGE = "cell_v"
_NUDGE = "1e-06"
"""V, or a plain number: as NEURON nudges v by 0.001 mV to see how a current depends on it."""


def point_input_interface(writer: Writer, voltage: str) -> Interface:
    """How such an input is bound and read."""
    _rename(writer, voltage)
    return interface(writer)


def point_input_text(writer: Writer, suffix: str, voltage: str) -> ModText:
    """The mod. `voltage`: the text for the cell's voltage in V, or '' to read it through a pointer."""
    start, advance, *others = point_input_blocks(writer, voltage)
    states = tuple(writer.names[s.name] for s in writer.mechanism.dynamics.states)
    blocks = (start, Block("BREAKPOINT", (), ("SOLVE advance",)), advance, *others)
    pointers = (*SUMS, *((VOLTAGE,) if _reads_pointer(writer) else ()))
    return assemble(
        writer,
        suffix,
        blocks=blocks,
        uses=(),
        stored=(*states, *(f"old_{name}" for name in states), "now", *pointers),
        kind="POINT_PROCESS",
        extra_ranges=SETTINGS,
        readable=states,
        states=(),
        pointers=pointers,
    )


def point_input_blocks(writer: Writer, voltage: str) -> tuple[Block, ...]:
    """INITIAL, a step, the integration within it where states move, and what events do where they arrive."""
    _rename(writer, voltage)
    start = Body(writer, own_inputs=False)
    start.lines.append("now = 0.0")
    initial_lines(writer, start)
    moves = any(s.derivative is not None for s in writer.mechanism.dynamics.states)
    if moves:
        writer.helpers.add("growth")
    return (
        start.block("INITIAL"), _advance(writer, moves),
        *((integrate_block(writer),) if moves else ()), *receive_blocks(writer, own_inputs=False),
    )  # fmt: skip


def reads_voltage(writer: Writer) -> bool:
    """Whether such an input needs a pointer to the cell's voltage."""
    return _reads_pointer(writer)


def _rename(writer: Writer, voltage: str) -> None:
    writer.names |= {"weight": "weight", "t": "now", "v": voltage or VOLTAGE, "V": VOLTAGE}


def _reads_pointer(writer: Writer) -> bool:
    return any(writer.names[name] == VOLTAGE for name in ("v", "V") if name in writer.mechanism.dynamics.inputs)


def _advance(writer: Writer, moves: bool) -> Block:
    states = [writer.names[s.name] for s in writer.mechanism.dynamics.states]
    keep = [f"old_{name} = {name}" for name in states] if moves else []
    body = Body(writer, own_inputs=False)
    body.local_names.append("step")
    body.lines += ["step = 0.0005 * dt", "now = 0.001 * t - 2.0 * step", *keep]
    body.lines += ["integrate(step)"] if moves else []
    body.lines.append("now = 0.001 * t - step")
    _report(writer, body)
    body.lines += keep
    body.lines += ["integrate(step)"] if moves else []
    body.lines.append("now = 0.001 * t")
    late = Body(writer, own_inputs=False)
    condition_lines(writer, late, sorted_conditions(writer.mechanism.dynamics).steps)
    body.lines += late.lines
    body.local_names += late.local_names
    return body.block("PROCEDURE advance()")


def _report(writer: Writer, body: Body) -> None:
    """Add the line of the current at this moment to the sums of the cell."""
    dynamics = writer.mechanism.dynamics
    current = Sym(writer.mechanism.current)
    switches = sorted_conditions(dynamics).switches
    voltage = next((name for name in ("v", "V") if name in dynamics.inputs), "")
    switched = [e for c in switches for e in (c.test, *(value for _, value in c.assignments))]
    rests = bool(voltage) and any(voltage in writer.definitions.closure(names(e)) for e in switched)
    form = linear(current, voltage, writer.definitions) if voltage and not rests else None
    if voltage and form is None:
        _tangent(writer, body, voltage)
        return
    _evaluate(writer, body)
    whole = None if form is None else slope(form)
    if form is None or whole is None:
        body.need([current])
        body.lines.append(f"sum_i = sum_i + present * {writer.names[current.name]}")
        return
    if form.constant is not None:
        body.let("here", form.constant)
        body.lines.append("sum_i = sum_i + present * here")
    body.let("slope", whole)
    body.lines.append("sum_g = sum_g - present * slope")


def _evaluate(writer: Writer, body: Body) -> None:
    condition_lines(writer, body, sorted_conditions(writer.mechanism.dynamics).switches)


def _tangent(writer: Writer, body: Body, voltage: str) -> None:
    """The line that touches a current which is not linear in the voltage."""
    here = writer.names[voltage]
    for name, text in (("there", f"({here} + {_NUDGE})"), ("here", here)):
        writer.names[voltage] = text
        at = Body(writer, own_inputs=False)
        _evaluate(writer, at)
        at.let(name, Sym(writer.mechanism.current))
        body.lines += at.lines
        body.local_names += at.local_names
    body.local_names.append("slope")
    body.lines.append(f"slope = (there - here) / {_NUDGE}")
    body.lines.append(f"sum_i = sum_i + present * (here - slope * {here})")
    body.lines.append("sum_g = sum_g - present * slope")
