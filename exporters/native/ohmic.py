"""Currents whose conductance is a product of gates and of numbers that stay: g (E - v) with E fixed.

What stays is multiplied out once per run; a step multiplies the gates, and adds g to the diagonal and g E to the right
side of its system. Gates of such mechanisms are moved in bundles: those that sit on the same compartments stand side by
side in one row of a table and in the lanes of one vector. How wide a bundle is decides how much of the tables has to be
fetched for each compartment, which is what most of a step's time goes into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

from nmlopt.codegen.analysis import MINUS_ONE, ONE, linear, slope
from nmlopt.codegen.c_text import c_block, c_body
from nmlopt.codegen.nmodl import Writer
from nmlopt.codegen.nmodl_current import without_gates
from nmlopt.exporters.native.mechanism import Lines, MechanismText
from nmlopt.exporters.native.tabled import Tabled
from nmlopt.ir.model import Cell, Mechanism, MechanismKind
from nmlopt.lems.expression import Expr, Op, Sym
from nmlopt.lems.trees import names as names_in

MOST_GATES = 8
"""In a bundle: one vector."""
_ALONE, _FOUR, _EIGHT, _PER_GATE = 2.2, 4.2, 7.0, 0.4
"""What a compartment costs (processor cycles, roughly): for each gate that is looked up alone, for up to four or eight
side by side, and for each gate's part in a conductance."""


@dataclass(frozen=True, slots=True)
class Ohmic:
    """`gates`: C's names of the states whose product opens the conductance, one for each factor; none: always open.

    `lines` leave in conductance__ what that product is multiplied with to give -di/dv, and in reversal__ the v at which
    the current is zero.
    """

    gates: Lines
    lines: Lines


def ohmic(writer: Writer, text: MechanismText) -> Ohmic | None:
    """The current of a mechanism as a product; None where its equations have another form."""
    dynamics = writer.mechanism.dynamics
    if not text.current or text.ion >= 0 or text.is_input or text.published or dynamics.conditions:
        return None
    form = linear(Sym(writer.mechanism.current), "v", without_gates(writer))
    whole = None if form is None else slope(form)
    if form is None or whole is None:
        return None
    across = _split(whole, writer)
    towards = None if form.constant is None else _split(form.constant, writer)
    if across is None or towards is None or sorted(across[0]) != sorted(towards[0]):
        return None
    reversal = list(towards[1])
    for factor in across[1]:
        if factor in reversal:
            reversal.remove(factor)
        elif factor != MINUS_ONE:
            return None
    turned = across[1].count(MINUS_ONE) - (towards[1].count(MINUS_ONE) - reversal.count(MINUS_ONE))
    if turned % 2 == 0:
        reversal.append(MINUS_ONE)
    body = c_body(writer)
    body.let("conductance__", Op("neg", (_product(across[1]),)), local=False)
    body.let("reversal__", _product(reversal), local=False)
    lines = ("{", *(f"    {line}" for line in c_block(body)), "}")
    return Ohmic(tuple(writer.names[name] for name in across[0]), lines)


def _product(factors: Sequence[Expr]) -> Expr:
    return reduce(lambda a, b: Op("*", (a, b)), factors) if factors else ONE


def _split(expr: Expr, writer: Writer) -> tuple[list[str], list[Expr]] | None:
    """States and other factors whose product is `expr`; None where it is no such product, or where others change."""
    dynamics, definitions = writer.mechanism.dynamics, writer.definitions
    states = {s.name for s in dynamics.states} | {name for k in dynamics.kinetics for name in k.states}
    used = definitions.closure(names_in(expr))
    if used & (set(dynamics.inputs) - {"temperature", "surfaceArea"}):
        return None
    match expr:
        case Sym(name) if name in states:
            return [name], []
        case Op("neg", (one,)):
            return _times(([], [MINUS_ONE]), _split(one, writer))
        case Op("*", (left, right)):
            return _times(_split(left, writer), _split(right, writer))
        case Op("/", (left, right)) if not definitions.closure(names_in(right)) & states:
            return _times(_split(left, writer), ([], [Op("/", (ONE, right))]))
        case Sym(name) if used & states:
            value = definitions.value(name)
            return None if value is None else _split(value, writer)
    return None if used & states else ([], [expr])


_Factors = tuple[list[str], list[Expr]]


