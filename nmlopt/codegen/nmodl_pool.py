"""Concentration models as density mechanisms that write an ion's concentrations."""

from __future__ import annotations

from nmlopt.codegen.nmodl import Block, Body, Interface, Ion, ModText, Writer, interface, ions
from nmlopt.codegen.nmodl_current import assemble
from nmlopt.codegen.nmodl_states import derivative_block, euler_lines, initial_lines
from nmlopt.lems.expression import Sym


def pool_text(writer: Writer, suffix: str, *, lag: bool) -> ModText:
    """The mod of a pool. `lag`: jNeuroML's forward Euler, else cnexp or derivimplicit."""
    rates, moves = euler_lines(writer)
    blocks = _euler(writer, rates, moves) if lag else _textbook(writer)
    return assemble(
        writer,
        suffix,
        blocks=blocks,
        uses=_ions(writer),
        stored=tuple(rates) if lag else (),
    )


def pool_interface(writer: Writer) -> Interface:
    """How a pool is bound and read."""
    return interface(writer)


def _ions(writer: Writer) -> tuple[Ion, ...]:
    """What it reads of its ion, and the concentrations it writes (those are read too: NMODL wants it so)."""
    ion = writer.mechanism.ion
    written = tuple(variable for _, variable in _published(writer))
    uses = {use.name: use for use in ions(writer.mechanism)}
    current = (f"i{ion}",) if any(n in ("iCa", "iCa2") for n in writer.mechanism.dynamics.inputs) else ()
    reads = {r for r in uses[ion].reads if not r.startswith("i")} | {*written}
    others = tuple(use for name, use in uses.items() if name != ion)
    return (Ion(ion, (*current, *sorted(reads)), written), *others)


def _published(writer: Writer) -> list[tuple[str, str]]:
    """(variable of the equations, ion variable) for the concentrations it holds."""
    ion = writer.mechanism.ion
    exposed = dict(writer.mechanism.dynamics.exposures)
    pairs = (("concentration", f"{ion}i"), ("extConcentration", f"{ion}o"))
    return [(exposed[exposure], variable) for exposure, variable in pairs if exposure in exposed]


def _publish(writer: Writer, body: Body) -> None:
    for name, variable in _published(writer):
        body.need([Sym(name)])
        text = writer.names[name]
        body.lines.append(f"{variable} = {text} * present" if writer.partial else f"{variable} = {text}")


def _limits(writer: Writer, body: Body) -> None:
    """The model's conditions (a concentration is not negative), tested after each step."""
    for condition in writer.mechanism.dynamics.conditions:
        body.need([condition.test, *(value for _, value in condition.assignments)])
        body.lines.append(f"if ({writer.text(condition.test)}) {{")
        for name, value in condition.assignments:
            body.lines.append(f"    {writer.names[name]} = {writer.text(value)}")
        body.lines.append("}")


def _ends(writer: Writer) -> tuple[Body, Body]:
    start = Body(writer)
    initial_lines(writer, start)
    _publish(writer, start)
    after = Body(writer)
    _limits(writer, after)
    _publish(writer, after)
    return start, after


def _textbook(writer: Writer) -> tuple[Block, ...]:
    start, after = _ends(writer)
    inside = Body(writer)
    _publish(writer, inside)
    states, method = derivative_block(writer, published=inside.lines)
    if states is None:
        return start.block("INITIAL"), after.block("BREAKPOINT")
    locals_ = tuple(dict.fromkeys((*states.local_names, *inside.local_names)))
    after.lines.insert(0, f"SOLVE states METHOD {method}")
    return start.block("INITIAL"), after.block("BREAKPOINT"), Block(states.head, locals_, states.lines)


def _euler(writer: Writer, rates: list[str], moves: list[str]) -> tuple[Block, ...]:
    start, after = _ends(writer)
    moving = [s.derivative for s in writer.mechanism.dynamics.states if s.derivative is not None]
    if not moving:
        return start.block("INITIAL"), after.block("BREAKPOINT")
    step = Body(writer)
    for rate, derivative in zip(rates, moving, strict=True):
        step.let(rate, derivative, local=False)
    step.lines += moves
    after.lines.insert(0, "SOLVE advance")
    return start.block("INITIAL"), after.block("BREAKPOINT"), step.block("PROCEDURE advance()")
