"""A cell as a hoc template: its sections and its numbers at the present values of its slots."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nmlopt.codegen.templating import num
from nmlopt.exporters.neuron.bind import Number, initial_voltage, numbers
from nmlopt.exporters.neuron.mod import Plan
from nmlopt.exporters.neuron.writers import FALLBACK_V_MV
from nmlopt.ir.model import Cell, MechanismKind

_CHUNK = 200
"""Lines of one hoc procedure: hoc limits their size."""
_HOC_WORDS = """
    L diam v t dt area Ra cm nseg rallbranch celsius x y z sec all init create connect access insert proc func
    if else for while return stop print public begintemplate endtemplate objref new local strdef iterator forall
    forsec ifsec delete double help quit em setpointer uninsert disconnect depvar eqn break continue point
"""
_HOC_NAMES = frozenset(_HOC_WORDS.split())


@dataclass(frozen=True, slots=True)
class Procedure:
    """One hoc procedure."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CellText:
    """What the template of cell.hoc prints; `temperatures_K` are those for which there is a set of numbers."""

    name: str
    sections: tuple[str, ...]
    point: str
    procedures: tuple[Procedure, ...]
    temperatures_K: tuple[float, ...]


def identifier(name: str, taken: Iterable[str] = ()) -> str:
    """A name hoc accepts, not among `taken`."""
    clean = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not clean or not clean[0].isalpha() or clean in _HOC_NAMES:
        clean = f"n_{clean}"
    used = set(taken)
    while clean in used:
        clean += "_"
    return clean


def section_names(cell: Cell) -> tuple[str, ...]:
    """One hoc name per section."""
    if cell.geometry is None:
        return ("membrane",)
    names: list[str] = []
    for section in cell.geometry.sections:
        names.append(identifier(section.name, names))
    return tuple(names)


def cell_text(cell: Cell, plan: Plan, slots: Sequence[float], temperatures_K: Sequence[float]) -> CellText:
    """The whole cell; `slots` in SI."""
    sections = section_names(cell)
    groups = [("shape", [*_shape(cell, sections)]), ("mechanisms", [*_mechanisms(cell, plan, sections)])]
    fixed = [n for n in numbers(cell, plan) if not n.is_bound]
    bound = [n for n in numbers(cell, plan) if n.is_bound]
    groups.append(("constants", [*_numbers(cell, fixed, sections, (), 0.0)]))
    for index, temperature in enumerate(temperatures_K):
        groups.append((f"parameters_{index}", [*_numbers(cell, bound, sections, slots, temperature)]))
    groups.append(("initial_voltage", [*_voltage(cell, sections, slots)]))
    procedures = [p for name, text in groups for p in _split(name, text)]
    point = next((p.suffix for p in plan.parts if p.mechanism.kind is MechanismKind.POINT_CELL), "")
    return CellText(f"Cell_{identifier(cell.id)}", sections, point, tuple(procedures), tuple(temperatures_K))


def _split(name: str, text: Sequence[str]) -> Iterator[Procedure]:
    """A long procedure as one that calls its pieces."""
    if len(text) <= _CHUNK:
        yield Procedure(name, tuple(text))
        return
    pieces = [tuple(text[k : k + _CHUNK]) for k in range(0, len(text), _CHUNK)]
    for index, piece in enumerate(pieces):
        yield Procedure(f"{name}_part{index}", piece)
    yield Procedure(name, tuple(f"{name}_part{index}()" for index in range(len(pieces))))


def _shape(cell: Cell, sections: Sequence[str]) -> Iterator[str]:
    if cell.geometry is None:
        yield f"{sections[0]} {{ L = 10 diam = 10 }}"
        return
    for index, section in enumerate(cell.geometry.sections):
        for point in section.points:
            yield f"{sections[index]} {{ pt3dadd({', '.join(num(x) for x in point)}) }}"
        yield f"{sections[index]} {{ nseg = {section.divisions} }}"
        if section.parent >= 0:
            yield f"connect {sections[index]}(0), {sections[section.parent]}({num(section.parent_x)})"


def _mechanisms(cell: Cell, plan: Plan, sections: Sequence[str]) -> Iterator[str]:
    for part in plan.parts:
        if cell.geometry is None:
            yield f"{sections[0]} {{ point = new {part.suffix}(0.5) }}"
            continue
        compartments = cell.geometry.compartments
        touched = dict.fromkeys(compartments[k].section for p in part.placements for k in p.compartments)
        for index in touched:
            yield f"{sections[index]} {{ insert {part.suffix} }}"


def _numbers(
    cell: Cell, chosen: Sequence[Number], sections: Sequence[str], slots: Sequence[float], temperature_K: float
) -> Iterator[str]:
    names = {"temperature": temperature_K}
    for number in chosen:
        place = number.place
        found = number.evaluator()(names, slots)
        values = np.broadcast_to(np.asarray(found, dtype=np.float64), max(1, len(place.compartments)))
        if not place.compartments:
            yield f"{place.name} = {num(float(values[0]))}"
        elif place.name == "Ra":
            for index in place.compartments:
                yield f"{sections[index]} {{ Ra = {num(float(values[0]))} }}"
        elif cell.geometry is None and place.name != "cm":
            yield f"point.{place.name} = {num(float(values[0]))}"
        else:
            for compartment, value in zip(place.compartments, values.tolist(), strict=True):
                section, x = node(cell, sections, compartment)
                yield f"{section} {{ {place.name}({x}) = {num(value)} }}"


def node(cell: Cell, sections: Sequence[str], compartment: int) -> tuple[str, str]:
    """(section, position) of a compartment in hoc."""
    if cell.geometry is None:
        return sections[0], "0.5"
    return sections[cell.geometry.compartments[compartment].section], _x(cell, compartment)


def _x(cell: Cell, compartment: int) -> str:
    return "0.5" if cell.geometry is None else num(cell.geometry.compartments[compartment].x)


def _voltage(cell: Cell, sections: Sequence[str], slots: Sequence[float]) -> Iterator[str]:
    """The initial potential of all nodes, in the order in which a live cell gets it."""
    count = 1 if cell.geometry is None else len(cell.geometry.compartments)
    values = np.full(count, FALLBACK_V_MV)
    for number in initial_voltage(cell):
        values[np.array(number.place.compartments)] = number.evaluator()({}, slots)
    first = 0
    divisions = [1] if cell.geometry is None else [s.divisions for s in cell.geometry.sections]
    for name, nseg in zip(sections, divisions, strict=True):
        places = [("0", first), *((_x(cell, k), k) for k in range(first, first + nseg)), ("1", first + nseg - 1)]
        for x, compartment in places:
            yield f"{name} {{ v({x}) = {num(float(values[compartment]))} }}"
        first += nseg
