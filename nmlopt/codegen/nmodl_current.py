"""Channel densities and populations as density mechanisms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce

from nmlopt.codegen.analysis import ZERO, Definitions, linear, slope
from nmlopt.codegen.nmodl import HELPERS, Block, Body, Interface, Ion, ModText, Writer, interface, ions
from nmlopt.codegen.nmodl_events import CALL, condition_block, has_conditions, stepping_blocks
from nmlopt.codegen.nmodl_states import (
    derivative_block,
    euler_lines,
    initial_lines,
    kinetic_blocks,
    lagged,
    preset_lines,
    state_names,
    table_block,
    tabulated,
)
from nmlopt.ir.model import MechanismKind
from nmlopt.lems.expression import Expr, Op, Sym
from nmlopt.lems.trees import names


def current_text(writer: Writer, suffix: str, *, lag: bool, tables: bool) -> ModText:
    """The mod of a density or population. `lag`: jNeuroML's numerics, else textbook, with or without tables."""
    stepping = has_conditions(writer)
    table = tabulated(writer) if tables and not stepping else {}
    lag = lag and (stepping or bool(_moving(writer)))  # where no state moves, nothing lags
    blocks = _lagging(writer) if lag else _stepping(writer) if stepping else _textbook(writer, table)
    stored = _stored(writer) if lag else tuple(table)
    names = [_current_name(ion) for ion in _carriers(writer)]
    return assemble(
        writer,
        suffix,
        blocks=blocks,
        uses=ions(writer.mechanism, writer.currents),
        nonspecific="i" if "i" in names else "",
        stored=(*stored, *names),
    )


def assemble(
    writer: Writer,
    suffix: str,
    *,
    blocks: tuple[Block, ...],
    uses: tuple[Ion, ...],
    nonspecific: str = "",
    stored: tuple[str, ...] = (),
    kind: str = "SUFFIX",
    extra_ranges: tuple[str, ...] = (),
    readable: tuple[str, ...] = (),
    states: tuple[str, ...] | None = None,
    pointers: tuple[str, ...] = (),
) -> ModText:
    """All parts of a mod together with their declarations."""
    face = interface(writer)
    ranges = [*face.own.values(), *extra_ranges]
    ranges += ["surfaceArea"] if face.needs_area else []
    ranges += ["present"] if writer.partial else []
    shared = [*face.shared.values()]
    shared += ["temperature"] if face.needs_temperature else []
    states = state_names(writer) if states is None else states
    ion_variables = [name for use in uses for name in (*use.reads, *use.writes)]
    clock = [name for name in ("dt",) if _uses(blocks, name)]
    assigned = dict.fromkeys(["v", *clock, *ion_variables, *stored])
    return ModText(
        suffix=suffix,
        title=f"{writer.mechanism.name} ({writer.mechanism.kind})",
        kind=kind,
        ions=uses,
        nonspecific=nonspecific,
        thread_safe=True,
        ranges=(*ranges, *readable, *states),
        global_names=tuple(shared),
        parameters=(*ranges, *shared),
        assigned=tuple(assigned),
        states=states,
        blocks=blocks,
        helpers=tuple(h for h in HELPERS if h in writer.helpers),
        pointers=pointers,
    )


def _uses(blocks: tuple[Block, ...], name: str) -> bool:
    return any(re.search(rf"\b{name}\b", line) for block in blocks for line in block.lines)


def current_interface(writer: Writer) -> Interface:
    """How a current is bound and read."""
    return interface(writer)


def _current_name(ion: str) -> str:
    return f"i{ion}"


def _carriers(writer: Writer) -> tuple[str, ...]:
    """The ions of the currents, '' for a current of none, each once."""
    return tuple(dict.fromkeys(c.ion for c in writer.currents))


def _textbook(writer: Writer, table: Mapping[str, Expr]) -> tuple[Block, ...]:
    start = Body(writer)
    initial_lines(writer, start)
    states, method = derivative_block(writer, table=table)
    tables = (table_block(writer, table),) if table else ()
    kinetics = kinetic_blocks(writer)
    body = Body(writer)
    solve = [f"SOLVE states METHOD {method}"] if states else []
    body.lines += [*solve, *(f"SOLVE scheme{k} METHOD sparse" for k, _ in enumerate(kinetics))]
    _current_lines(writer, body, without_gates(writer))
    return (start.block("INITIAL"), body.block("BREAKPOINT"), *((states,) if states else ()), *tables, *kinetics)


