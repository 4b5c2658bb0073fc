"""Free parameters against the slots of a cell: bounds, scales, and the way from a candidate to slot values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nmlopt.ir.model import Slot
from nmlopt.lems.expression import Expr
from nmlopt.units import Quantity, Unit

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FreeParameter:
    """One axis of the search. Numbers are in `unit`; `scale` is 'linear' or 'log10'; `present` is the document's."""

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
    """

    slot: Slot
    unit: Unit
    free: int | None
    formula: Expr | None = None


@dataclass(frozen=True, slots=True)
class Parameters:
    """The search space of a fit: `free` axes and one binding per slot of the cell, in slot order."""

    free: tuple[FreeParameter, ...]
    bindings: tuple[Binding, ...]

    def values(self, x: Floats) -> Floats:
        """Slot values (n, n_slots) in the slots' units, from candidates (n, n_free) in the parameters' units."""
        raise NotImplementedError

    def edits(self, x: Sequence[float]) -> tuple[tuple[str, Quantity], ...]:
        """(path, quantity in the author's unit) for each slot, for one candidate: what is written into the document."""
        raise NotImplementedError

    def from_unit_interval(self, u: Floats) -> Floats:
        """Candidates in parameter units from the unit cube (n, n_free), by each parameter's scale; within bounds."""
        raise NotImplementedError

    def to_unit_interval(self, x: Floats) -> Floats:
        """The inverse of `from_unit_interval`, clipped to [0, 1]."""
        raise NotImplementedError

    def present(self) -> Floats:
        """The document's own values, one candidate (n_free,)."""
        return np.array([p.present for p in self.free])
