"""States in NMODL: their start, their textbook solution (cnexp, derivimplicit, sparse) and jNeuroML's (Euler)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from nmlopt.codegen.analysis import Definitions, linear, slope
from nmlopt.codegen.nmodl import Block, Body, Writer
from nmlopt.ir.model import KineticScheme, State
from nmlopt.lems.expression import Expr, Num, Op, Sym
from nmlopt.lems.trees import leaves, names

PER_MS = "0.001"
_TABLE_FROM_MV, _TABLE_TO_MV, _TABLE_STEPS = -150.00367, 149.99633, 1200
"""A row each 0.25 mV, none on a round number: published rates have their 0/0 there."""


@dataclass(frozen=True, slots=True)
class Decay:
    """x' = gain - loss * x, both per second; None stands for a zero by form."""

    gain: Expr | None
    loss: Expr | None


def decays(states: Sequence[State], writer: Writer) -> dict[str, Decay] | None:
    """Each state as a decay whose coefficients hold no state that changes; None if any state is not like that."""
    moving = {s.name for s in states if s.derivative is not None}
    found: dict[str, Decay] = {}
    for state in states:
        if state.derivative is None:
            continue
        decay = decay_of(state, writer)
        if decay is None:
            return None
        coefficients = [e for e in (decay.gain, decay.loss) if e is not None]
        if any(writer.definitions.rests_on(e, moving) for e in coefficients):
            return None
        found[state.name] = decay
    return found


def decay_of(state: State, writer: Writer) -> Decay | None:
    """x' = gain - loss x of one state, whatever the other states are; None if it is not linear in itself."""
    if state.derivative is None:
        return None
    gate = _gate(state.derivative, state.name, writer)
    if gate is not None:
        return gate
    form = linear(state.derivative, state.name, writer.definitions)
    if form is None:
        return None
    whole = slope(form)
    return Decay(form.constant, None if whole is None else _negated(whole))


def _negated(expr: Expr) -> Expr:
    match expr:
        case Op("neg", (one,)):
            return one
        case Op("-", (Op("neg", (left,)), right)):
            return Op("+", (left, right))
        case Op("*", (left, Op("neg", (right,)))):
            return Op("*", (left, right))
        case Op("/", (Op("neg", (left,)), right)):
            return Op("/", (left, right))
    return Op("neg", (expr,))


def _gate(derivative: Expr, x: str, writer: Writer) -> Decay | None:
    """(inf - x) / tau without needless divisions: with tau = n/d the loss is d/n; with inf = p/d the gain is p/n.

    That is the alpha/beta form where the document gives rates, half the cost of inf and tau in the inner loop.
    """
    match derivative:
        case Op("/", (Op("-", (target, Sym(name))), tau)) if name == x:
            pass
        case _:
            return None
    definitions = writer.definitions
    if definitions.rests_on(target, {x}) or definitions.rests_on(tau, {x}):
        return None
    match _definition(tau, definitions):
        case Op("/", (numerator, denominator)):
            loss = _over(denominator, numerator)
            return Decay(_gain(target, numerator, denominator, writer) or Op("*", (target, loss)), loss)
    return Decay(Op("/", (target, tau)), Op("/", (Num(1.0), tau)))


def _gain(target: Expr, numerator: Expr, denominator: Expr, writer: Writer) -> Expr | None:
    """target * denominator / numerator where target is a quotient by the same sum of variables; else None.

    Only names of variables are compared, never numbers or parameters, which may be slots in one program only.
    """
    match _definition(target, writer.definitions):
        case Op("/", (top, bottom)) if _only_variables(bottom, writer):
            if denominator == bottom:
                return _over(top, numerator)
            match denominator:
                case Op("*", (left, factor)) if left == bottom:
                    return _over(Op("*", (top, factor)), numerator)
    return None


def _over(top: Expr, bottom: Expr) -> Expr:
    return top if bottom == Num(1.0) else Op("/", (top, bottom))