def _stepping(writer: Writer) -> tuple[Block, ...]:
    """With conditions: a step of its own."""
    start, body = Body(writer), Body(writer)
    initial_lines(writer, start)
    body.lines.append("SOLVE advance")
    _current_lines(writer, body, without_gates(writer))
    return (start.block("INITIAL"), body.block("BREAKPOINT"), *stepping_blocks(writer))


def without_gates(writer: Writer) -> Definitions:
    """Definitions that do not say how a gate follows the voltage at once, so that its current is linear in v.

    The conductance of a step is that of its open gates. With the slope of an instantaneous gate in it, as NEURON finds
    it from two evaluations, that of an inward current is negative, and where it nears -C/dt the step divides by zero.
    """
    gates = {variable for name, variable in writer.mechanism.dynamics.exposures if name.endswith("/q")}
    return Definitions(tuple(a for a in writer.definitions.assigned if a.name not in gates))


def _current_lines(writer: Writer, body: Body, definitions: Definitions) -> None:
    """i = -0.1 iDensity for each ion, and its conductance where it is linear in v, which saves a second evaluation."""
    forms = {c: linear(Sym(c.variable), "v", definitions) for c in writer.currents}
    slopes = {c: slope(form) for c, form in forms.items() if form is not None}
    with_slopes = all(slopes.get(c) is not None for c in writer.currents)
    body.need([Sym(c.variable) for c in writer.currents])
    scale = " / surfaceArea" if writer.mechanism.kind is MechanismKind.POPULATION else ""
    scale += " * present" if writer.partial else ""
    for ion in _carriers(writer):
        currents = [c for c in writer.currents if c.ion == ion]
        if with_slopes:
            ending = f"_{ion}" if ion else ""
            body.lines.append(f"CONDUCTANCE cond{ending}{f' USEION {ion}' if ion else ''}")
            whole = [_flip(slopes[c] or ZERO) for c in currents]
            body.let(f"slope{ending}", reduce(lambda a, b: Op("+", (a, b)), whole))
            body.local_names.append(f"cond{ending}")
            body.lines.append(f"cond{ending} = 0.0001 * slope{ending}{scale}")
        texts = [writer.names[c.variable] for c in currents]
        total = texts[0] if len(texts) == 1 else f"({' + '.join(texts)})"
        body.lines.append(f"{_current_name(ion)} = -0.1 * {total}{scale}")


def _flip(expr: Expr) -> Expr:
    return expr.args[0] if isinstance(expr, Op) and expr.op == "neg" else Op("neg", (expr,))


def _stored(writer: Writer) -> tuple[str, ...]:
    rates, _ = euler_lines(writer)
    return (*(writer.names[n] for n in lagged(writer, writer.mechanism.current)), *rates)


def _lagging(writer: Writer) -> tuple[Block, ...]:
    """jNeuroML: everything is computed from the states before they move by forward Euler.

    INITIAL computes it while the states are still zero, so that gated currents are zero in the first step.
    """
    stored = lagged(writer, writer.mechanism.current)
    kinetics = kinetic_blocks(writer)
    rates, moves = euler_lines(writer)
    procedure = Body(writer)
    for assigned in writer.definitions.needed([*(Sym(n) for n in stored)]):
        procedure.inputs([names(assigned.value)])
        procedure.compute(assigned, local=assigned.name not in stored)
    for state, rate in zip(_moving(writer), rates, strict=True):
        procedure.let(rate, state, local=False)
    start = Body(writer)
    preset_lines(writer, start)
    start.lines.append("rates()")
    initial_lines(writer, start)
    body = Body(writer, known=set(stored))
    body.lines += ["SOLVE advance", *(f"SOLVE scheme{k} METHOD sparse" for k, _ in enumerate(kinetics))]
    opaque = Definitions(tuple(a for a in writer.definitions.assigned if a.name not in stored))
    _current_lines(writer, body, opaque)
    step: tuple[Block, ...] = (Block("PROCEDURE advance()", (), ("rates()", *moves)),)
    if has_conditions(writer):
        step = (Block("PROCEDURE advance()", (), ("rates()", *moves, CALL)), condition_block(writer))
    return (
        start.block("INITIAL"), body.block("BREAKPOINT"), *step, procedure.block("PROCEDURE rates()"), *kinetics,
    )  # fmt: skip


def _moving(writer: Writer) -> list[Expr]:
    return [s.derivative for s in writer.mechanism.dynamics.states if s.derivative is not None]
