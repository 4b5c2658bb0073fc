"""What NEURON records for a variable of the cell (`codegen.derived` has the rest)."""

from __future__ import annotations

from nmlopt.codegen.attached_current import CONSTANT, SLOPE
from nmlopt.codegen.derived import Derived, Source
from nmlopt.codegen.derived import derived as derived_from
from nmlopt.codegen.nmodl import ION_VARIABLES
from nmlopt.exporters.neuron.mod import Member, Part, Plan
from nmlopt.ir.model import Cell, MechanismKind


def derived(cell: Cell, plan: Plan, variable: str, compartment: int) -> Derived:
    """How '<placement id>/<exposure>' is had at a compartment. Raises KeyError for an unknown one."""
    placement_id, _, exposure = variable.partition("/")
    part, member = plan.member_of(placement_id, exposure, compartment)
    placement = next(p for p in member.placements if p.id == placement_id and compartment in p.compartments)
    area = cell.geometry.compartments[compartment].area_m2 if cell.geometry else 0.0

    def sources(name: str) -> Source | None:
        return _source(part, member, name, area)

    return derived_from(member.mechanism, placement, exposure, compartment=compartment, area_m2=area, sources=sources)


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
