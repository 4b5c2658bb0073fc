"""The equations of a cell at one compartment, evaluated on what a backend recorded there.

This asks a backend's own voltage and states whether they move as the document says. What is wrong far away or came
earlier changes voltage and states, but not the equations that tie them together, so that a departure names its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nmlopt.ir.assignments import in_effect
from nmlopt.ir.model import Assignment, Cell, Mechanism, MechanismKind, Placement
from nmlopt.lems.evaluate import Evaluator, Value, compile_expression, evaluate
from nmlopt.lems.expression import Expr
from nmlopt.lems.trees import names as symbols

Known = Mapping[str, Value]

CONCENTRATIONS = {
    "caConc": ("ca", "concentration"),
    "caConcExt": ("ca", "extConcentration"),
    "caConc2": ("ca2", "concentration"),
    "caConcExt2": ("ca2", "extConcentration"),
}
CURRENTS = {"iCa": "ca", "iCa2": "ca2"}


@dataclass(frozen=True)
class Local:
    """A placed mechanism at a compartment. `recorded` maps its states to what they are recorded as."""

    placement: Placement
    mechanism: Mechanism
    numbers: Known
    recorded: Mapping[str, str]
    area_m2: float

    def states(self) -> tuple[str, ...]:
        """The states that move by themselves."""
        moving = {s.name for s in self.mechanism.dynamics.states if s.derivative is not None}
        moving |= {name for scheme in self.mechanism.dynamics.kinetics for name in scheme.states}
        return tuple(s.name for s in self.mechanism.dynamics.states if s.name in moving)

    def solve(self, known: Known) -> dict[str, Value]:
        """All variables, from states and inputs (SI, numbers or arrays of one length)."""
        found: dict[str, Value] = {**self.numbers, **known}
        for assigned in self.mechanism.dynamics.assigned:
            found[assigned.name] = compiled(assigned.value)(found, ())
        return found

    def derivative(self, state: str, solved: Known) -> Value:
        """Per second."""
        dynamics = self.mechanism.dynamics
        for scheme in dynamics.kinetics:
            if state in scheme.states:
                flow: Value = 0.0
                for edge in scheme.transitions:
                    if state in (edge.source, edge.target):
                        forward = compiled(edge.forward)(solved, ()) * solved[edge.source]
                        reverse = compiled(edge.reverse)(solved, ()) * solved[edge.target]
                        flow = flow + (forward - reverse) * (1.0 if state == edge.target else -1.0)
                return flow
        expression = next(s.derivative for s in dynamics.states if s.name == state)
        assert expression is not None  # `states` lists those only
        return compiled(expression)(solved, ())

    def start(self, state: str, known: Known) -> Value | None:
        """The value at t = 0 from the inputs then; None where it follows from a whole scheme."""
        if any(state in scheme.states for scheme in self.mechanism.dynamics.kinetics):
            return None
        names: dict[str, Value] = {**self.numbers, **known}
        wanted = [(s.name, s.initial) for s in self.mechanism.dynamics.states]
        wanted += [(a.name, a.value) for a in self.mechanism.dynamics.assigned]
        while state not in names:
            ready = [(name, value) for name, value in wanted if name not in names and symbols(value) <= names.keys()]
            if not ready:
                return None
            names |= {name: compiled(value)(names, ()) for name, value in ready}
        return names[state]

    def current_into(self, solved: Known) -> Value:
        """The current into the compartment, inward positive."""
        if not self.mechanism.current:
            return 0.0
        found = solved[self.mechanism.current]
        return found * self.area_m2 if self.mechanism.kind is MechanismKind.DENSITY else found


@lru_cache(maxsize=4096)
def compiled(expression: Expr) -> Evaluator:
    """A function that computes an expression."""
    return compile_expression(expression)


def locals_at(cell: Cell, compartment: int, slots: Sequence[float], temperature_K: float) -> tuple[Local, ...]:
    """Every mechanism on a compartment; `slots` in SI."""
    area = cell.geometry.compartments[compartment].area_m2 if cell.geometry is not None else 0.0
    found = []
    for placement in cell.placements:
        if compartment not in placement.compartments:
            continue
        mechanism = cell.mechanism(placement.mechanism)
        numbers: dict[str, Value] = {"temperature": temperature_K, "surfaceArea": area}
        shared = {p.name: p.value for p in mechanism.parameters if p.value is not None}
        position = placement.compartments.index(compartment)
        numbers |= {name: values[position] for name, values in placement.locals}
        for name, value in (*shared.items(), *placement.values):
            numbers[name] = evaluate(value, numbers, slots)
        exposed = {variable: name for name, variable in reversed(mechanism.dynamics.exposures)}
        recorded = {s.name: f"{placement.id}/{exposed[s.name]}" for s in mechanism.dynamics.states if s.name in exposed}
        found.append(Local(placement, mechanism, numbers, recorded, area))
    return tuple(found)


def property_at(assignments: Sequence[Assignment], compartment: int, slots: Sequence[float]) -> float | None:
    """A membrane or cytoplasm property there (SI), None where nothing states it."""
    for assignment in in_effect(assignments):
        if compartment in assignment.compartments:
            return float(evaluate(assignment.value, {}, slots))
    return None


def concentration_names(found: Sequence[Local]) -> dict[str, str]:
    """What the inputs caConc, ... of mechanisms at a compartment are recorded as; those without a pool are left out."""
    names = {}
    for name, (ion, exposure) in CONCENTRATIONS.items():
        for local in found:
            is_pool = local.mechanism.kind is MechanismKind.POOL and local.mechanism.ion == ion
            if is_pool and exposure in dict(local.mechanism.dynamics.exposures):
                names[name] = f"{local.placement.id}/{exposure}"
    return names


def array(value: Value, length: int) -> np.ndarray:
    """A value as an array of that length."""
    return np.array(np.broadcast_to(value, length), dtype=np.float64)
