"""What NEURON records for an exposure of an attached input (`codegen.derived_inputs` has the rest)."""

from __future__ import annotations

from nmlopt.codegen.derived import Source
from nmlopt.codegen.derived_inputs import DerivedInput
from nmlopt.codegen.derived_inputs import derived_input as derived_from
from nmlopt.codegen.nmodl import ION_VARIABLES
from nmlopt.exporters.neuron.bind import OWN_VOLTAGE
from nmlopt.exporters.neuron.input_parts import InputPart
from nmlopt.exporters.neuron.mod import Plan
from nmlopt.ir.model import MechanismKind


def derived_input(plan: Plan, part: InputPart, exposure: str, weight: float) -> DerivedInput:
    """How an exposure of an input is had. Raises KeyError for an unknown one."""

    def outside(name: str) -> Source | None:
        return _outside(plan, name)

    states = part.interface.states
    return derived_from(part.mechanism, exposure, weight, states=states, outside=outside, kept=part.kept)


def _outside(plan: Plan, name: str) -> Source | None:
    """The variable of the cell behind an input of the equations; None for a number known beforehand."""
    if name in ION_VARIABLES:
        return Source(ION_VARIABLES[name][1])
    if name == "t":
        return Source("t", 0.001)
    point = next((p for p in plan.parts if p.mechanism.kind is MechanismKind.POINT_CELL), None)
    if name == "V" and point is not None:
        return Source(point.interface.states["V"])
    if name == "v":
        own = point is not None and point.interface.states.get("v") == OWN_VOLTAGE
        return Source(OWN_VOLTAGE) if own else Source("v", 0.001)
    return None
