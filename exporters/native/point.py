"""A point cell and its attached inputs as C: textbook numerics, the very steps that the NEURON backend's NMODL takes.

The blocks come from the writers of that NMODL, whose lines are C but for semicolons (`codegen.nmodl_point`); where they
call the procedure `integrate`, its lines are put in place.

Candidates go side by side in `glide`, a whole step that assumes that nothing happens in it. A lane in which a condition
becomes true is left where it was, and takes that step by itself in `advance`, which finds the moment. Without an event
both do the same operations, so that a lane's numbers do not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nmlopt.codegen.analysis import Definitions
from nmlopt.codegen.attached_current import CONSTANT, reset_sums, voltage_of, with_attached_current
from nmlopt.codegen.c_text import c_block, c_body, c_writer, declarations, statements
from nmlopt.codegen.input_conditions import held_value, sorted_conditions
from nmlopt.codegen.nmodl import Block, Writer
from nmlopt.codegen.nmodl_point import (
    SPANS,
    Held,
    fires,
    growth_text,
    integrate_block,
    margins,
    moving_states,
    point_blocks,
    regimes_of,
)
from nmlopt.codegen.nmodl_point_input import point_input_blocks
from nmlopt.codegen.nmodl_states import decay_of
from nmlopt.exporters.native.inverses import changing, with_inverses
from nmlopt.exporters.native.mechanism import Lines
from nmlopt.ir.model import Cell, Mechanism, MechanismKind
from nmlopt.lems.expression import Sym
from nmlopt.lems.trees import names as names_in


@dataclass(frozen=True, slots=True)
class PointText:
    """What the template prints for the cell or for one of its inputs. Names are those of C.

    `voltage` is the cell's state that inputs see as its voltage, '' if it has none. `scale` is the factor from the
    unit of stimuli (nA, or a plain number) to that of the equations; `sums`: the cell adds up the currents of inputs.

    `hold` computes the variables `held`, which do not change in a run; `glide` is a whole step in which nothing
    happens, and leaves in `hit` whether something did.
    """

    name: str
    kind: MechanismKind
    shared: Lines
    own: Lines
    states: Lines
    initial: Lines
    advance: Lines
    event: Lines
    hold: Lines
    held: Lines
    glide: Lines
    exposures: tuple[Lines, ...]
    voltage: str = ""
    in_volts: bool = False
    scale: float = 1.0
    sums: bool = False

    @property
    def is_input(self) -> bool:
        """Whether experiments attach it."""
        return self.kind is MechanismKind.INPUT


def with_inputs(cell: Cell) -> Cell:
    """A point cell that adds up the currents of its inputs itself, where there are any."""
    if cell.geometry is not None or not any(m.kind is MechanismKind.INPUT for m in cell.mechanisms):
        return cell
    return replace(cell, mechanisms=tuple(with_attached_current(m) for m in cell.mechanisms))


def point_text(mechanism: Mechanism) -> PointText:
    """The text of a point cell."""
    mechanism, inverses = with_inverses(mechanism)
    writer = c_writer(mechanism)
    initial, advance, integrate = point_blocks(writer)
    dynamics = mechanism.dynamics
    voltage = voltage_of(dynamics)
    hold, held = _held(writer, inverses)
    return replace(
        _text(writer, initial, advance, integrate),
        hold=hold,
        held=(*(writer.names[name] for name in inverses), *held.growths.values()),
        glide=_glide(writer, held),
        exposures=tuple(_exposure(writer, variable) for _, variable in dynamics.exposures),
        voltage=writer.names[voltage] if voltage else "",
        in_volts=voltage == "v",
        scale=1.0 if "ISyn" in dynamics.inputs else 1e-9,
        sums=CONSTANT in dynamics.inputs,
    )


def point_input_text(mechanism: Mechanism) -> PointText:
    """The text of an input on a point cell."""
    writer = c_writer(mechanism)
    initial, advance, *others = point_input_blocks(writer, "")
    integrate = next((b for b in others if b.head.startswith("PROCEDURE integrate")), None)
    event = next((b for b in others if b.head.startswith("NET_RECEIVE")), None)
    return replace(
        _text(writer, initial, advance, integrate),
        event=() if event is None else _lines(event, None),
        exposures=tuple(_exposure(writer, variable) for _, variable in mechanism.dynamics.exposures),
    )


def _text(writer: Writer, initial: Block, advance: Block, integrate: Block | None) -> PointText:
    return PointText(
        name=f"m_{writer.mechanism.name}",
        kind=writer.mechanism.kind,
        shared=tuple(writer.names[n] for n in writer.shared),
        own=tuple(writer.names[n] for n in writer.own),
        states=tuple(writer.names[s.name] for s in writer.mechanism.dynamics.states),
        initial=_lines(initial, integrate),
        advance=_lines(advance, integrate),
        event=(),
        hold=(),
        held=(),
        glide=(),
        exposures=(),
    )


def _held(writer: Writer, inverses: Sequence[str]) -> tuple[Lines, Held]:
    """Lines that compute the inverses and the growths over a whole step that rest on nothing that changes."""
    moving = changing(writer.mechanism.dynamics)
    body, growths = c_body(writer), {}
    body.need([Sym(name) for name in inverses])
    for index, regime in enumerate(regimes_of(writer)):
        for state in moving_states(writer, regime):
            decay = decay_of(state, writer)
            if decay is None or decay.loss is None or writer.definitions.rests_on(decay.loss, moving):
                continue
            name = writer.names[state.name]
            body.let(f"{name}_loss", decay.loss)
            for stage in SPANS:
                growths[regime.name, state.name, stage] = growth = f"{name}_growth_{stage}{index}"
                body.lines.append(f"{growth} = {growth_text(name, stage)}")
    body.local_names = [name for name in body.local_names if name not in {writer.names[i] for i in inverses}]
    lines = _scope(("const double h = 0.001 * dt;", *c_block(body)))
    return lines, Held(frozenset(inverses), growths)


def _glide(writer: Writer, held: Held) -> Lines:
    """A step of `advance` in which no condition becomes true: in the same order, so that each number is the same."""
    dynamics = writer.mechanism.dynamics
    integrate = integrate_block(writer, held)
    names = [*integrate.local_names]
    keep = [f"old_{name} = {name}" for name in (writer.names[s.name] for s in dynamics.states)]
    lines = ["now = 0.001 * t - h", *keep, "begin = now", *integrate.lines, "now = begin + h"]
    lines += margins(writer, "after", names, held)
    tests = [f"({fires(writer, k, condition)})" for k, condition in enumerate(dynamics.conditions, start=1)]
    lines += [f"hit = {' | '.join(tests)}"] if tests else []
    lines += reset_sums(writer)
    return _scope(("const double h = 0.001 * dt;", *declarations(["begin", *names]), *statements(lines)))


def _lines(block: Block, integrate: Block | None) -> Lines:
    """A block in a scope of its own, the lines of `integrate` where it is called."""
    lines: list[str] = []
    for line in block.lines:
        text = line.strip()
        indent = line[: len(line) - len(line.lstrip())]
        if not (text.startswith("integrate(") and integrate is not None):
            lines.append(line)
            continue
        step = text.removeprefix("integrate(").removesuffix(")")
        given = ("const double h = step;",) if step != "h" else ()
        inner = (*given, *declarations(integrate.local_names), *statements(integrate.lines))
        lines += [f"{indent}{part}" for part in ("{", *(f"    {part}" for part in inner), "}")]
    return _scope((*declarations(block.local_names), *_finished(lines)))


def _scope(lines: Sequence[str]) -> Lines:
    return ("{", *(f"    {line}" for line in lines), "}")


def _finished(lines: list[str]) -> Lines:
    return tuple(line if line.endswith(";") else statements([line])[0] for line in lines)


def _exposure(writer: Writer, variable: str) -> Lines:
    """Lines that leave an exposure in `value`."""
    dynamics = writer.mechanism.dynamics
    body = c_body(writer)
    if writer.mechanism.kind is MechanismKind.INPUT:
        held = sorted_conditions(dynamics).held
        rest = Definitions(dynamics.assigned).closure([variable])
        for name in sorted(held & {*rest, *(n for h in held & rest for n in names_in(held_value(dynamics, h)))}):
            body.let(writer.names[name], held_value(dynamics, name), local=False)
    body.let("value", Sym(variable), local=False)
    return _scope(c_block(body))
