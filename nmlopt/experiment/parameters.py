"""Free parameters against the slots of a cell: bounds, scales, and the way from a candidate to slot values.

Every number is computed on its own, by scalar arithmetic: vector instructions may round an element differently by its
position, and a candidate must not depend on what else is in the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from nmlopt.ir.model import Slot
from nmlopt.lems.evaluate import Evaluator, compile_expression
from nmlopt.lems.expression import Expr
from nmlopt.units import Quantity, Unit, convert

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FreeParameter:
    """One axis of the search. Numbers are in `unit`; `scale` is 'linear' or 'log10'; `present` is the document's.

    `unit` is the unit in which the document writes the first number that the parameter sets: so a value that was
    written into a document is read back with the same bits.
    """

    id: str
    unit: Unit
    lower: float
    upper: float
    scale: str
    present: float


@dataclass(frozen=True, slots=True)
class Binding:
    """What one slot receives: a free parameter (by index), or an expression over free parameters.

    `formula` is in the numbers of the free parameters' units (Sym = parameter id) and its result is in `unit`.
    `parameter` is the id of the parameter in targets.json, free or dependent.
    """

    slot: Slot
    unit: Unit
    free: int | None
    formula: Expr | None = None
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The search space of a fit: `free` axes and one binding per slot of the cell, in slot order."""

    free: tuple[FreeParameter, ...]
    bindings: tuple[Binding, ...]

    def values(self, x: Floats) -> Floats:
        """Slot values (n, n_slots) in the slots' units, from candidates (n, n_free) in the parameters' units.

        A formula that has no value (log of a negative number) gives nan or inf.
        """
        rows = [self._row(row) for row in x.tolist()]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.bindings))

    def edits(self, x: Sequence[float]) -> tuple[tuple[str, Quantity], ...]:
        """(path, quantity in the author's unit) for each slot, for one candidate: what is written into the document."""
        row = self._row([float(value) for value in x])
        slots = (binding.slot for binding in self.bindings)
        return tuple((slot.path, Quantity(value, slot.unit.symbol)) for slot, value in zip(slots, row, strict=True))

    def from_unit_interval(self, u: Floats) -> Floats:
        """Candidates in parameter units from the unit cube (n, n_free), by each parameter's scale; within bounds.

        The point of the document's own value gives exactly that value.
        """
        return self._by_axis(u, _from_unit)

    def to_unit_interval(self, x: Floats) -> Floats:
        """The inverse of `from_unit_interval`, clipped to [0, 1]."""
        return self._by_axis(x, _to_unit)

    def present(self) -> Floats:
        """The document's own values, one candidate (n_free,)."""
        return np.array([p.present for p in self.free], dtype=np.float64)

    def _row(self, row: Sequence[float]) -> list[float]:
        """One candidate's slot values."""
        names = {p.id: value for p, value in zip(self.free, row, strict=True)}
        return [_bound(binding, row, names) for binding in self.bindings]

    def _by_axis(self, table: Floats, scaled: Callable[[FreeParameter, float], float]) -> Floats:
        rows = [[scaled(p, value) for p, value in zip(self.free, row, strict=True)] for row in table.tolist()]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.free))


def _bound(binding: Binding, row: Sequence[float], names: dict[str, float]) -> float:
    if binding.free is not None:
        value = row[binding.free]
    else:
        assert binding.formula is not None  # one of the two is given
        value = float(_compiled(binding.formula)(names, ()))
    return convert(value, binding.unit, binding.slot.unit)


@lru_cache(maxsize=256)
def _compiled(formula: Expr) -> Evaluator:
    return compile_expression(formula)


def _from_unit(axis: FreeParameter, u: float) -> float:
    if 0.0 < u < 1.0 and u == _to_unit(axis, axis.present):
        return axis.present  # the document's own value comes back with the same bits
    if axis.scale == "log10":
        low, high = math.log10(axis.lower), math.log10(axis.upper)
        value = 10.0 ** (low * (1.0 - u) + high * u)
    else:
        value = axis.lower * (1.0 - u) + axis.upper * u
    if u <= 0.0 or value < axis.lower:
        return axis.lower
    return axis.upper if u >= 1.0 or value > axis.upper else value


def _to_unit(axis: FreeParameter, x: float) -> float:
    if x <= axis.lower:
        return 0.0
    if x >= axis.upper:
        return 1.0
    if axis.scale == "log10":
        low, high, x = math.log10(axis.lower), math.log10(axis.upper), math.log10(x)
    else:
        low, high = axis.lower, axis.upper
    # halves: the span of two finite doubles may overflow
    return min(1.0, max(0.0, (x / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0))) if high > low else 0.0
