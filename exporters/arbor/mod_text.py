"""The text of one mechanism in Arbor's dialect of NMODL.

Arbor publishes states and nothing else between the steps, so what a pool says of its ion are states with the ion's
names. It knows no time: what reads it has a state that counts it, and sees the middle of each step, as NEURON's
currents do. Conditions that change what they rest on are tested after each step, switches wherever a current is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nmlopt.codegen.analysis import Definitions, ordered
from nmlopt.codegen.input_conditions import held_value, sorted_conditions
from nmlopt.codegen.nmodl import NMODL, Block, Body, Ion, ModText, Writer, interface, ions
from nmlopt.codegen.nmodl_input import condition_lines, receive_blocks
from nmlopt.codegen.nmodl_states import initial_lines, kinetic_blocks, state_names
from nmlopt.codegen.printer import Dialect
from nmlopt.exporters.arbor.membrane_current import BESIDE, current_lines
from nmlopt.exporters.arbor.stepping import moves
from nmlopt.exporters.arbor.truths import with_comparisons
from nmlopt.ir.model import Assigned, Condition, Mechanism, MechanismKind
from nmlopt.lems.expression import Sym

_FUNCTIONS = {name: text for name, text in NMODL.functions.items() if name != "ceil"}
ARBOR = Dialect(operators=NMODL.operators, functions={**_FUNCTIONS, "exprelr": "linoid"}, power="power")
"""Arbor has a function exprelr of its own, x / (exp(x) - 1), and none that rounds."""
ELAPSED, WEIGHT = "elapsed", "attached_weight"
"""A state of ours, the seconds since the start, and a parameter, the weight of an attachment."""
_BUILT_IN = frozenset({"exprelr", "linoid", "min", "max", "safeinv", "signum", "sigmoid", "relu", "step", "celsius",
                       "i_", "n_", BESIDE, ELAPSED, WEIGHT})  # fmt: skip
_CURRENT = "i"
_INSIDE, _OUTSIDE = "concentration", "extConcentration"


def writer_of(mechanism: Mechanism) -> Writer:
    """A writer with Arbor's names: its functions, and a pool's ion as the state that holds the concentration."""
    mechanism = with_comparisons(_with_currents_of_v(mechanism))
    writer = Writer(mechanism, partial=False, dialect=ARBOR, clock=f"{ELAPSED} + 0.0005 * dt")
    for name, text in writer.names.items():
        if text in _BUILT_IN:
            writer.names[name] = f"{text}_"
    if mechanism.kind is MechanismKind.INPUT:
        writer.names.setdefault("weight", WEIGHT)
    if mechanism.kind is MechanismKind.POOL:
        states = {s.name for s in mechanism.dynamics.states}
        writer.names |= {name: ion for name, ion in published(mechanism).items() if name in states}
    return writer


def published(mechanism: Mechanism) -> dict[str, str]:
    """The variables of a pool that are concentrations of its ion as others see it, with the ion's names.

    Not the one outside where nothing moves it: that is painted.
    """
    moving = _moving(mechanism) | {a.name for a in mechanism.dynamics.assigned}
    sides = ((inside(mechanism), f"{mechanism.ion}i"), (outside(mechanism), f"{mechanism.ion}o"))
    return {name: ion for name, ion in sides if name is not None and (name in moving or ion.endswith("i"))}


def _with_currents_of_v(mechanism: Mechanism) -> Mechanism:
    """An input in which a state that switches set to something that rests on v (a clamp's current) is computed."""
    dynamics = mechanism.dynamics
    if mechanism.kind is not MechanismKind.INPUT or not dynamics.conditions:
        return mechanism
    found, definitions = sorted_conditions(dynamics), Definitions(dynamics.assigned)
    set_by_v = {
        name
        for condition in found.switches
        for name, value in condition.assignments
        if name in found.held and definitions.rests_on(value, {"v"})
    }
    table = {a.name: a.value for a in dynamics.assigned} | {name: held_value(dynamics, name) for name in set_by_v}
    kept = [
        replace(c, assignments=tuple(a for a in c.assignments if a[0] not in set_by_v)) for c in dynamics.conditions
    ]
    changed = replace(
        dynamics,
        states=tuple(s for s in dynamics.states if s.name not in set_by_v),
        assigned=tuple(Assigned(name, table[name]) for name in ordered(table, table)),
        conditions=tuple(c for c in kept if c.assignments),
    )
    return replace(mechanism, dynamics=changed)


def inside(mechanism: Mechanism) -> str | None:
    """The variable that holds the concentration of a pool, None if it holds none."""
    return dict(mechanism.dynamics.exposures).get(_INSIDE)


def outside(mechanism: Mechanism) -> str | None:
    """The variable with the concentration outside that a pool states, None if it states none."""
    return dict(mechanism.dynamics.exposures).get(_OUTSIDE)


def reads_time(mechanism: Mechanism) -> bool:
    """Whether the equations read the time."""
    return "t" in mechanism.dynamics.inputs


def text_of(writer: Writer) -> ModText:
    """Everything that the template prints."""
    match writer.mechanism.kind:
        case MechanismKind.POOL:
            return _pool(writer)
        case MechanismKind.INPUT:
            return _input(writer)
    return _current(writer)


def _moving(mechanism: Mechanism) -> frozenset[str]:
    return frozenset(s.name for s in mechanism.dynamics.states if s.derivative is not None)


def _current(writer: Writer) -> ModText:
    mechanism = writer.mechanism
    scale = "-0.1 / surfaceArea * " if mechanism.kind is MechanismKind.POPULATION else "-0.1 * "
    name = f"i{mechanism.ion}"
    body = Body(writer)
    blocks = _solved(writer, body, mechanism.dynamics.conditions)
    current_lines(writer, body, name, scale)
    uses = ions(mechanism, writer.currents)
    return _assembled(writer, (*blocks, body.block("BREAKPOINT")), uses, "" if mechanism.ion else name)


def _input(writer: Writer) -> ModText:
    """A POINT_PROCESS, whose current is in nA; what an electrode injects is turned into a current of the membrane."""
    mechanism = writer.mechanism
    body = Body(writer)
    found = sorted_conditions(mechanism.dynamics)
    blocks = _solved(writer, body, found.steps)
    condition_lines(writer, body, found.switches)
    current_lines(writer, body, _CURRENT, "-1e9 * ")
    blocks = (*blocks, body.block("BREAKPOINT"), *receive_blocks(writer))
    return _assembled(writer, blocks, ions(mechanism), _CURRENT)


def _pool(writer: Writer) -> ModText:
    """A pool writes what it changes; a constant concentration outside is painted."""
    mechanism = writer.mechanism
    body = Body(writer)
    blocks = _solved(writer, body, mechanism.dynamics.conditions)
    written = tuple(published(mechanism).values())
    uses = []
    for use in ions(mechanism):
        own = use.name == mechanism.ion
        reads = tuple(r for r in use.reads if r not in written)
        current = (f"i{use.name}",) if own and {"iCa", "iCa2"} & set(mechanism.dynamics.inputs) else ()
        uses.append(Ion(use.name, tuple(dict.fromkeys((*reads, *current))), written if own else ()))
    return _assembled(writer, (*blocks, body.block("BREAKPOINT")), tuple(uses), "")


def _solved(writer: Writer, body: Body, after: Sequence[Condition]) -> tuple[Block, ...]:
    """INITIAL, DERIVATIVE and KINETIC; the SOLVE statements go first into `body`. `after`: tested after each step."""
    clock = [f"{ELAPSED} = {ELAPSED} + 0.001 * dt"] if reads_time(writer.mechanism) else []
    start = Body(writer)
    start.lines += [f"{ELAPSED} = 0.0"] if clock else []
    initial_lines(writer, start)
    _publish(writer, start)
    step = Body(writer)
    moves(writer, step)
    step.lines += clock
    step.known.clear()
    _conditions(writer, step, after)
    _publish(writer, step)
    kinetics = kinetic_blocks(writer)
    body.lines += ["SOLVE states"] if step.lines else []
    body.lines += [f"SOLVE scheme{k} METHOD sparse" for k, _ in enumerate(kinetics)]
    return (start.block("INITIAL"), *((step.block("DERIVATIVE states"),) if step.lines else ()), *kinetics)


def _publish(writer: Writer, body: Body) -> None:
    """Concentrations that are no states of the equations are states of the text."""
    states = {s.name for s in writer.mechanism.dynamics.states}
    for name, ion in published(writer.mechanism).items() if writer.mechanism.kind is MechanismKind.POOL else ():
        if name not in states:
            body.let(ion, Sym(name), local=False)


def _conditions(writer: Writer, body: Body, conditions: Sequence[Condition]) -> None:
    """What conditions say after a step. All are tested before anything is assigned, as in NEURON's text."""
    for index, condition in enumerate(conditions, 1):
        body.need([condition.test, *(value for _, value in condition.assignments)])
        body.local_names.append(f"holds{index}")
        body.lines += [f"holds{index} = 0.0", f"if ({writer.text(condition.test)}) {{", f"    holds{index} = 1.0", "}"]
    for index, condition in enumerate(conditions, 1):
        body.lines.append(f"if (holds{index} > 0.0) {{")
        for name, value in condition.assignments:
            temporaries, text = writer.assign(writer.names[name], value)
            body.local_names += temporaries
            body.lines += [f"    {line}" for line in text]
        body.lines.append("}")
    if conditions:
        body.known.clear()


def _assembled(writer: Writer, blocks: tuple[Block, ...], uses: tuple[Ion, ...], nonspecific: str) -> ModText:
    face = interface(writer)
    mechanism = writer.mechanism
    timed = reads_time(mechanism)
    parameters = [*face.shared.values(), *face.own.values()]
    parameters += ["temperature"] if face.needs_temperature else []
    parameters += ["surfaceArea"] if face.needs_area else []
    parameters += [WEIGHT] if "weight" in mechanism.dynamics.inputs else []
    own = state_names(writer)
    others = [name for use in uses if mechanism.kind is MechanismKind.POOL for name in use.writes if name not in own]
    return ModText(
        suffix=mechanism.name,
        title=f"{mechanism.name} ({mechanism.kind})",
        kind="POINT_PROCESS" if mechanism.kind is MechanismKind.INPUT else "SUFFIX",
        ions=uses,
        nonspecific=nonspecific,
        thread_safe=True,
        ranges=(),
        global_names=(),
        parameters=tuple(parameters),
        assigned=(),
        states=(*own, *others, *([ELAPSED] if timed else [])),
        blocks=tuple(_with_locals(block) for block in blocks),
        helpers=tuple(sorted(writer.helpers)),
    )


def _with_locals(block: Block) -> Block:
    """The block with its LOCAL statement as a line: in BREAKPOINT it has to follow the SOLVE statements."""
    first = [line for line in block.lines if line.startswith("SOLVE ") and block.head == "BREAKPOINT"]
    local_names = [f"LOCAL {', '.join(block.local_names)}"] if block.local_names else []
    return Block(block.head, (), (*first, *local_names, *block.lines[len(first) :]))