def _only_variables(expr: Expr, writer: Writer) -> bool:
    constants = {*writer.shared, *writer.own}
    return all(isinstance(leaf, Sym) and leaf.name not in constants for leaf in leaves(expr))


def _definition(expr: Expr, definitions: Definitions) -> Expr:
    while isinstance(expr, Sym):
        value = definitions.value(expr.name)
        if value is None:
            return expr
        expr = value
    return expr


def initial_lines(writer: Writer, body: Body, states: Sequence[State] | None = None) -> None:
    """Give every state its start; those that need other states come last, kinetic schemes start at steady state."""
    dynamics = writer.mechanism.dynamics
    occupancies = {name for scheme in dynamics.kinetics for name in scheme.states}
    given = [s for s in (dynamics.states if states is None else states) if s.name not in occupancies]
    all_states = {s.name for s in dynamics.states} | {name for k in dynamics.kinetics for name in k.states}
    late = [s for s in given if writer.definitions.rests_on(s.initial, all_states)]
    for state in given:
        if state not in late:
            body.let(writer.names[state.name], state.initial, local=False)
    for index, _ in enumerate(dynamics.kinetics):
        body.lines.append(f"SOLVE scheme{index} STEADYSTATE sparse")
    for state in late:
        body.let(writer.names[state.name], state.initial, local=False)


def preset_lines(writer: Writer, body: Body, states: Sequence[State] | None = None) -> None:
    """jNeuroML: what all states hold while INITIAL computes for the first time: 0, or the number of that name."""
    for state in writer.mechanism.dynamics.states if states is None else states:
        body.let(writer.names[state.name], state.preset or Num(0.0), local=False)
    if states is None:
        occupancies = [name for scheme in writer.mechanism.dynamics.kinetics for name in scheme.states]
        body.lines += [f"{writer.names[name]} = 0.0" for name in dict.fromkeys(occupancies)]


def tabulated(writer: Writer) -> dict[str, Expr]:
    """Coefficients of states that rest on v and on GLOBAL parameters only, by NMODL name: what a TABLE can hold.

    Whether a number is a literal or a slot plays no role: shared numbers are GLOBAL either way.
    """
    allowed = {"v", "temperature", *writer.shared, *(a.name for a in writer.definitions.assigned)}
    found = {}
    for state, decay in (decays(writer.mechanism.dynamics.states, writer) or {}).items():
        for part, expr in (("gain", decay.gain), ("loss", decay.loss)):
            if expr is not None and "v" in (used := writer.definitions.closure(names(expr))) and used <= allowed:
                found[f"{writer.names[state]}_{part}"] = expr
    return found


def table_block(writer: Writer, table: Mapping[str, Expr]) -> Block:
    """The procedure that fills the table; every GLOBAL it uses is in DEPEND, or a bound number would go unnoticed."""
    body = Body(writer, voltage="0.001 * u")
    for name, expr in table.items():
        body.let(name, expr, local=False)
    used = frozenset[str]().union(*(writer.definitions.closure(names(e)) for e in table.values()))
    inputs = [writer.names[n] for n in (*writer.shared, "temperature") if n in used]
    depend = f" DEPEND {', '.join(inputs)}" if inputs else ""
    head = f"TABLE {', '.join(table)}{depend} FROM {_TABLE_FROM_MV} TO {_TABLE_TO_MV} WITH {_TABLE_STEPS}"
    block = body.block("PROCEDURE coefficients(u)")
    return Block(block.head, block.local_names, (head, *block.lines))


def derivative_block(
    writer: Writer, published: Sequence[str] = (), table: Collection[str] = ()
) -> tuple[Block | None, str]:
    """The DERIVATIVE block and its METHOD; (None, '') without states that move.

    `published` ends the block; the coefficients in `table` come from the tabulated procedure.
    """
    states = [s for s in writer.mechanism.dynamics.states if s.derivative is not None]
    if not states:
        return None, ""
    body = Body(writer)
    if table:
        body.lines.append("coefficients(v)")
    decay = decays(writer.mechanism.dynamics.states, writer)
    for state in states:
        name = writer.names[state.name]
        if decay is None:
            body.let(f"{name}_rate", state.derivative or Num(0.0))
            continue
        for part, expr in (("gain", decay[state.name].gain), ("loss", decay[state.name].loss)):
            if expr is not None and f"{name}_{part}" not in table:
                body.let(f"{name}_{part}", expr)
    for state in states:
        body.lines.append(_equation(writer.names[state.name], None if decay is None else decay[state.name]))
    body.lines += published
    return body.block("DERIVATIVE states"), "derivimplicit" if decay is None else "cnexp"


