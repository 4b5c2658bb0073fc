"""One mechanism as C: the bodies of the loops over its instances.

Equations stay in SI with inward currents positive, as in the document. What a loop body may name is declared by the
template: the inputs of the equations, numbers and states (all doubles of the instance at hand), `h` (s) for a step.
"""

from __future__ import annotations

from dataclasses import dataclass

from nmlopt.codegen.analysis import Definitions, linear, slope
from nmlopt.codegen.c_text import c_block, c_body, c_writer
from nmlopt.codegen.input_conditions import edges, held_value, sorted_conditions
from nmlopt.codegen.nmodl import Body, Writer
from nmlopt.codegen.nmodl_current import without_gates
from nmlopt.codegen.nmodl_input import condition_lines
from nmlopt.codegen.nmodl_states import decay_of, decays
from nmlopt.ir.model import Condition, KineticScheme, Mechanism, MechanismKind
from nmlopt.lems.expression import Num, Sym
from nmlopt.lems.trees import names as names_in

NUDGE_V = "1e-06"
"""By which v is moved to see how a current depends on it where that is not linear: NEURON's 0.001 mV."""
CONCENTRATIONS = ("caConc", "caConcExt", "caConc2", "caConcExt2")
ION_CURRENTS = ("iCa", "iCa2")
_IONS = {"ca": 0, "ca2": 1}

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coupled:
    """States that are no decays: a function that computes their derivatives `dx` from `x` and the context `c`."""

    states: Lines
    context: Lines
    lines: Lines


@dataclass(frozen=True, slots=True)
class MechanismText:
    """What the template prints for one mechanism. Names are those of C.

    `after` holds what is tested once a step is done. `edges` leave times (s) at which a step has to end in `moments`.
    `shared` numbers have one value for all instances, `own` one for each. `ion` is the index of the ion that its
    current feeds, -1 for none. `publish` leaves what a pool holds in `published<k>`, k in `published`. `exposures`
    leave their value in `value`, in the order of the dynamics.
    """

    name: str
    kind: MechanismKind
    inputs: Lines
    shared: Lines
    own: Lines
    states: Lines
    ion: int
    initial: Lines
    current: Lines
    current_moves_states: bool
    advance: Lines
    after: Lines
    edges: Lines
    event: Lines
    publish: Lines
    published: tuple[int, ...]
    exposures: tuple[Lines, ...]
    coupled: Coupled | None

    @property
    def has_current(self) -> bool:
        """Whether it drives current through the membrane."""
        return bool(self.current)

    @property
    def is_input(self) -> bool:
        """Whether experiments attach it."""
        return self.kind is MechanismKind.INPUT


def mechanism_text(mechanism: Mechanism) -> MechanismText:
    """The loop bodies of a density, a population, a pool or an input on a membrane."""
    writer = c_writer(mechanism)
    dynamics = mechanism.dynamics
    found = sorted_conditions(dynamics)
    switches = found.switches if mechanism.kind is MechanismKind.INPUT else ()
    late = found.steps if mechanism.kind is MechanismKind.INPUT else dynamics.conditions
    coupled = _coupled(writer)
    advance, after = _advance(writer, coupled, late)
    return MechanismText(
        name=c_name(mechanism),
        kind=mechanism.kind,
        inputs=dynamics.inputs,
        shared=tuple(writer.names[n] for n in writer.shared),
        own=tuple(writer.names[n] for n in writer.own),
        states=state_names(writer),
        ion=_IONS.get(mechanism.ion, -1) if mechanism.current else -1,
        initial=_initial(writer),
        current=_current(writer, switches) if mechanism.current else (),
        current_moves_states=bool(switches),
        advance=advance,
        after=after,
        edges=_edges(writer) if mechanism.kind is MechanismKind.INPUT else (),
        event=_event(writer),
        publish=_publish(writer),
        published=tuple(index for _, index in _published(writer)),
        exposures=tuple(_exposure(writer, variable) for _, variable in dynamics.exposures),
        coupled=coupled,
    )


def c_name(mechanism: Mechanism) -> str:
    """The start of the names of its functions."""
    return f"m_{mechanism.name}"


def state_names(writer: Writer) -> Lines:
    """All states in C's names, occupancies of kinetic schemes too."""
    dynamics = writer.mechanism.dynamics
    plain = [writer.names[s.name] for s in dynamics.states]
    occupancies = [writer.names[name] for scheme in dynamics.kinetics for name in scheme.states]
    return tuple(dict.fromkeys([*plain, *occupancies]))


