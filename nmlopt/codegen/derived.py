"""Recorded variables: what a simulator records, and what is computed from it afterwards.

States, v and concentrations are recorded; currents, conductances and rates follow from them by the mechanism's own
equations. So they hold at the sample itself, and the inner loop computes nothing that only a recording needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nmlopt.backend import Floats
from nmlopt.codegen.analysis import Definitions
from nmlopt.ir.model import Cell, Mechanism, Placement
from nmlopt.lems.evaluate import Evaluator, Value, compile_expression
from nmlopt.lems.expression import Expr, Sym
from nmlopt.lems.trees import names


@dataclass(frozen=True, slots=True)
class Source:
    """A variable of the simulator, in the backend's own notation, and the factor that makes it SI."""

    variable: str
    factor: float = 1.0


Sources = Callable[[str], Source | None]
"""From a state or an input of the equations to what the simulator records; None for a number known beforehand."""


@dataclass(frozen=True)
class Derived:
    """One exposure at one compartment: the sources it needs by IR name, and the way from them to its values in SI.

    `steps` compute `formulas`.
    """

    sources: Mapping[str, Source]
    constants: Mapping[str, float]
    parameters: tuple[tuple[str, Evaluator], ...]
    steps: tuple[tuple[str, Evaluator], ...]
    result: str
    formulas: tuple[tuple[str, Expr], ...]

    def numbers(self, slots: Sequence[float], temperature_K: float) -> dict[str, Value]:
        """What is known before a run, by IR name; `slots` in SI."""
        known: dict[str, Value] = {**self.constants, "temperature": temperature_K}
        for name, evaluate in self.parameters:
            known[name] = evaluate(known, slots)
        return known

    def compute(self, recorded: Mapping[str, Floats], slots: Sequence[float], temperature_K: float) -> Floats:
        """The values at the recorded samples."""
        known = self.numbers(slots, temperature_K)
        for name, values in recorded.items():
            source = self.sources[name]
            known[name] = values if source.factor == 1.0 else source.factor * values
        for name, evaluate in self.steps:
            known[name] = evaluate(known, slots)
        length = len(next(iter(recorded.values()))) if recorded else 1
        return np.array(np.broadcast_to(known[self.result], length), dtype=np.float64)


def derived(
    mechanism: Mechanism, placement: Placement, exposure: str, *, compartment: int, area_m2: float, sources: Sources
) -> Derived:
    """How an exposure of a placed mechanism is had at a compartment. Raises KeyError for an unknown one."""
    dynamics = mechanism.dynamics
    result = dict(dynamics.exposures)[exposure]
    needed = Definitions(dynamics.assigned).needed([Sym(result)])
    used = frozenset({result}).union(*(names(a.value) for a in needed)) - {a.name for a in needed}
    return Derived(
        {name: source for name in sorted(used) if (source := sources(name)) is not None},
        {"surfaceArea": area_m2, "iSyn": 0.0, "ISyn": 0.0},
        _parameters(mechanism, placement, compartment),
        tuple((a.name, compile_expression(a.value)) for a in needed),
        result,
        tuple((a.name, a.value) for a in needed),
    )


def placement_of(cell: Cell, variable: str, compartment: int) -> Placement:
    """The placement of '<placement id>/<exposure>' that holds a compartment. Raises KeyError if there is none.

    A density and a species may share an id; what they expose tells them apart.
    """
    id_, _, exposure = variable.partition("/")
    for placement in cell.placements:
        is_here = placement.id == id_ and compartment in placement.compartments
        if is_here and exposure in dict(cell.mechanism(placement.mechanism).dynamics.exposures):
            return placement
    raise KeyError(f"{variable} at compartment {compartment}")


def _parameters(mechanism: Mechanism, placement: Placement, compartment: int) -> tuple[tuple[str, Evaluator], ...]:
    shared = [(p.name, p.value) for p in mechanism.parameters if p.value is not None]
    position = placement.compartments.index(compartment)
    local = [(name, _constant(values[position])) for name, values in placement.locals]
    own = [(name, compile_expression(value)) for name, value in placement.values]
    return (*((name, compile_expression(value)) for name, value in shared), *local, *own)


def _constant(value: float) -> Evaluator:
    return lambda _names, _slots: value