def _times(left: _Factors | None, right: _Factors | None) -> _Factors | None:
    return None if left is None or right is None else (left[0] + right[0], left[1] + right[1])


class Bundled(Protocol):
    """What of a part of the kernel decides about its bundle."""

    @property
    def index(self) -> int: ...
    @property
    def mechanism(self) -> Mechanism: ...
    @property
    def ohmic(self) -> Ohmic | None: ...
    @property
    def tabled(self) -> Tabled | None: ...
    @property
    def states(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class Bundle:
    """Mechanisms whose gates are moved together.

    `width`: 1 if the same gate of eight compartments fills a vector, else how many gates of one compartment do.
    """

    index: int
    parts: tuple[Bundled, ...]

    @property
    def width(self) -> int:
        """1, 4 or 8."""
        return _width(len(self.gates))

    @property
    def row(self) -> int:
        """Numbers in a row of its table."""
        return 8 * len(self.gates) if self.width == 1 else 6 * self.width

    @property
    def room(self) -> int:
        """Numbers that eight compartments' states take."""
        return 8 * (len(self.gates) if self.width == 1 else self.width)

    @property
    def gates(self) -> list[tuple[Bundled, str, int]]:
        """(part, name of C, index of the state) by place in the bundle."""
        return [(p, name, p.states[name]) for p in self.parts if p.tabled for name in p.tabled.states]

    @property
    def gate_rows(self) -> list[tuple[int, ...]]:
        """For each gate what the kernel's `bundled_gates` says of it."""
        found: list[tuple[int, ...]] = []
        for place, (part, name, state) in enumerate(self.gates):
            assert part.tabled is not None
            width = self.width
            within = (1, 8 * place, 1, 4, 8 * place) if width == 1 else (width, place, 2 * width, width, place)
            found.append((self.index, part.index, state, part.tabled.states.index(name), *within))
        return found

    def place(self, part: Bundled, gate: str) -> int:
        """Where a gate of a part stands among all."""
        return next(k for k, (p, name, _) in enumerate(self.gates) if p.index == part.index and name == gate)


def bundles(parts: Sequence[Bundled], cell: Cell) -> tuple[Bundle, ...]:
    """Each mechanism that can be bundled in one bundle, so that few compartments have gates that they do not need."""
    where = {part.index: _compartments(part.mechanism, cell) for part in parts}
    able = [part for part in parts if _can_be(part) and len(where[part.index]) == len(set(where[part.index]))]
    found: list[list[Bundled]] = []
    for part in sorted(able, key=lambda p: (-len(where[p.index]), p.index)):
        options = [group for group in found if _gates([*group, part]) <= MOST_GATES]
        added = [_cost([*group, part], where) - _cost(group, where) for group in options]
        if added and min(added) < _cost([part], where):
            options[added.index(min(added))].append(part)
        elif where[part.index]:
            found.append([part])
    return tuple(Bundle(k, tuple(sorted(group, key=lambda p: p.index))) for k, group in enumerate(found))


def _can_be(part: Bundled) -> bool:
    """Whether all its states are gates of one vector at most, and its current is a product of them."""
    if part.mechanism.kind is not MechanismKind.DENSITY or part.ohmic is None or part.tabled is None:
        return False
    moved = set(part.tabled.states)
    return len(moved) <= MOST_GATES and moved == set(part.states) and bool(part.ohmic.gates)


def _compartments(mechanism: Mechanism, cell: Cell) -> tuple[int, ...]:
    return tuple(k for p in cell.placements if p.mechanism == mechanism.name for k in p.compartments)


def _gates(parts: Sequence[Bundled]) -> int:
    return sum(len(p.tabled.states) for p in parts if p.tabled)


def _cost(parts: Sequence[Bundled], where: Mapping[int, Sequence[int]]) -> float:
    union, gates = set().union(*(where[p.index] for p in parts)), _gates(parts)
    return len(union) * (min(cost for cost, _ in _ways(gates)) + _PER_GATE * gates)


def _ways(gates: int) -> list[tuple[float, int]]:
    """(cost at a compartment, width) of each way to look up that many gates."""
    ways = [(_ALONE * gates, 1), (_EIGHT, 8)]
    return [*ways, (_FOUR, 4)] if gates <= 4 else ways


def _width(gates: int) -> int:
    return min(_ways(gates))[1]
