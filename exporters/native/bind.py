"""The numbers of a candidate as one array: what the kernel reads, and the formulas that fill it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
import numpy.typing as npt

from nmlopt.exporters.native.chains import Chains, chains
from nmlopt.exporters.native.layout import Floats, Ints, Tree, point_tree, tree
from nmlopt.exporters.native.source import NODE_NUMBERS, Kernel, Part
from nmlopt.ir.assignments import in_effect
from nmlopt.ir.model import Assignment, Cell
from nmlopt.lems.evaluate import Evaluator, compile_expression
from nmlopt.lems.expression import Expr, SlotRef, Sym
from nmlopt.lems.trees import leaves

Indices = npt.NDArray[np.integer]

FALLBACK_V = -0.065
"""Where a document states no initial potential (V)."""


@dataclass(frozen=True)
class Shape:
    """What all candidates share: the tree, the instances of each mechanism by node, where each number begins."""

    tree: Tree
    count: Ints
    first: Ints
    node: Ints
    offset: npt.NDArray[np.int64]
    size: int
    instance: Mapping[tuple[int, int], int]
    """Index among a mechanism's instances, by the position of the placement and the compartment."""
    place: Ints
    """Where the kernel has the v of each compartment."""
    chains: Chains | None = None


@dataclass(frozen=True)
class _Number:
    """A formula and the places of its value; `arrays` hold one number for each place."""

    expr: Expr
    places: Indices
    arrays: Mapping[str, Floats] = field(default_factory=dict)
    factor: Floats | float = 1.0

    @property
    def is_bound(self) -> bool:
        """Whether it changes with the candidate or the experiment."""
        return any(isinstance(leaf, SlotRef) or leaf == Sym("temperature") for leaf in leaves(self.expr))


@final
class Binding:
    """Fills arrays of numbers for candidates of one cell."""

    def __init__(self, cell: Cell, kernel: Kernel) -> None:
        self.shape = _shape(cell, kernel)
        self._resistivity = np.zeros(0 if cell.geometry is None else len(cell.geometry.compartments))
        every = [*_node_numbers(cell, self.shape), *_mechanism_numbers(cell, kernel, self.shape)]
        along = [_Number(value, compartments) for value, compartments in _placed(cell.resistivity)]
        self._numbers = np.zeros(self.shape.size)
        _fill_fixed(cell, self.shape, self._numbers)
        names = {"temperature": np.nan}
        for numbers, target in ((every, self._numbers), (along, self._resistivity)):
            for number in numbers:
                if not number.is_bound:
                    _write(number, compile_expression(number.expr), target, names, ())
        self._bound = [(n, compile_expression(n.expr)) for n in every if n.is_bound]
        self._bound_along = [(n, compile_expression(n.expr)) for n in along if n.is_bound]
        self._write_conductances(self._numbers, self._resistivity)

    def bind(self, slots: Sequence[float], temperature_K: float) -> Floats:
        """The numbers of a candidate; `slots` in SI."""
        found = self._numbers.copy()
        names = {"temperature": temperature_K}
        for number, evaluate in self._bound:
            _write(number, evaluate, found, names, slots)
        if self._bound_along:
            resistivity = self._resistivity.copy()
            for number, evaluate in self._bound_along:
                _write(number, evaluate, resistivity, names, slots)
            self._write_conductances(found, resistivity)
        self._spread_start(found)
        return found

    def fault(self, numbers: Floats) -> str:
        """What makes a cell of these numbers impossible; '' where nothing does."""
        capacitance, along = self._of(numbers, 0), self._of(numbers, 1)
        if not (capacitance >= 0.0).all():
            return "a capacitance is negative or no number"
        if not (along[1:] > 0.0).all():
            return "an axial resistivity is not positive"
        return ""

    def _of(self, numbers: Floats, index: int) -> Floats:
        start = int(self.shape.offset[index])
        return numbers[start : start + len(self.shape.tree.parent)]

    def _write_conductances(self, numbers: Floats, resistivity: Floats) -> None:
        self._of(numbers, 1)[:] = self.shape.tree.conductances(resistivity)

    def _spread_start(self, numbers: Floats) -> None:
        """Nodes without membrane start at the potential of their parent."""
        start, tree_ = self._of(numbers, 2), self.shape.tree
        inside = np.zeros(len(start), dtype=bool)
        inside[tree_.node_of] = True
        for node in np.flatnonzero(~inside):
            start[node] = start[tree_.parent[node]]


