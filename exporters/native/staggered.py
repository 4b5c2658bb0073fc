"""States over an interval in which v and concentrations move in a straight line: second order for gates of any speed.

The coefficients of a decay are taken at both ends. With x = loss * length and s_a, s_b the values that the state tends
to at the ends, the solution for a target that moves from s_a to s_b is exact:

    s <- e s + (g - e) s_a + (1 - g) s_b,   e = exp(-x),   g = (1 - e) / x

A gate with v frozen in the middle of the interval would lag by half of it wherever it is faster than the step. Other
states are extrapolated from one and two steps of implicit Euler.
"""

from __future__ import annotations

from nmlopt.codegen.c_text import c_block, c_body
from nmlopt.codegen.nmodl import Body, Writer
from nmlopt.codegen.nmodl_states import decay_of
from nmlopt.exporters.native.mechanism import Coupled, Lines, c_name, flows
from nmlopt.ir.model import State
from nmlopt.lems.expression import Expr
from nmlopt.lems.trees import names as names_in

MOVING = ("v", "t", "caConc", "caConcExt", "caConc2", "caConcExt2")
"""Inputs that the template gives at both ends, as <name>_a and <name>_b."""


def staggered_lines(writer: Writer, coupled: Coupled | None) -> Lines:
    """The loop body that moves all states over `length` seconds."""
    if coupled is not None:
        return (*_implicit(writer, coupled), *_schemes(writer))
    lines: list[str] = []
    for state in writer.mechanism.dynamics.states:
        if state.derivative is not None:
            lines += _declared(writer, state)
    ends = [_scope(writer, end, _coefficients(writer, end)) for end in ("a", "b")]
    moves = [_move(writer, s) for s in writer.mechanism.dynamics.states if s.derivative is not None]
    decays = [*lines, *(x for end in ends for x in end), *moves] if moves else []
    return (*decays, *_schemes(writer))


def _declared(writer: Writer, state: State) -> list[str]:
    name = writer.names[state.name]
    return [f"double {name}_ga = 0.0, {name}_la = 0.0, {name}_gb = 0.0, {name}_lb = 0.0;"]


def _parts(writer: Writer, state: State) -> tuple[Expr | None, Expr | None]:
    """Gain and loss; a state that is not linear in itself has all in its gain."""
    decay = decay_of(state, writer)
    return (state.derivative, None) if decay is None else (decay.gain, decay.loss)


def _coefficients(writer: Writer, end: str) -> Body:
    body = c_body(writer)
    for state in writer.mechanism.dynamics.states:
        if state.derivative is None:
            continue
        name = writer.names[state.name]
        gain, loss = _parts(writer, state)
        for kind, expr in (("g", gain), ("l", loss)):
            if expr is not None and (end == "a" or _moves(writer, expr)):
                body.let(f"{name}_{kind}{end}", expr, local=False)
    return body


def _moves(writer: Writer, expr: Expr) -> bool:
    """Whether a coefficient differs between the ends."""
    return not writer.definitions.closure(names_in(expr)).isdisjoint(_moving(writer))


def _moving(writer: Writer) -> tuple[str, ...]:
    return tuple(name for name in MOVING if name in writer.mechanism.dynamics.inputs)


def _move(writer: Writer, state: State) -> str:
    name = writer.names[state.name]
    gain, loss = _parts(writer, state)
    ends = [f"{name}_{kind}b" if expr is not None and _moves(writer, expr) else f"{name}_{kind}a"
            for kind, expr in (("g", gain), ("l", loss))]  # fmt: skip
    if loss is None:
        return f"{name} = {name} + length * 0.5 * ({name}_ga + {ends[0]});"
    if ends == [f"{name}_ga", f"{name}_la"]:
        return f"{name} = {name} + ({name}_ga - {name}_la * {name}) * length * nm_growth({name}_la * length);"
    return f"{name} = nm_ramped({name}, {name}_ga, {name}_la, {ends[0]}, {ends[1]}, length);"


def _scope(writer: Writer, end: str, body: Body) -> Lines:
    """A block in which the inputs are those of one end, or of the middle (`m`)."""
    if not body.lines:
        return ()
    inputs = _moving(writer)
    values = [f"{name} = 0.5 * ({name}_a + {name}_b)" if end == "m" else f"{name} = {name}_{end}" for name in inputs]
    given = (f"const double {', '.join(values)};",) if values else ()
    return ("{", *(f"    {line}" for line in (*given, *c_block(body))), "}")


def _context(writer: Writer, coupled: Coupled, end: str, call: str) -> Lines:
    body = c_body(writer)
    body.lines += [f"const double c[] = {{{', '.join(coupled.context)}}}", call]
    return _scope(writer, end, body)


def _implicit(writer: Writer, coupled: Coupled) -> Lines:
    size, start, rates = len(coupled.states), ", ".join(coupled.states), f"{c_name(writer.mechanism)}_rates"
    return (
        "{",
        f"double once[{size}] = {{{start}}}, twice[{size}] = {{{start}}};",
        *_context(writer, coupled, "b", f"nm_implicit({size}, once, length, {rates}, c)"),
        *_context(writer, coupled, "m", f"nm_implicit({size}, twice, 0.5 * length, {rates}, c)"),
        *_context(writer, coupled, "b", f"nm_implicit({size}, twice, 0.5 * length, {rates}, c)"),
        *(f"{name} = 2.0 * twice[{k}] - once[{k}];" for k, name in enumerate(coupled.states)),
        "}",
    )


def _schemes(writer: Writer) -> Lines:
    lines: list[str] = []
    for scheme in writer.mechanism.dynamics.kinetics:
        size, held = len(scheme.states), [writer.names[name] for name in scheme.states]
        start = ", ".join(held)
        lines += ["{", f"double once[{size}] = {{{start}}}, twice[{size}] = {{{start}}};"]
        lines += [f"double middle[{size * size}] = {{0}}, end[{size * size}] = {{0}};"]
        for end, matrix in (("m", "middle"), ("b", "end")):
            body = c_body(writer)
            body.lines += flows(writer, body, scheme, matrix)
            lines += _scope(writer, end, body)
        lines += [
            f"nm_occupancies({size}, end, once, length);",
            f"nm_occupancies({size}, middle, twice, 0.5 * length);",
            f"nm_occupancies({size}, end, twice, 0.5 * length);",
            *(f"{name} = 2.0 * twice[{k}] - once[{k}];" for k, name in enumerate(held)),
            "}",
        ]
    return tuple(lines)
