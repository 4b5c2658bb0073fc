"""A point cell and its attached inputs as C: textbook numerics, the very steps that the NEURON backend's NMODL takes.

The blocks come from the writers of that NMODL, whose lines are C but for semicolons (`codegen.nmodl_point`); where they
call the procedure `integrate`, its lines are put in place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nmlopt.codegen.analysis import Definitions
from nmlopt.codegen.attached_current import CONSTANT, voltage_of, with_attached_current
from nmlopt.codegen.c_text import c_block, c_body, c_writer, declarations, statements
from nmlopt.codegen.input_conditions import held_value, sorted_conditions
from nmlopt.codegen.nmodl import Block, Writer
from nmlopt.codegen.nmodl_point import point_blocks
from nmlopt.codegen.nmodl_point_input import point_input_blocks
from nmlopt.exporters.native.mechanism import Lines
from nmlopt.ir.model import Cell, Mechanism, MechanismKind
from nmlopt.lems.expression import Sym
from nmlopt.lems.trees import names as names_in


@dataclass(frozen=True, slots=True)
class PointText:
    """What the template prints for the cell or for one of its inputs. Names are those of C.

    `voltage` is the cell's state that inputs see as its voltage, '' if it has none. `scale` is the factor from the
    unit of stimuli (nA, or a plain number) to that of the equations; `sums`: the cell adds up the currents of inputs.
    """

    name: str
    kind: MechanismKind
    shared: Lines
    own: Lines
    states: Lines
    initial: Lines
    advance: Lines
    event: Lines
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
    writer = c_writer(mechanism)
    initial, advance, integrate = point_blocks(writer)
    dynamics = mechanism.dynamics
    voltage = voltage_of(dynamics)
    return replace(
        _text(writer, initial, advance, integrate),
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
        exposures=(),
    )


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
    return ("{", *(f"    {x}" for x in (*declarations(block.local_names), *_finished(lines))), "}")


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
    return ("{", *(f"    {line}" for line in c_block(body)), "}")
