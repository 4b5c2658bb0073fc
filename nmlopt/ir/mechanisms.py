"""Mechanisms and their placements: densities with the same equations share one mechanism."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace

from nmlopt.ir.flat import Bound, Own
from nmlopt.ir.model import Mechanism, MechanismKind, Parameter, Placement
from nmlopt.lems.expression import Expr
from nmlopt.lems.trees import substitute


@dataclass(frozen=True, slots=True)
class Prototype:
    """Equations of a mechanism, and the numbers that each placement has to give."""

    bound: Bound
    own: tuple[Own, ...]
    kind: MechanismKind
    name: str
    ion: str = ""
    current: str = ""
    component: str = ""
    where: str = ""

    def values(self, given: Mapping[str, Expr]) -> tuple[tuple[str, Expr], ...]:
        """The values of a placement from the numbers it gives, by their names in `own`."""
        return tuple((name, substitute(expr, given)) for name, expr in self.bound.own)

    def resolved(self, expr: Expr, given: Mapping[str, Expr]) -> Expr:
        """A bind-time expression over the mechanism's parameters in terms of numbers and slots."""
        return substitute(expr, {**dict(self.bound.shared), **dict(self.values(given))})


@dataclass
class Catalogue:
    """The mechanisms and placements of a cell while it is lowered."""

    mechanisms: list[Mechanism] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    _copies: dict[Hashable, list[tuple[str, set[int]]]] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def place(self, key: Hashable, prototype: Prototype, placement: Placement) -> None:
        """Add a placement (its `mechanism` is filled in); where it overlaps an earlier one, of a copy."""
        wanted = set(placement.compartments)
        copies = self._copies.setdefault(key, [])
        name = next((n for n, taken in copies if not taken & wanted), None)
        if name is None:
            name = self._add(prototype)
            copies.append((name, set()))
        next(taken for n, taken in copies if n == name).update(wanted)
        self.placements.append(replace(placement, mechanism=name))

    def add(self, prototype: Prototype) -> None:
        """Add a mechanism without a placement."""
        self._add(prototype)

    def _add(self, prototype: Prototype) -> str:
        name = self._unique(prototype.name)
        parameters = [Parameter(n, value) for n, value in prototype.bound.shared]
        parameters += [Parameter(n) for n, _ in prototype.bound.own]
        self.mechanisms.append(
            Mechanism(
                name,
                prototype.kind,
                prototype.bound.dynamics,
                tuple(parameters),
                prototype.ion,
                prototype.current,
                prototype.component,
                prototype.where,
            )
        )
        return name

    def _unique(self, wanted: str) -> str:
        base = re.sub(r"\W", "_", wanted, flags=re.ASCII)
        base = base if re.match(r"[A-Za-z]", base) else f"x{base}"
        name, count = base, 2
        while name in self._names:
            name, count = f"{base}_{count}", count + 1
        self._names.add(name)
        return name