def _write(
    number: _Number, evaluate: Evaluator, target: Floats, names: Mapping[str, float], slots: Sequence[float]
) -> None:
    target[number.places] = np.multiply(evaluate({**names, **number.arrays}, slots), number.factor)


def _shape(cell: Cell, kernel: Kernel) -> Shape:
    made = point_tree() if cell.geometry is None else tree(cell.geometry)
    count, first, node, sizes = [], [0], [], [len(made.parent)] * NODE_NUMBERS
    instance: dict[tuple[int, int], int] = {}
    for part in kernel.parts:
        here: list[int] = []
        for position, placement in enumerate(cell.placements):
            if placement.mechanism != part.mechanism.name:
                continue
            instance |= {(position, k): len(here) + n for n, k in enumerate(placement.compartments)}
            here += [int(made.node_of[k]) for k in placement.compartments]
        count.append(len(here))
        first.append(first[-1] + len(here))
        node += here
        sizes += [1] * len(part.text.shared) + [len(here)] * len(part.text.own)
    offset = np.concatenate(([0], np.cumsum(sizes)))
    shape = Shape(
        made,
        np.array(count, dtype=np.int32),
        np.array(first[:-1], dtype=np.int32),
        np.array(node, dtype=np.int32),
        np.array(offset[:-1], dtype=np.int64),
        int(offset[-1]),
        instance,
        made.node_of,
    )
    return _chained(cell, shape, kernel) if kernel.layout.chained else shape


def _chained(cell: Cell, shape: Shape, kernel: Kernel) -> Shape:
    """The same with the places that chains of nodes have in the kernel."""
    nodes = np.split(shape.node, shape.first[1:]) if kernel.parts else []
    made = chains(shape.tree, kernel.parts, nodes, shape.offset, shape.size)
    mechanism = {part.mechanism.name: part.index for part in kernel.parts}
    instance = {
        (position, compartment): int(made.place[mechanism[cell.placements[position].mechanism]][index])
        for (position, compartment), index in shape.instance.items()
    }
    return replace(shape, instance=instance, place=made.order.slot[shape.tree.node_of], chains=made)


def _fill_fixed(cell: Cell, shape: Shape, numbers: Floats) -> None:
    nodes = len(shape.tree.parent)
    numbers[2 * nodes : 3 * nodes] = FALLBACK_V
    if cell.geometry is not None:
        numbers[3 * nodes + shape.tree.node_of] = [c.area_m2 for c in cell.geometry.compartments]


def _node_numbers(cell: Cell, shape: Shape) -> Iterator[_Number]:
    if cell.geometry is None:
        return
    nodes, node_of = len(shape.tree.parent), shape.tree.node_of
    areas = np.array([c.area_m2 for c in cell.geometry.compartments])
    for value, compartments in _placed(cell.capacitance):
        yield _Number(value, node_of[compartments], factor=areas[compartments])
    for value, compartments in _placed(cell.initial_v):
        yield _Number(value, 2 * nodes + node_of[compartments])


def _placed(assignments: Sequence[Assignment]) -> Iterator[tuple[Expr, Indices]]:
    for assignment in in_effect(assignments):
        yield assignment.value, np.array(assignment.compartments, dtype=np.int64)


def _mechanism_numbers(cell: Cell, kernel: Kernel, shape: Shape) -> Iterator[_Number]:
    for part in kernel.parts:
        yield from _shared(part, shape)
        begin = 0
        for placement in cell.placements:
            if placement.mechanism != part.mechanism.name:
                continue
            within = np.arange(begin, begin + len(placement.compartments))
            begin += len(placement.compartments)
            arrays = {name: np.asarray(values, dtype=np.float64) for name, values in placement.locals}
            table = dict(
                zip((p.name for p in part.mechanism.parameters if p.value is None), part.text.own, strict=True)
            )
            for name, expr in placement.values:
                if name in table:
                    yield _Number(expr, shape.offset[part.numbers[table[name]]] + within, arrays)


def _shared(part: Part, shape: Shape) -> Iterator[_Number]:
    shared = (p for p in part.mechanism.parameters if p.value is not None)
    for parameter, name in zip(shared, part.text.shared, strict=True):
        assert parameter.value is not None
        yield _Number(parameter.value, np.array([shape.offset[part.numbers[name]]]))
