"""Tests as Arbor's compiler wants them: comparisons, and not numbers that stand for true and false.

A truth that literals decide is a literal 1 or 0 in the equations, and one that slots decide a parameter; vectorised
code has neither where it wants a mask.
"""

from __future__ import annotations

from dataclasses import replace

from nmlopt.ir.model import Assigned, Condition, Mechanism, OnEvent, State
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Cases, Expr, Num, Op, Sym
from nmlopt.lems.trees import rebuild

_TRUTHS = frozenset({"<", ">", "<=", ">=", "==", "!=", "and", "or", "not"})
_TRUE, _FALSE = Num(1.0), Num(0.0)


def with_comparisons(mechanism: Mechanism) -> Mechanism:
    """The mechanism with every test a comparison, or several joined; tests that literals decide are gone."""
    dynamics = mechanism.dynamics
    return replace(
        mechanism,
        dynamics=replace(
            dynamics,
            states=tuple(_state(s) for s in dynamics.states),
            assigned=tuple(Assigned(a.name, _changed(a.value)) for a in dynamics.assigned),
            conditions=tuple(c for old in dynamics.conditions if (c := _condition(old)) is not None),
            events=tuple(OnEvent(e.port, _pairs(e.assignments)) for e in dynamics.events),
        ),
    )


def _state(state: State) -> State:
    derivative = None if state.derivative is None else _changed(state.derivative)
    return replace(state, initial=_changed(state.initial), derivative=derivative)


def _pairs(assignments: tuple[tuple[str, Expr], ...]) -> tuple[tuple[str, Expr], ...]:
    return tuple((name, _changed(value)) for name, value in assignments)


def _condition(condition: Condition) -> Condition | None:
    test = _truth(condition.test)
    if test == _FALSE:
        return None
    if test == _TRUE:  # something must be compared: a state with itself
        name = condition.assignments[0][0] if condition.assignments else "v"
        test = Op("==", (Sym(name), Sym(name)))
    return replace(condition, test=test, assignments=_pairs(condition.assignments))


def _changed(expr: Expr) -> Expr:
    """An expression whose value is a number."""
    match expr:
        case Cases(cases, default):
            return _cases([(_truth(test), _changed(value)) for test, value in cases], _changed(default))
        case Op(op, _) if op in _TRUTHS:
            return Cases(((_truth(expr), _TRUE),), _FALSE)
    return rebuild(expr, _changed)


def _cases(cases: list[tuple[Expr, Expr]], default: Expr) -> Expr:
    kept: list[tuple[Expr, Expr]] = []
    for test, value in cases:
        if test == _TRUE:
            default = value
            break
        if test != _FALSE:
            kept.append((test, value))
    return Cases(tuple(kept), default) if kept else default


def _truth(expr: Expr) -> Expr:
    """A test as comparisons, or a literal 1 or 0."""
    match expr:
        case Num(value):
            return _TRUE if value != 0.0 else _FALSE
        case Op("and", (left, right)):
            return _joined("and", _truth(left), _truth(right), neutral=_TRUE)
        case Op("or", (left, right)):
            return _joined("or", _truth(left), _truth(right), neutral=_FALSE)
        case Op("not", (one,)):
            inner = _truth(one)
            return _truth(Num(1.0 - inner.value)) if isinstance(inner, Num) else Op("not", (inner,))
        case Op(_, (Num(), Num())):
            return _truth(Num(float(evaluate(expr))))
        case Op(op, _) if op in _TRUTHS:
            return rebuild(expr, _changed)
    return Op("!=", (_changed(expr), _FALSE))


def _joined(op: str, left: Expr, right: Expr, *, neutral: Num) -> Expr:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Num):
            return other if one == neutral else one
    return Op(op, (left, right))
