"""References by case: functions that compute, without nmlopt, what a case's quantities are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.conformance.suite import Case, Mistake, Quantity

CLOSED_FORM = "closed form"
LINEAR = "linear system of the compartments, solved exactly (matrix exponential)"
EQUATIONS = "the equations of the core types, written out and integrated by SciPy's DOP853 at a relative error of 1e-11"

VOLTAGE_TOLERANCE = 1e-5
VOLTAGE_REASON = (
    "0.01 mV: a converged simulation is within 0.001 mV, the mistakes that this case is there to find are ten times "
    "further away"
)
GATE_TOLERANCE = 1e-4
GATE_REASON = "a converged simulation is within 1e-5; each of the mistakes is ten times further away"

Quantities = Sequence[Quantity]


@dataclass(frozen=True)
class Reference:
    """How one case's expectations are made."""

    case: str
    tests: str
    rule: str
    method: str
    compute: Callable[..., Quantities]
    mistakes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    departures: Mapping[str, str] = field(default_factory=dict)

    def expected(self) -> Case:
        """The case with its numbers, those of the mistakes included."""
        script = self.compute.__module__.replace(".", "/") + ".py"
        mistakes = tuple(
            Mistake(what, {q.id: q.reference for q in self.compute(**changed)})
            for what, changed in self.mistakes.items()
        )
        quantities = tuple(self.compute())
        return Case(
            self.case, self.tests, self.rule, self.method, script, quantities, mistakes, dict(self.departures)
        )  # fmt: skip


REFERENCES: dict[str, Reference] = {}


def reference(
    case: str,
    *,
    tests: str,
    rule: str,
    method: str = EQUATIONS,
    mistakes: Mapping[str, Mapping[str, Any]] | None = None,
    departures: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Quantities]], Callable[..., Quantities]]:
    """Registers a function that computes a case's quantities; a mistake changes some of its keyword arguments."""

    def register(compute: Callable[..., Quantities]) -> Callable[..., Quantities]:
        assert case not in REFERENCES, case
        REFERENCES[case] = Reference(case, tests, rule, method, compute, mistakes or {}, departures or {})
        return compute

    return register


def samples(
    times_ms: Sequence[float],
    values: Sequence[float] | np.ndarray,
    column: str = "v",
    *,
    tolerance: float = VOLTAGE_TOLERANCE,
    reason: str = VOLTAGE_REASON,
) -> Quantity:
    """A column's values (SI) at times."""
    times = tuple(float(f"{1e-3 * t:.12g}") for t in times_ms)
    return Quantity(column, "samples", column, times, tolerance, reason, tuple(float(v) for v in values))


def gate(times_ms: Sequence[float], values: Sequence[float] | np.ndarray, column: str = "q") -> Quantity:
    """A gate variable at times."""
    return samples(times_ms, values, column, tolerance=GATE_TOLERANCE, reason=GATE_REASON)


def crossings(
    times_s: Sequence[float] | np.ndarray, threshold: float, *, tolerance: float, reason: str, column: str = "v"
) -> Quantity:
    """Times at which a column crosses a threshold (SI) upwards."""
    found = tuple(float(t) for t in times_s)
    return Quantity(f"{column}_crossings", "crossings", column, found, tolerance, reason, threshold=threshold)
