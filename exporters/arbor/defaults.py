"""Defaults of parameters: neutral numbers that are as safe as real ones.

Arbor pads the instances of a mechanism to the width of its vectors with defaults, and what these instances compute,
times a weight of 0, is added to a compartment of the cell: infinity or not-a-number would stay. The defaults are part
of the text that is compiled, so they must not hang on the values of slots, or each document would be built anew.
So the slots count as one in their author's unit, or as the first other round number with which all is finite.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from nmlopt.codegen.analysis import ordered
from nmlopt.ir.model import Cell, Mechanism, MechanismKind
from nmlopt.lems.evaluate import Value, evaluate
from nmlopt.lems.expression import Expr, SlotRef
from nmlopt.lems.trees import leaves

_TEMPERATURE_K = 300.0
_ROUND = (1.0, 10.0, 0.1, 100.0, 0.01, 1000.0, 0.001, -1.0, -10.0, -100.0)
_VOLTAGES_V = (-0.12, -0.0651, -0.0302, 0.0411)
_CONCENTRATIONS = (1e-5, 1e-3)


def defaults(cell: Cell, mechanism: Mechanism) -> dict[str, float]:
    """A number for each parameter of a mechanism and for surfaceArea and temperature, by IR name.

    Those of the first placement on its first compartment. Where no round number is safe, the present ones of the cell.
    """
    present = [slot.unit.to_si(slot.default) for slot in cell.slots]
    for size in _ROUND:
        found = _numbers(cell, mechanism, [slot.unit.to_si(size) for slot in cell.slots])
        if _is_safe(mechanism, found):
            return found
        if not _has_slots(cell, mechanism):
            break
    found = _numbers(cell, mechanism, present)
    return {name: value if math.isfinite(value) else 1.0 for name, value in found.items()}


def _formulas(cell: Cell, mechanism: Mechanism) -> tuple[list[tuple[str, Expr]], dict[str, float], float]:
    """(parameter, formula), numbers of the compartment that formulas read, its area in m²."""
    given = [(p.name, p.value) for p in mechanism.parameters if p.value is not None]
    placement = next((p for p in cell.placements if p.mechanism == mechanism.name), None)
    if placement is None or cell.geometry is None:
        return given, {}, 1e-10
    area = cell.geometry.compartments[placement.compartments[0]].area_m2
    local = {name: values[0] for name, values in placement.locals}
    return [*given, *placement.values], local, area


def _has_slots(cell: Cell, mechanism: Mechanism) -> bool:
    return any(isinstance(leaf, SlotRef) for _, expr in _formulas(cell, mechanism)[0] for leaf in leaves(expr))


def _numbers(cell: Cell, mechanism: Mechanism, slots: Sequence[float]) -> dict[str, float]:
    formulas, local, area = _formulas(cell, mechanism)
    names = {"temperature": _TEMPERATURE_K, **local}
    found = {name: float(evaluate(expr, names, slots)) for name, expr in formulas}
    return {"temperature": _TEMPERATURE_K, "surfaceArea": area, **found}


def _is_safe(mechanism: Mechanism, numbers: Mapping[str, float]) -> bool:
    """Whether all that the mechanism computes is finite, where states start and where they may come to."""
    if not all(math.isfinite(value) for value in numbers.values()):
        return False
    return all(math.isfinite(value) for start in _surroundings(numbers) for value in _computed(mechanism, start))


def _surroundings(numbers: Mapping[str, float]) -> Iterator[dict[str, Value]]:
    for v, inside in product(_VOLTAGES_V, _CONCENTRATIONS):
        around = {"v": v, "V": v, "t": 0.01, "weight": 1.0, "iCa": 1e-12, "iCa2": 1e-12, "iSyn": 0.0, "ISyn": 0.0}
        around |= {"caConc": inside, "caConc2": inside, "caConcExt": 2.0, "caConcExt2": 2.0}
        yield {**around, **numbers}


def _computed(mechanism: Mechanism, around: dict[str, Value]) -> Iterator[float]:
    """All values at the start, then at half and all of the way that one long step of each state would go."""
    dynamics = mechanism.dynamics
    states = {s.name: 0.0 for s in dynamics.states} | {n: 0.5 for k in dynamics.kinetics for n in k.states}
    known: dict[str, Value] = {**around, **states}
    table = {a.name: a.value for a in dynamics.assigned} | {s.name: s.initial for s in dynamics.states}
    for name in ordered(table, table):
        known[name] = evaluate(table[name], known)
    for _ in range(3):
        for assigned in dynamics.assigned:
            known[assigned.name] = evaluate(assigned.value, known)
            yield float(known[assigned.name])
        rates = {s.name: float(evaluate(s.derivative, known)) for s in dynamics.states if s.derivative is not None}
        for scheme in dynamics.kinetics:
            yield from (float(evaluate(e, known)) for t in scheme.transitions for e in (t.forward, t.reverse))
        for name, rate in rates.items():
            yield rate
            known[name] = float(known[name]) + 1e-4 * rate
            yield float(known[name])
    if mechanism.kind is not MechanismKind.POOL and mechanism.current:
        yield float(known[mechanism.current])
