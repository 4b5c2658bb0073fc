"""Recorded variables: what NEURON records, and what is computed from it afterwards.

States, v and concentrations are recorded; currents, conductances and rates follow from them by the mechanism's own
equations. So they hold at the sample itself (NEURON's own current variables are a step old), and the inner loop
computes nothing that only a recording needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nmlopt.backend import Floats
from nmlopt.codegen.analysis import Definitions
from nmlopt.codegen.attached_current import CONSTANT, SLOPE
from nmlopt.codegen.nmodl import ION_VARIABLES
from nmlopt.exporters.neuron.mod import Member, Part, Plan
from nmlopt.ir.model import Cell, Mechanism, MechanismKind, Placement
from nmlopt.lems.evaluate import Evaluator, Value, compile_expression
from nmlopt.lems.expression import Sym
from nmlopt.lems.trees import names


@dataclass(frozen=True, slots=True)
class Source:
    """A variable of NEURON and the factor that makes it SI."""

    variable: str
    factor: float = 1.0


@dataclass(frozen=True)
class Derived:
    """One exposure at one compartment: the sources it needs by IR name, and the way from them to its values in SI."""

    sources: Mapping[str, Source]
    constants: Mapping[str, float]
    parameters: tuple[tuple[str, Evaluator], ...]
    steps: tuple[tuple[str, Evaluator], ...]
    result: str

    def compute(self, recorded: Mapping[str, Floats], slots: Sequence[float], temperature_K: float) -> Floats:
        """The values at the recorded samples."""
        known: dict[str, Value] = {**self.constants, "temperature": temperature_K}
        for name, evaluate in self.parameters:
            known[name] = evaluate(known, slots)
        for name, values in recorded.items():
            source = self.sources[name]
            known[name] = values if source.factor == 1.0 else source.factor * values
        for name, evaluate in self.steps:
            known[name] = evaluate(known, slots)
        length = len(next(iter(recorded.values()))) if recorded else 1
        return np.array(np.broadcast_to(known[self.result], length), dtype=np.float64)


def derived(cell: Cell, plan: Plan, variable: str, compartment: int) -> Derived:
    """How '<placement id>/<exposure>' is had at a compartment. Raises KeyError for an unknown one."""
    placement_id, _, exposure = variable.partition("/")
    part, member = plan.member_of(placement_id, exposure, compartment)
    placement = next(p for p in member.placements if p.id == placement_id and compartment in p.compartments)
    dynamics = member.mechanism.dynamics
    result = dict(dynamics.exposures)[exposure]
    needed = Definitions(dynamics.assigned).needed([Sym(result)])
    used = frozenset({result}).union(*(names(a.value) for a in needed)) - {a.name for a in needed}
    area = cell.geometry.compartments[compartment].area_m2 if cell.geometry else 0.0
    return Derived(
        {name: source for name in sorted(used) if (source := _source(part, member, name, area)) is not None},
        {"surfaceArea": area, "iSyn": 0.0, "ISyn": 0.0},
        _parameters(member.mechanism, placement, compartment),
        tuple((a.name, compile_expression(a.value)) for a in needed),
        result,
    )


def _source(part: Part, member: Member, name: str, area_m2: float) -> Source | None:
    """The NEURON variable behind a state or an input; None for a number known beforehand."""
    is_point = part.mechanism.kind is MechanismKind.POINT_CELL
    ending = "" if is_point else f"_{part.suffix}"
    if name in member.states:
        return Source(f"{member.states[name]}{ending}")
    if name in ("iCa", "iCa2"):
        return Source(ION_VARIABLES[name][1], -10.0 * area_m2)
    if name in ION_VARIABLES:
        return Source(ION_VARIABLES[name][1])
    if name in ("iSyn", "ISyn"):
        return Source("drive") if part.interface.has_drive else None
    if name in (CONSTANT, SLOPE):
        return Source("last_i" if name == CONSTANT else "last_g")
    return {"v": Source("v", 0.001), "t": Source("t", 0.001)}.get(name)


def _parameters(mechanism: Mechanism, placement: Placement, compartment: int) -> tuple[tuple[str, Evaluator], ...]:
    shared = [(p.name, p.value) for p in mechanism.parameters if p.value is not None]
    position = placement.compartments.index(compartment)
    local = [(name, _constant(values[position])) for name, values in placement.locals]
    own = [(name, compile_expression(value)) for name, value in placement.values]
    return (*((name, compile_expression(value)) for name, value in shared), *local, *own)


def _constant(value: float) -> Evaluator:
    return lambda _names, _slots: value
