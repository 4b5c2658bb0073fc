"""The generated POINT_PROCESS of each input component, and how it is bound and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nmlopt.codegen.attached_current import voltage_of, with_attached_current
from nmlopt.codegen.nmodl import Interface, ModText, Writer
from nmlopt.codegen.nmodl_input import input_interface, input_text, kept_variables
from nmlopt.codegen.nmodl_point import point_interface
from nmlopt.codegen.nmodl_point_input import (
    SUMS,
    VOLTAGE,
    point_input_interface,
    point_input_text,
    reads_voltage,
)
from nmlopt.experiment.attached_checks import is_dimensionless
from nmlopt.ir.model import Cell, Mechanism, MechanismKind

_SECTION_VOLTAGE = "(0.001 * v)"


@dataclass(frozen=True, slots=True)
class InputPart:
    """One input component: its equations, its NEURON name, its variables.

    `kept` are assigned variables that the mechanism stores: numerics jneuroml records them as they are, a step old.
    `pointers`: where a point cell adds up its currents itself, its own pointers -> variables of the cell. `voltage` is
    the text for the cell's voltage there, '' where a pointer gives it.
    """

    mechanism: Mechanism
    suffix: str
    interface: Interface
    kept: Mapping[str, str]
    pointers: Mapping[str, str]
    voltage: str = ""


def with_inputs(cell: Cell, *, lag: bool) -> Cell:
    """A point cell that adds up the currents of its inputs itself, where there are any."""
    if not any(_is_summed(cell, m, lag) for m in cell.mechanisms if m.kind is MechanismKind.INPUT):
        return cell
    return replace(cell, mechanisms=tuple(with_attached_current(m) for m in cell.mechanisms))


def input_parts(cell: Cell, *, lag: bool) -> tuple[InputPart, ...]:
    """The inputs that were compiled into a cell; their names still lack the tag of the build."""
    return tuple(_part(cell, m, lag) for m in cell.mechanisms if m.kind is MechanismKind.INPUT)


def input_texts(parts: Iterable[InputPart], *, lag: bool) -> tuple[ModText, ...]:
    """The mods of inputs."""
    return tuple(_text(part, lag) for part in parts)


def _is_summed(cell: Cell, mechanism: Mechanism, lag: bool) -> bool:
    """Whether the cell adds up its currents itself: jNeuroML leaves that to the section under a point cell."""
    return cell.geometry is None and (not lag or is_dimensionless(mechanism))


def _part(cell: Cell, mechanism: Mechanism, lag: bool) -> InputPart:
    name = f"input_{mechanism.name}"
    writer = Writer(mechanism, partial=False)
    if not _is_summed(cell, mechanism, lag):
        face = input_interface(writer)
        return InputPart(mechanism, name, face, kept_variables(writer) if lag else {}, {})
    point = next(m for m in cell.mechanisms if m.kind is MechanismKind.POINT_CELL)
    seen = voltage_of(point.dynamics)
    voltage = _SECTION_VOLTAGE if lag and seen == "v" else ""
    face = point_input_interface(writer, voltage)
    pointers = {name: name for name in SUMS}
    if reads_voltage(writer):
        pointers[VOLTAGE] = point_interface(Writer(point, partial=False), lag=lag).states[seen]
    return InputPart(mechanism, name, face, {}, pointers, voltage)


def _text(part: InputPart, lag: bool) -> ModText:
    writer = Writer(part.mechanism, partial=False)
    if part.pointers:
        return point_input_text(writer, part.suffix, part.voltage)
    return input_text(writer, part.suffix, lag=lag)
