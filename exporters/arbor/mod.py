"""From a cell to mechanisms in Arbor's dialect of NMODL: one for each mechanism of the cell, under its own name.

All numbers that are bound are RANGE: in Arbor a GLOBAL belongs to a mechanism, not to a cell, and candidates of one
batch are cells of one recipe. A pool's concentration is the state that carries the ion's name, because Arbor publishes
states and nothing else between the steps.

The default of every parameter is a number that the cell really has: Arbor pads the instances of a mechanism to the
width of its vectors with defaults, and what these instances compute, times a weight of 0, is added to a compartment of
the cell. Infinity or not-a-number would stay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment

from nmlopt.codegen.nmodl import NMODL, Block, Body, Ion, ModText, Writer, interface, ions
from nmlopt.codegen.nmodl_states import derivative_block, initial_lines, kinetic_blocks, state_names
from nmlopt.codegen.printer import Dialect
from nmlopt.codegen.templating import environment
from nmlopt.exporters.arbor.membrane_current import BESIDE, current_lines
from nmlopt.exporters.arbor.stepping import stepping_block
from nmlopt.ir.model import Cell, Mechanism, MechanismKind
from nmlopt.lems.evaluate import evaluate

TEMPLATES = Path(__file__).parent / "templates"
ARBOR = Dialect(operators=NMODL.operators, functions={**NMODL.functions, "exprelr": "linoid"}, power="power")
"""Arbor has a function exprelr of its own, x / (exp(x) - 1)."""
_BUILT_IN = frozenset(
    {"exprelr", "linoid", "min", "max", "safeinv", "signum", "sigmoid", "relu", "step", "celsius", "i_", "n_", BESIDE}
)
_ROOM_K = 293.15
_INSIDE, _OUTSIDE = "concentration", "extConcentration"


@dataclass(frozen=True, slots=True)
class Part:
    """One generated mechanism: its equations, the names of its parameters and states, its text."""

    mechanism: Mechanism
    parameters: Mapping[str, str]
    states: Mapping[str, str]
    needs_temperature: bool
    needs_area: bool
    file: str
    text: str


def parts(cell: Cell) -> tuple[Part, ...]:
    """The mechanisms of a cell as Arbor is given them."""
    return tuple(
        _part(mechanism, _defaults(cell, mechanism))
        for mechanism in cell.mechanisms
        if mechanism.kind is not MechanismKind.INPUT
    )


def writer_of(mechanism: Mechanism) -> Writer:
    """A writer with Arbor's names: its functions, and a pool's ion as the state that holds the concentration."""
    writer = Writer(mechanism, partial=False, dialect=ARBOR)
    for name, text in writer.names.items():
        if text in _BUILT_IN:
            writer.names[name] = f"{text}_"
    if mechanism.kind is MechanismKind.POOL:
        exposed = dict(mechanism.dynamics.exposures)
        if exposed.get(_INSIDE) in _moving(mechanism):
            writer.names[exposed[_INSIDE]] = f"{mechanism.ion}i"
    return writer


def solved_by(mechanism: Mechanism) -> str:
    """The METHOD that the states of a mechanism need; 'derivimplicit' is one that Arbor has not."""
    return derivative_block(writer_of(mechanism))[1]


def inside(mechanism: Mechanism) -> str | None:
    """The variable that holds the concentration of a pool, None if it holds none."""
    return dict(mechanism.dynamics.exposures).get(_INSIDE)


def outside(mechanism: Mechanism) -> str | None:
    """The variable with the concentration outside that a pool states, None if it states none."""
    return dict(mechanism.dynamics.exposures).get(_OUTSIDE)


def _moving(mechanism: Mechanism) -> frozenset[str]:
    return frozenset(s.name for s in mechanism.dynamics.states if s.derivative is not None)


def _defaults(cell: Cell, mechanism: Mechanism) -> dict[str, float]:
    """The parameters of the first placement on its first compartment, with the present values of the slots."""
    assert cell.geometry is not None
    slots = [slot.unit.to_si(slot.default) for slot in cell.slots]
    temperature = cell.temperature_K or _ROOM_K
    placement = next(p for p in cell.placements if p.mechanism == mechanism.name)
    area = cell.geometry.compartments[placement.compartments[0]].area_m2
    names = {"temperature": temperature} | {name: values[0] for name, values in placement.locals}
    given = [(p.name, p.value) for p in mechanism.parameters if p.value is not None]
    found = {name: float(evaluate(value, names, slots)) for name, value in (*given, *placement.values)}
    return {"temperature": temperature, "surfaceArea": area, **found}


def _part(mechanism: Mechanism, defaults: Mapping[str, float]) -> Part:
    writer = writer_of(mechanism)
    mod = _pool(writer) if mechanism.kind is MechanismKind.POOL else _current(writer)
    face = interface(writer)
    names = {**face.shared, **face.own, "temperature": "temperature", "surfaceArea": "surfaceArea"}
    values = {names[name]: value if math.isfinite(value) else 1.0 for name, value in defaults.items()}
    return Part(
        mechanism,
        {**face.shared, **face.own},
        face.states,
        face.needs_temperature,
        face.needs_area,
        f"{mechanism.name}.mod",
        _environment().get_template("mechanism.mod.j2").render(mod=mod, values=values),
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return environment(TEMPLATES)


def _current(writer: Writer) -> ModText:
    mechanism = writer.mechanism
    scale = "-0.1 / surfaceArea * " if mechanism.kind is MechanismKind.POPULATION else "-0.1 * "
    name = f"i{mechanism.ion}"
    body = Body(writer)
    blocks = _solved(writer, body)
    current_lines(writer, body, name, scale)
    uses = ions(mechanism, writer.currents)
    return _assembled(writer, (*blocks, body.block("BREAKPOINT")), uses, "" if mechanism.ion else name)


def _pool(writer: Writer) -> ModText:
    """A pool writes the concentration inside; the one outside is painted, as it does not change."""
    mechanism = writer.mechanism
    body = Body(writer)
    blocks = _solved(writer, body)
    for condition in mechanism.dynamics.conditions:
        body.need([condition.test, *(value for _, value in condition.assignments)])
        body.lines.append(f"if ({writer.text(condition.test)}) {{")
        for name, value in condition.assignments:
            body.lines.append(f"    {writer.names[name]} = {writer.text(value)}")
        body.lines.append("}")
    inside = f"{mechanism.ion}i"
    uses = []
    for use in ions(mechanism):
        own = use.name == mechanism.ion
        reads = tuple(r for r in use.reads if not own or r != inside)
        current = (f"i{use.name}",) if own and {"iCa", "iCa2"} & set(mechanism.dynamics.inputs) else ()
        uses.append(Ion(use.name, tuple(dict.fromkeys((*reads, *current))), (inside,) if own else ()))
    return _assembled(writer, (*blocks, body.block("BREAKPOINT")), tuple(uses), "")


def _solved(writer: Writer, body: Body) -> tuple[Block, ...]:
    """INITIAL, DERIVATIVE and KINETIC; the SOLVE statements go first into `body`."""
    start = Body(writer)
    initial_lines(writer, start)
    states = stepping_block(writer)
    kinetics = kinetic_blocks(writer)
    body.lines += ["SOLVE states"] if states else []
    body.lines += [f"SOLVE scheme{k} METHOD sparse" for k, _ in enumerate(kinetics)]
    return (start.block("INITIAL"), *((states,) if states else ()), *kinetics)


def _assembled(writer: Writer, blocks: tuple[Block, ...], uses: tuple[Ion, ...], nonspecific: str) -> ModText:
    face = interface(writer)
    parameters = [*face.shared.values(), *face.own.values()]
    parameters += ["temperature"] if face.needs_temperature else []
    parameters += ["surfaceArea"] if face.needs_area else []
    return ModText(
        suffix=writer.mechanism.name,
        title=f"{writer.mechanism.name} ({writer.mechanism.kind})",
        kind="SUFFIX",
        ions=uses,
        nonspecific=nonspecific,
        thread_safe=True,
        ranges=(),
        global_names=(),
        parameters=tuple(parameters),
        assigned=(),
        states=state_names(writer),
        blocks=tuple(_with_locals(block) for block in blocks),
        helpers=tuple(sorted(writer.helpers)),
    )


def _with_locals(block: Block) -> Block:
    """The block with its LOCAL statement as a line: in BREAKPOINT it has to follow the SOLVE statements."""
    first = [line for line in block.lines if line.startswith("SOLVE ") and block.head == "BREAKPOINT"]
    local_names = [f"LOCAL {', '.join(block.local_names)}"] if block.local_names else []
    return Block(block.head, (), (*first, *local_names, *block.lines[len(first) :]))
