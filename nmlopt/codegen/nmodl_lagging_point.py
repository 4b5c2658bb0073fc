"""Point cells as jNeuroML exports them: the membrane of a section driven by i = -C dv/dt, a step late.

Conditions that reset v or change the regime are WATCH crossings whose events act in NET_RECEIVE; the others (a flag
`spiking`) are tested in BREAKPOINT. In a regime in which nothing moves v is held by a steep current, as there; in one
in which only another variable moves (w of an adaptive cell) v is left to whatever current is put into the cell. The
conductance of a channel inside such a cell is computed in BREAKPOINT, after it was used: one step later still.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nmlopt.codegen.analysis import Definitions
from nmlopt.codegen.attached_current import CONSTANT, SLOPE, SUMS, reset_sums
from nmlopt.codegen.nmodl import Block, Body, Interface, ModText, Writer, interface, safe
from nmlopt.codegen.nmodl_current import assemble
from nmlopt.codegen.nmodl_states import initial_lines, preset_lines
from nmlopt.ir.model import Condition, Regime, State
from nmlopt.lems.expression import Call, Expr, Num, Op, Sym
from nmlopt.lems.trees import names, substitute

_HOLD_PER_S = Num(1e10)
_START_FLAG = 1
_FIRST_FLAG = 1000


def lagging_interface(writer: Writer) -> Interface:
    """How such a cell is bound and read."""
    _rename(writer)
    return interface(writer)


def lagging_text(writer: Writer, suffix: str) -> ModText:
    """The mod of the cell."""
    _rename(writer)
    late = _use_late(writer)
    dynamics = writer.mechanism.dynamics
    stepped = [s for s in dynamics.states if s.name != "v" and _moves(writer, s)]
    kept = [writer.names[s.name] for s in dynamics.states if s.name != "v" and s not in stepped]
    has_drive = "ISyn" in dynamics.inputs
    sums = SUMS if CONSTANT in dynamics.inputs else ()
    rates_block = _rates(writer, stepped, late)
    blocks = (
        _initial(writer, stepped, late),
        _breakpoint(writer, stepped),
        *_moves_block(writer, stepped),
        rates_block,
    )
    receive = (_receive(writer),) if _watched_conditions(writer) or _has_v(writer) else ()
    rates = [*(f"rate_{writer.names[s.name]}" for s in stepped), *late.values()]
    stored = ["i", "dvdt", "regime", *kept, *rates] if _has_v(writer) else ["regime", *kept, *rates]
    return assemble(
        writer,
        suffix,
        blocks=(*blocks, *receive),
        uses=(),
        nonspecific="i" if _has_v(writer) else "",
        stored=tuple(stored),
        kind="POINT_PROCESS",
        extra_ranges=("cap_nF", "start", "start_given", *(("drive",) if has_drive else ()), *sums),
        readable=tuple(kept),
        states=tuple(writer.names[s.name] for s in stepped),
    )


def _has_v(writer: Writer) -> bool:
    return any(s.name == "v" for s in writer.mechanism.dynamics.states)


def _rename(writer: Writer) -> None:
    if _has_v(writer):
        writer.names["v"] = "(0.001 * v)"
    writer.names |= {"t": "(0.001 * t)", "iSyn": "0.0", "ISyn": "drive"}
    writer.names |= {CONSTANT: "sum_i", SLOPE: "sum_g"}


def _moves(writer: Writer, state: State) -> bool:
    return state.derivative is not None or any(
        name == state.name for regime in writer.mechanism.dynamics.regimes for name, _ in regime.derivatives
    )


def _use_late(writer: Writer) -> dict[str, str]:
    """The conductances of channels (exposed as '<population>/g') and the NMODL names of their values a step before.

    Everything that reads one is made to read the latter.
    """
    found = [v for name, v in writer.mechanism.dynamics.exposures if name.count("/") == 1 and name.endswith("/g")]
    late = {variable: f"late_{safe(variable)}" for variable in found}
    writer.names |= {name: name for name in late.values()}
    reads: dict[str, Expr] = {variable: Sym(name) for variable, name in late.items()}
    writer.definitions = Definitions(
        tuple(replace(a, value=substitute(a.value, reads)) for a in writer.definitions.assigned)
    )
    return late


def _initial(writer: Writer, stepped: list[State], late: Mapping[str, str]) -> Block:
    dynamics = writer.mechanism.dynamics
    body = Body(writer, own_inputs=False)
    start = next((k for k, r in enumerate(dynamics.regimes) if r.is_initial), 0)
    others = [s for s in dynamics.states if s.name != "v"]
    rates = [f"rate_{writer.names[s.name]}" for s in stepped] + (["dvdt"] if _has_v(writer) else [])
    preset_lines(writer, body, states=others)
    body.lines += [*reset_sums(writer), *(f"{name} = 0.0" for name in (*rates, *late.values()))]
    body.lines += ["regime = -1", "rates()", f"regime = {start}"]  # as there: the first rates know of no regime
    body.need([s.initial for s in others])  # what starts rest on is computed before they start
    initial_lines(writer, body, states=others)
    if _watched_conditions(writer) or _has_v(writer):
        body.lines.append(f"net_send(0, {_START_FLAG})")
    return body.block("INITIAL")


def _is_watched(condition: Condition) -> bool:
    resets = any(name == "v" for name, _ in condition.assignments)
    return resets or bool(condition.regime) or bool(condition.next_regime)


def _watched_conditions(writer: Writer) -> list[Condition]:
    return [c for c in writer.mechanism.dynamics.conditions if _is_watched(c)]


def _breakpoint(writer: Writer, stepped: list[State]) -> Block:
    body = Body(writer, own_inputs=False)
    body.lines += ["SOLVE advance"] if stepped or reset_sums(writer) else ["rates()"]
    for condition in writer.mechanism.dynamics.conditions:
        if not _is_watched(condition):
            body.need([condition.test, *(value for _, value in condition.assignments)])
            body.lines.append(f"if ({writer.text(condition.test)}) {{")
            for name, value in condition.assignments:
                temporaries, text = writer.assign(writer.names[name], value)
                body.local_names += temporaries
                body.lines += [f"    {line}" for line in text]
            body.lines.append("}")
    body.lines += ["i = dvdt * cap_nF"] if _has_v(writer) else []
    return body.block("BREAKPOINT")


def _moves_block(writer: Writer, stepped: list[State]) -> tuple[Block, ...]:
    if not stepped and not reset_sums(writer):
        return ()
    moves = [f"{n} = {n} + dt * (0.001 * rate_{n})" for n in (writer.names[s.name] for s in stepped)]
    return (Block("PROCEDURE advance()", (), ("rates()", *moves, *reset_sums(writer))),)


def _rates(writer: Writer, stepped: list[State], late: Mapping[str, str]) -> Block:
    dynamics = writer.mechanism.dynamics
    body = Body(writer, own_inputs=False)
    for state in stepped:
        _rate(writer, body, f"rate_{writer.names[state.name]}", state)
    if _has_v(writer):
        v = next(s for s in dynamics.states if s.name == "v")
        _rate(writer, body, "dvdt", v)
        body.lines.append("dvdt = -dvdt")
    for variable, name in late.items():
        body.let(name, Sym(variable), local=False)
    return body.block("PROCEDURE rates()")


def _rate(writer: Writer, body: Body, target: str, state: State) -> None:
    regimes = writer.mechanism.dynamics.regimes
    if state.derivative is not None or not regimes:
        body.let(target, state.derivative or Num(0.0), local=False)
        return
    for index, regime in enumerate(regimes):
        inner = Body(writer, own_inputs=False)
        inner.let(target, _in_regime(state, regime), local=False)
        body.local_names += inner.local_names
        body.lines += [f"if (regime == {index}) {{", *(f"    {line}" for line in inner.lines), "}"]


def _in_regime(state: State, regime: Regime) -> Expr:
    found = dict(regime.derivatives).get(state.name)
    if found is not None:
        return found
    reset = dict(regime.on_entry).get(state.name)
    if state.name == "v" and reset is not None and not regime.derivatives:
        return Op("*", (_HOLD_PER_S, Op("-", (reset, Sym("v")))))
    return Num(0.0)


def _receive(writer: Writer) -> Block:
    dynamics = writer.mechanism.dynamics
    local_names: list[str] = []
    start = [f"if (flag == {_START_FLAG}) {{"]
    events: list[str] = []
    for index, condition in enumerate(_watched_conditions(writer)):
        flag = _FIRST_FLAG + index
        start.append(f"    WATCH ({writer.text(_watched(writer, condition.test))}) {flag}")
        events += _event(writer, flag, condition, local_names)
    if _has_v(writer):
        v = next(s for s in dynamics.states if s.name == "v")
        body = Body(writer, own_inputs=False)
        body.let("first", v.initial)
        local_names += body.local_names
        start += [f"    {line}" for line in body.lines]
        start += ["    if (start_given) {", "        first = start", "    }", "    v = 1000.0 * first"]
    return Block("NET_RECEIVE(flag)", tuple(dict.fromkeys(local_names)), (*start, "}", *events))


def _watched(writer: Writer, test: Expr) -> Expr:
    """The test as one comparison with assigned variables written out, which is all that WATCH takes."""
    table = {a.name: a.value for a in writer.mechanism.dynamics.assigned}
    while names(test) & table.keys():
        test = substitute(test, table)
    return test if isinstance(test, Op) and test.op in ("<", ">") else Op(">", (_margin(test), Num(0.0)))


def _margin(test: Expr) -> Expr:
    """A number that is positive where the test holds, and crosses 0 where it begins to."""
    match test:
        case Op(">" | ">=", (left, right)):
            return Op("-", (left, right))
        case Op("<" | "<=", (left, right)):
            return Op("-", (right, left))
        case Op("and", (left, right)):
            return _extreme("-", _margin(left), _margin(right))
        case Op("or", (left, right)):
            return _extreme("+", _margin(left), _margin(right))
        case Op("not", (one,)):
            return Op("neg", (_margin(one),))
        case Op("==", (left, right)):
            return Op("-", (Num(0.5), Call("abs", (Op("-", (left, right)),))))
        case Op("!=", (left, right)):
            return Op("-", (Call("abs", (Op("-", (left, right)),)), Num(0.5)))
    return test


def _extreme(sign: str, left: Expr, right: Expr) -> Expr:
    """The smaller (-) or the larger (+) of two numbers."""
    apart = Call("abs", (Op("-", (left, right)),))
    return Op("*", (Num(0.5), Op(sign, (Op("+", (left, right)), apart))))


def _event(writer: Writer, flag: int, condition: Condition, local_names: list[str]) -> list[str]:
    regimes = [r.name for r in writer.mechanism.dynamics.regimes]
    where = f" && regime == {regimes.index(condition.regime)}" if condition.regime else ""
    lines = [f"if (flag == {flag}{where}) {{", *_happening(writer, condition, local_names)]
    for other in _watched_conditions(writer):
        if condition.next_regime and other.regime == condition.next_regime and _is_clock(writer, other):
            over = writer.text(Op(">=", (_margin(_watched(writer, other.test)), Num(0.0))))
            left = [*_happening(writer, other, local_names), *(["    dvdt = 0.0"] if _has_v(writer) else [])]
            lines += [f"    if ({over}) {{", *(f"    {line}" for line in left), "    }"]
    return [*lines, "}"]


def _is_clock(writer: Writer, condition: Condition) -> bool:
    """Whether nothing but time decides about it: the end of a refractory period.

    One of no length (which the export refuses) is over when it begins, and no WATCH would see that: it sees changes.
    """
    dynamics = writer.mechanism.dynamics
    moving = {"v", *(s.name for s in dynamics.states if _moves(writer, s)), *dynamics.inputs} - {"t"}
    return not names(_watched(writer, condition.test)) & moving


def _happening(writer: Writer, condition: Condition, local_names: list[str]) -> list[str]:
    regimes = [r.name for r in writer.mechanism.dynamics.regimes]
    lines: list[str] = []
    assignments = list(condition.assignments)
    if condition.next_regime:
        target = writer.mechanism.dynamics.regimes[regimes.index(condition.next_regime)]
        lines.append(f"    regime = {regimes.index(target.name)}")
        assignments += target.on_entry
    for name, value in assignments:
        body = Body(writer, own_inputs=False)
        if name == "v":
            body.let("fresh_v", value)
            body.lines += ["v = 1000.0 * fresh_v", *([] if condition.next_regime else ["dvdt = 0.0"])]
        else:
            body.let(writer.names[name], value, local=False)
        local_names += body.local_names
        lines += [f"    {line}" for line in body.lines]
    return lines