def _initial(writer: Writer) -> Lines:
    """Starts; those that need other states come last, kinetic schemes are at their steady state."""
    dynamics = writer.mechanism.dynamics
    occupancies = {name for scheme in dynamics.kinetics for name in scheme.states}
    given = [s for s in dynamics.states if s.name not in occupancies]
    everything = {s.name for s in dynamics.states} | occupancies
    late = [s for s in given if writer.definitions.rests_on(s.initial, everything)]
    first, last = c_body(writer), c_body(writer)
    for body, states in ((first, [s for s in given if s not in late]), (last, late)):
        for state in states:
            body.let(writer.names[state.name], state.initial, local=False)
    return (*_inner(first), *_schemes(writer, "0.0"), *_inner(last))


def _inner(body: Body) -> Lines:
    """A block with a scope of its own, if it holds anything."""
    return ("{", *(f"    {line}" for line in c_block(body)), "}") if body.lines else ()


def _schemes(writer: Writer, step: str) -> Lines:
    """Kinetic schemes over `step` seconds by implicit Euler; a step of 0 means their steady state."""
    lines: list[str] = []
    for scheme in writer.mechanism.dynamics.kinetics:
        size, held = len(scheme.states), [writer.names[name] for name in scheme.states]
        body = c_body(writer)
        added = flows(writer, body, scheme, "k")
        body.lines += [
            f"double k[{size * size}] = {{0}}",
            f"double q[{size}] = {{{', '.join(held)}}}",
            *added,
            f"nm_occupancies({size}, k, q, {step})",
            *(f"{name} = q[{position}]" for position, name in enumerate(held)),
        ]
        lines += _inner(body)
    return tuple(lines)


def flows(writer: Writer, body: Body, scheme: KineticScheme, matrix: str) -> list[str]:
    """Lines that add the flows between states to `matrix` (dq/dt = matrix q); `body` computes their rates."""
    size, index = len(scheme.states), {name: k for k, name in enumerate(scheme.states)}
    lines = []
    for number, edge in enumerate(scheme.transitions):
        for way, (a, b), rate in (
            ("forward", (edge.source, edge.target), edge.forward),
            ("reverse", (edge.target, edge.source), edge.reverse),
        ):
            name = f"{way}{number}"
            body.let(name, rate)
            source, target = index[a], index[b]
            lines.append(f"{matrix}[{target * size + source}] += {name}")
            lines.append(f"{matrix}[{source * size + source}] -= {name}")
    return lines


def _advance(writer: Writer, coupled: Coupled | None, conditions: tuple[Condition, ...]) -> tuple[Lines, Lines]:
    """A step of `h` seconds, decays by their exponential, others by implicit Euler; and the conditions after it."""
    is_pool = writer.mechanism.kind is MechanismKind.POOL
    states = _implicit(writer, coupled) if coupled is not None else _inner(_decaying(writer))
    after = c_body(writer)
    if writer.mechanism.kind is MechanismKind.INPUT or is_pool:
        condition_lines(writer, after, conditions)
    else:
        _together(writer, after, conditions)
    return (*states, *_schemes(writer, "h")), _inner(after)


def steps_alone(mechanism: Mechanism) -> bool:
    """Whether conditions are tested after each step, so that each state moves by itself, with what it has."""
    if mechanism.kind is MechanismKind.INPUT:
        return bool(sorted_conditions(mechanism.dynamics).steps)
    return bool(mechanism.dynamics.conditions) and mechanism.kind is not MechanismKind.POOL


def _decaying(writer: Writer) -> Body:
    """Every state as a decay where it is linear in itself, by forward Euler where it is not."""
    body, moves = c_body(writer), []
    for state in writer.mechanism.dynamics.states:
        if state.derivative is None:
            continue
        name, decay = writer.names[state.name], decay_of(state, writer)
        if decay is None or decay.loss is None:
            body.let(f"{name}_rate", state.derivative if decay is None else decay.gain or Num(0.0))
            moves.append(f"{name} = {name} + h * {name}_rate")
            continue
        body.let(f"{name}_loss", decay.loss)
        if decay.gain is not None:
            body.let(f"{name}_gain", decay.gain)
        gain = f"{name}_gain" if decay.gain is not None else "0.0"
        moves.append(f"{name} = {name} + ({gain} - {name}_loss * {name}) * h * nm_growth({name}_loss * h)")
    body.lines += moves
    return body


def _coupled(writer: Writer) -> Coupled | None:
    """What implicit Euler needs of states that are not all decays; None where they are, or where none moves."""
    mechanism = writer.mechanism
    moving = [s for s in mechanism.dynamics.states if s.derivative is not None]
    if not moving or steps_alone(mechanism) or decays(mechanism.dynamics.states, writer) is not None:
        return None
    body = c_body(writer)
    for state in moving:
        body.let(f"{writer.names[state.name]}_rate", state.derivative or Num(0.0))
    states = tuple(writer.names[s.name] for s in moving)
    body.lines += [f"dx[{k}] = {name}_rate" for k, name in enumerate(states)]
    numbers = (writer.names[n] for n in (*writer.shared, *writer.own))
    still = (name for name in state_names(writer) if name not in states)
    context = tuple(dict.fromkeys((*mechanism.dynamics.inputs, "temperature", *numbers, *still)))
    return Coupled(states, context, c_block(body))