def _equation(name: str, decay: Decay | None) -> str:
    """One equation per ms. cnexp gets one form whatever the equation is, so that it always does the same operations."""
    if decay is None:
        return f"{name}' = {PER_MS} * {name}_rate"
    if decay.loss is None:
        return f"{name}' = {PER_MS} * {name}_gain" if decay.gain is not None else f"{name}' = 0.0"
    if decay.gain is None:
        return f"{name}' = - {PER_MS} * {name}_loss * {name}"
    return f"{name}' = {PER_MS} * {name}_gain - {PER_MS} * {name}_loss * {name}"


def kinetic_blocks(writer: Writer) -> tuple[Block, ...]:
    """One KINETIC block per scheme, rates per ms, occupancies conserved."""
    return tuple(_kinetic(writer, index, scheme) for index, scheme in enumerate(writer.mechanism.dynamics.kinetics))


def _kinetic(writer: Writer, index: int, scheme: KineticScheme) -> Block:
    body = Body(writer)
    equations = []
    for number, edge in enumerate(scheme.transitions):
        forward, reverse = f"forward{index}_{number}", f"reverse{index}_{number}"
        for name, expr in ((forward, edge.forward), (reverse, edge.reverse)):
            body.let(name, Op("*", (Num(0.001), expr)))
        source, target = writer.names[edge.source], writer.names[edge.target]
        equations.append(f"~ {source} <-> {target} ({forward}, {reverse})")
    total = " + ".join(writer.names[name] for name in scheme.states)
    body.lines += [*equations, f"CONSERVE {total} = 1"]
    return body.block(f"KINETIC scheme{index}")


def state_names(writer: Writer) -> tuple[str, ...]:
    """All states, in NMODL's names."""
    dynamics = writer.mechanism.dynamics
    plain = [writer.names[s.name] for s in dynamics.states]
    occupancies = [writer.names[name] for scheme in dynamics.kinetics for name in scheme.states]
    return tuple(dict.fromkeys([*plain, *occupancies]))


def euler_lines(writer: Writer) -> tuple[list[str], list[str]]:
    """(rate variables, lines that step the states by dt) for jNeuroML's forward Euler."""
    moving = [writer.names[s.name] for s in writer.mechanism.dynamics.states if s.derivative is not None]
    return [f"rate_{name}" for name in moving], [f"{n} = {n} + dt * ({PER_MS} * rate_{n})" for n in moving]


def lagged(writer: Writer, current: str) -> tuple[str, ...]:
    """The variables of a current that jNeuroML computes before the states move: those of gates, and of states alone.

    What the density itself makes of v (a driving force, the exponential of a GHK current) is computed with the current,
    so that NEURON's di/dv sees it.
    """
    definitions = writer.definitions
    dynamics = writer.mechanism.dynamics
    states = {s.name for s in dynamics.states} | {name for k in dynamics.kinetics for name in k.states}
    found: list[str] = []
    direct: set[str] = {current}
    gates = tuple(f"{path.partition('/')[0]}_" for path, _ in dynamics.exposures if "/" in path)
    for assigned in definitions.needed([Sym(current)]):
        used = names(assigned.value)
        of_gate = assigned.name.startswith(gates)
        if assigned.name == current or used & direct or ("v" in used and not of_gate):
            direct.add(assigned.name)
        elif definitions.rests_on(assigned.value, {*states, "v"} if of_gate else states):
            found.append(assigned.name)
    return tuple(found)
