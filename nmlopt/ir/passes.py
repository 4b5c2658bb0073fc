"""The passes from a flattened component to the dynamics of a mechanism, in their order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Final

from nmlopt.ir.bind import split
from nmlopt.ir.flat import Bound, Flat
from nmlopt.ir.guard import guard_singularities, rates_form
from nmlopt.ir.model import Dynamics, State
from nmlopt.lems.expression import Expr, Sym
from nmlopt.lems.trees import leaves, names, rebuild

MAX_WRITTEN_OUT: Final = 500
FLAT_PASSES: Final[tuple[Callable[[Flat], Flat], ...]] = (guard_singularities, rates_form)


def run(flat: Flat, wanted: Collection[str]) -> Bound:
    """Guard, speed up, split off bind-time numbers, drop what neither states nor `wanted` variables need."""
    for step in FLAT_PASSES:
        flat = step(flat)
    return pruned(split(flat, wanted), wanted)


def pruned(bound: Bound, wanted: Collection[str]) -> Bound:
    """Without the variables and parameters that nothing reads; what only initial values read is written out there."""
    dynamics = bound.dynamics
    table = {a.name: a.value for a in dynamics.assigned}
    kept = _closure([*wanted, *_read(dynamics)], table)
    start_only = {name: value for name, value in table.items() if name not in kept}
    if _largest(start_only) > MAX_WRITTEN_OUT:  # many uses of each other: cheaper as variables
        kept, start_only = _closure([*kept, *(n for e in _starts(dynamics) for n in names(e))], table), {}
    states = tuple(_started(s, start_only) for s in dynamics.states)
    assigned = tuple(a for a in dynamics.assigned if a.name in kept)
    live = {a.name for a in assigned} | {s.name for s in states}
    smaller = replace(
        dynamics,
        states=states,
        assigned=assigned,
        exposures=tuple((path, name) for path, name in dynamics.exposures if name in live),
    )
    read = frozenset().union(*(names(e) for e in expressions(smaller)))
    return Bound(
        replace(smaller, inputs=tuple(n for n in dynamics.inputs if n in read)),
        tuple((name, value) for name, value in bound.shared if name in read),
        tuple((name, value) for name, value in bound.own if name in read),
    )


def expressions(dynamics: Dynamics) -> Iterable[Expr]:
    """Every expression of the dynamics."""
    yield from _starts(dynamics)
    yield from (a.value for a in dynamics.assigned)
    yield from _run_time(dynamics)


def _starts(dynamics: Dynamics) -> Iterable[Expr]:
    for state in dynamics.states:
        yield state.initial
        if state.preset is not None:
            yield state.preset


def _started(state: State, definitions: dict[str, Expr]) -> State:
    preset = None if state.preset is None else _written_out(state.preset, definitions)
    return replace(state, initial=_written_out(state.initial, definitions), preset=preset)


def _run_time(dynamics: Dynamics) -> Iterable[Expr]:
    """What is computed at every step, apart from the assigned variables."""
    yield from (s.derivative for s in dynamics.states if s.derivative is not None)
    for condition in dynamics.conditions:
        yield condition.test
        yield from (value for _, value in condition.assignments)
    for event in dynamics.events:
        yield from (value for _, value in event.assignments)
    for regime in dynamics.regimes:
        yield from (value for _, value in regime.derivatives)
        yield from (value for _, value in regime.on_entry)
    for scheme in dynamics.kinetics:
        for transition in scheme.transitions:
            yield from (transition.forward, transition.reverse)


def _read(dynamics: Dynamics) -> Iterable[str]:
    for expr in _run_time(dynamics):
        yield from names(expr)


def _closure(roots: Iterable[str], table: dict[str, Expr]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(names(table[name]) if name in table else ())
    return frozenset(found)


def _largest(definitions: dict[str, Expr]) -> int:
    """Leaves of the largest definition when all are written out in terms of each other."""
    sizes: dict[str, int] = {}
    for name, value in definitions.items():
        sizes[name] = sum(sizes.get(leaf.name, 1) if isinstance(leaf, Sym) else 1 for leaf in leaves(value))
    return max(sizes.values(), default=0)


def _written_out(expr: Expr, definitions: dict[str, Expr]) -> Expr:
    if isinstance(expr, Sym):
        return _written_out(definitions[expr.name], definitions) if expr.name in definitions else expr
    return rebuild(expr, lambda part: _written_out(part, definitions))