def _implicit(writer: Writer, coupled: Coupled) -> Lines:
    size = len(coupled.states)
    return (
        "{",
        f"    double x[{size}] = {{{', '.join(coupled.states)}}};",
        f"    const double c[] = {{{', '.join(coupled.context)}}};",
        f"    nm_implicit({size}, x, h, {c_name(writer.mechanism)}_rates, c);",
        *(f"    {name} = x[{k}];" for k, name in enumerate(coupled.states)),
        "}",
    )


def _together(writer: Writer, body: Body, conditions: tuple[Condition, ...]) -> None:
    """All are tested before anything is assigned, or a component could pass through two regimes in one step."""
    for index, condition in enumerate(conditions, 1):
        body.need([condition.test, *(value for _, value in condition.assignments)])
        body.local_names.append(f"holds{index}")
        temporaries, text = writer.assign(f"holds{index}", condition.test, prefix=f"holds{index}")
        body.local_names += temporaries
        body.lines += text
    for index, condition in enumerate(conditions, 1):
        body.lines.append(f"if (holds{index} != 0.0) {{")
        for name, value in condition.assignments:
            temporaries, text = writer.assign(writer.names[name], value, prefix=writer.names[name])
            body.local_names += temporaries
            body.lines += [f"    {line}" for line in text]
        body.lines.append("}")


def _current(writer: Writer, switches: tuple[Condition, ...]) -> Lines:
    """Leaves the current in `here` and d(current)/dv in `slope`."""
    current = Sym(writer.mechanism.current)
    form = linear(current, "v", without_gates(writer))
    body = c_body(writer)
    condition_lines(writer, body, switches)
    body.let("here", current, local=False)
    if form is not None:
        whole = slope(form)
        body.let("slope", Num(0.0) if whole is None else whole, local=False)
        return _inner(body)
    there = c_body(writer)
    condition_lines(writer, there, switches)
    there.let("there", current, local=False)
    shifted = ("{", f"    const double v = v_here + {NUDGE_V};", *(f"    {line}" for line in c_block(there)), "}")
    return ("double there = 0.0;", "const double v_here = v;", *shifted, *_inner(body),
            f"slope = (there - here) / {NUDGE_V};")  # fmt: skip


def _edges(writer: Writer) -> Lines:
    body = c_body(writer)
    for index, moment in enumerate(edges(writer.mechanism.dynamics)):
        body.let("moment", moment)
        body.lines.append(f"moments[{index}] = moment")
    return _inner(body)


def _event(writer: Writer) -> Lines:
    """What an arriving event does, all from before the event, as LEMS has it."""
    events = writer.mechanism.dynamics.events
    if not events:
        return ()
    body = c_body(writer)
    body.need([value for _, value in events[0].assignments])
    for name, value in events[0].assignments:
        body.let(writer.names[name], value, local=False)
    return _inner(body)


def _published(writer: Writer) -> tuple[tuple[str, int], ...]:
    """(variable, which concentration) of what a pool holds."""
    if writer.mechanism.kind is not MechanismKind.POOL:
        return ()
    exposed = dict(writer.mechanism.dynamics.exposures)
    first = 2 * _IONS[writer.mechanism.ion]
    pairs = (("concentration", first), ("extConcentration", first + 1))
    return tuple((exposed[exposure], index) for exposure, index in pairs if exposure in exposed)


def _publish(writer: Writer) -> Lines:
    body = c_body(writer)
    for variable, index in _published(writer):
        body.need([Sym(variable)])
        body.lines.append(f"published{index} = {writer.names[variable]}")
    return _inner(body)


def _exposure(writer: Writer, variable: str) -> Lines:
    """Lines that leave an exposure in `value`, from the states and inputs at hand."""
    dynamics = writer.mechanism.dynamics
    body = c_body(writer)
    if writer.mechanism.kind is MechanismKind.INPUT:
        held = sorted_conditions(dynamics).held
        rest = Definitions(dynamics.assigned).closure([variable])
        for name in sorted(held & {*rest, *(n for h in held & rest for n in names_in(held_value(dynamics, h)))}):
            body.let(writer.names[name], held_value(dynamics, name), local=False)
    body.let("value", Sym(variable), local=False)
    return _inner(body)
