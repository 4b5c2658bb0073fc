"""Equations rearranged for the inner loop: equal in exact arithmetic, fewer divisions and exponentials.

What is computed at run time depends on the values of numbers only, never on whether they are literals or slots: where
literals decide which operations are done, parameters decide the same way through a choice bound with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nmlopt.codegen.analysis import Definitions, linear, slope
from nmlopt.codegen.merge import Merged, Placed
from nmlopt.ir.model import Assigned, Mechanism, Parameter, Placement, State
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Call, Cases, Expr, Num, Op, Sym
from nmlopt.lems.trees import leaves, names, rebuild, substitute

_SAME = 2e-15
"""Largest relative difference of two slopes that count as one: the exponent is then exact to some 1e-13."""
_FARTHEST = 200.0
"""Exponentials farther apart than exp(200) are not expressed by each other: one could overflow alone."""
_SERIES_BELOW = 1e-3
_ONE = Num(1.0)


def one_valued(mechanism: Mechanism, placements: Sequence[Placement]) -> Placed:
    """Numbers of a placement as numbers of the mechanism where there is one placement: one value in all its places."""
    if len(placements) != 1:
        return mechanism, tuple(placements)
    given, local = dict(placements[0].values), {name for name, _ in placements[0].locals}
    moved = {name: value for name, value in given.items() if names(value).isdisjoint(local)}
    parameters = tuple(Parameter(p.name, moved.get(p.name, p.value)) for p in mechanism.parameters)
    rest = tuple((name, value) for name, value in placements[0].values if name not in moved)
    return replace(mechanism, parameters=parameters), (replace(placements[0], values=rest),)


def tuned(whole: Merged, *, share: bool = True) -> Merged:
    """Divisions by bind-time numbers as products; with `share`, exponentials of v from each other where slopes agree.

    New bind-time numbers become parameters, as in `ir.bind`. Variables keep their names; those that neither states nor
    currents need are left out. Kinetic schemes stay as they are.
    """
    dynamics = whole.mechanism.dynamics
    if dynamics.kinetics or not whole.currents:
        return whole
    binder = _Binder(whole.mechanism, whole.placements)
    tuner = _Tuner(binder, Definitions(dynamics.assigned), share)
    for assigned in dynamics.assigned:
        tuner.add(assigned.name, assigned.value)
    states = tuple(_state(s, tuner) for s in dynamics.states)
    changed = replace(dynamics, assigned=tuple(tuner.assigned), states=states)
    mechanism = replace(whole.mechanism, dynamics=changed, parameters=tuple(binder.parameters))
    return _pruned(replace(whole, mechanism=mechanism, placements=tuple(binder.placements)))


def _state(state: State, tuner: _Tuner) -> State:
    initial = tuner.without_divisions(state.initial)
    return State(state.name, initial, None if state.derivative is None else tuner.expression(state.derivative))


def _pruned(whole: Merged) -> Merged:
    """Without variables and parameters that nothing reads any more."""
    dynamics = whole.mechanism.dynamics
    ends: list[Expr] = [Sym(current.variable) for current in whole.currents]
    ends += [e for s in dynamics.states for e in (s.initial, s.derivative) if e is not None]
    assigned = Definitions(dynamics.assigned).needed(ends)
    read = frozenset[str]().union(*(names(e) for e in (*ends, *(a.value for a in assigned))))
    kept = tuple(p for p in whole.mechanism.parameters if p.name in read)
    own = {p.name for p in kept if p.value is None}
    placements = tuple(replace(p, values=tuple(v for v in p.values if v[0] in own)) for p in whole.placements)
    mechanism = replace(whole.mechanism, dynamics=replace(dynamics, assigned=assigned), parameters=kept)
    return replace(whole, mechanism=mechanism, placements=placements)


class _Binder:
    """Turns bind-time expressions into literals or parameters."""

    def __init__(self, mechanism: Mechanism, placements: Sequence[Placement]) -> None:
        self.parameters = list(mechanism.parameters)
        self.placements = list(placements)
        self._known: dict[Expr, Sym] = {}
        self._taken = {p.name for p in self.parameters}
        dynamics = mechanism.dynamics
        self._taken |= {a.name for a in dynamics.assigned} | {s.name for s in dynamics.states}

    def is_bound(self, expr: Expr) -> bool:
        """Whether `expr` is a number over literals and parameters."""
        given = {p.name for p in self.parameters}
        return all(isinstance(leaf, Num) or (isinstance(leaf, Sym) and leaf.name in given) for leaf in leaves(expr))

    def number(self, expr: Expr, wanted: str) -> Num | Sym:
        """A bind-time expression as a literal, or as a parameter with a name like `wanted`."""
        if isinstance(expr, Num):
            return expr
        if all(isinstance(leaf, Num) for leaf in leaves(expr)):
            return Num(float(evaluate(expr)))
        if expr not in self._known:
            name = self.unique(wanted)
            self._bind(expr, name)
            self._known[expr] = Sym(name)
        return self._known[expr]

    def is_at_one_place(self, *parts: Expr) -> bool:
        """Whether some placement gives all the own numbers that these expressions read."""
        own = frozenset[str]().union(*(names(e) for e in parts)) - self._shared()
        return not own or any(own <= {name for name, _ in p.values} for p in self.placements)

    def _shared(self) -> frozenset[str]:
        return frozenset(p.name for p in self.parameters if p.value is not None)

    def _bind(self, expr: Expr, name: str) -> None:
        values = {p.name: p.value for p in self.parameters if p.value is not None}
        own = names(expr) - self._shared()
        if not own:
            self.parameters.append(Parameter(name, substitute(expr, values)))
            return
        self.parameters.append(Parameter(name))
        self.placements = [
            replace(p, values=(*p.values, (name, substitute(expr, {**values, **dict(p.values)}))))
            if own <= {given for given, _ in p.values}
            else p
            for p in self.placements
        ]

    def unique(self, wanted: str) -> str:
        """A name that is not taken."""
        name, count = wanted, 2
        while name in self._taken:
            name, count = f"{wanted}_{count}", count + 1
        self._taken.add(name)
        return name


@dataclass(frozen=True, slots=True)
class _Exponential:
    """A variable that holds exp(slope * v + constant), both bind-time numbers."""

    name: str
    constant: Expr
    slope: Expr

    @property
    def form(self) -> tuple[Expr, Expr]:
        """Both numbers."""
        return self.constant, self.slope


@dataclass
class _Tuner:
    """Rewrites the assigned variables of a mechanism, in order."""

    binder: _Binder
    definitions: Definitions
    share: bool
    assigned: list[Assigned] = field(default_factory=list)
    _exponentials: list[_Exponential] = field(default_factory=list)
    _written: dict[Expr, Sym] = field(default_factory=dict)
    _relatives: dict[Expr, Sym] = field(default_factory=dict)

    def add(self, name: str, value: Expr) -> None:
        """Append a variable with its rewritten value."""
        changed = self.expression(value)
        self.assigned.append(Assigned(name, changed))

    def expression(self, expr: Expr) -> Expr:
        """`expr` rewritten; what it needs beside is appended to `assigned` first.

        Nothing is taken out of the branches of a choice: they are computed when chosen only.
        """
        if isinstance(expr, Cases):
            return self.without_divisions(expr)
        changed = self._without_division(rebuild(expr, self.expression))
        match changed:
            case Call("exp", (argument,)) if self.share:
                return self._exponential(argument) or changed
            case Call("exprelr", (argument,)) if self.share:
                return self._relative(argument) or changed
        return changed

    def without_divisions(self, expr: Expr) -> Expr:
        """`expr` with divisions by bind-time numbers as products."""
        return self._without_division(rebuild(expr, self.without_divisions))

    def _without_division(self, expr: Expr) -> Expr:
        match expr:
            case Op("/", (Sym("v"), _)):
                return expr  # v / (1 mV) is a round number where v is one, and published rates test it for equality
            case Op("/", (top, bottom)) if self.binder.is_bound(bottom) and not self.binder.is_bound(top):
                factor = self.binder.number(Op("/", (_ONE, bottom)), "per")
                finite = not isinstance(factor, Num) or math.isfinite(factor.value)
                return Op("*", (top, factor)) if finite else expr
        return expr

    def _form(self, argument: Expr) -> tuple[Expr, Expr] | None:
        """(constant, slope) of an argument linear in v with bind-time numbers."""
        form = linear(argument, "v", Definitions((*self.definitions.assigned, *self.assigned)))
        whole = None if form is None else slope(form)
        if form is None or whole is None:
            return None
        constant = form.constant or Num(0.0)
        return (constant, whole) if self.binder.is_bound(constant) and self.binder.is_bound(whole) else None

    def _exponential(self, argument: Expr) -> Expr | None:
        """A variable that holds exp(argument); None if the argument is not linear in v."""
        form = self._form(argument)
        if form is None:
            return None
        if argument not in self._written:
            found = _Exponential(self.binder.unique(f"exp{len(self._exponentials) + 1}"), *form)
            self.assigned.append(Assigned(found.name, self._from_others(found, argument)))
            self._exponentials.append(found)
            self._written[argument] = Sym(found.name)
        return self._written[argument]

    def _from_others(self, wanted: _Exponential, argument: Expr) -> Expr:
        """exp(argument) by the first exponential of the same or the opposite slope; computed if there is none."""
        related: list[tuple[_Exponential, float, Expr]] = []
        at_hand = [o for o in self._exponentials if self.binder.is_at_one_place(*wanted.form, *o.form)]
        for other, sign in ((other, sign) for other in at_hand for sign in (1.0, -1.0)):
            test = _related(wanted, other, sign)
            if test == Num(0.0):
                continue
            related.append((other, sign, test))
            if test == _ONE:
                break
        plain: Expr = Call("exp", (argument,))
        if not related:
            return plain
        chosen = _cases([(test, Num(float(k))) for k, (_, _, test) in enumerate(related, 1)], Num(0.0))
        ratios = [(test, _ratio(wanted, other, sign)) for other, sign, test in related]
        choice = self.binder.number(chosen, f"{wanted.name}_choice")
        factor = self.binder.number(_cases(ratios, Num(0.0)), f"{wanted.name}_factor")
        ways = [
            (_is_number(choice, float(k)), _by(other, sign, factor)) for k, (other, sign, _) in enumerate(related, 1)
        ]
        return _cases(ways, plain)

    def _relative(self, argument: Expr) -> Expr | None:
        """A variable that holds x / (1 - exp(-x)) of an x linear in v, by its series near 0."""
        if argument in self._relatives:
            return self._relatives[argument]
        exponential = self._exponential(Op("neg", (argument,)))
        if exponential is None:
            return None
        x = argument if isinstance(argument, Sym) else self._variable("x", argument)
        series = Op("+", (Op("+", (_ONE, Op("*", (Num(0.5), x)))), Op("*", (Num(1.0 / 12.0), Op("*", (x, x))))))
        near = Op("<", (Call("abs", (x,)), Num(_SERIES_BELOW)))
        value = Cases(((near, series),), Op("/", (x, Op("-", (_ONE, exponential)))))
        self._relatives[argument] = self._variable("relative", value)
        return self._relatives[argument]

    def _variable(self, wanted: str, value: Expr) -> Sym:
        name = self.binder.unique(wanted)
        self.assigned.append(Assigned(name, value))
        return Sym(name)


def _related(wanted: _Exponential, other: _Exponential, sign: float) -> Expr:
    """Whether the slopes are as `sign` to 1 and the constants near enough: 1 or 0 if literals decide, else a test."""
    ratio = Op("/", (wanted.slope, other.slope))
    same = Op("<", (Call("abs", (Op("-", (ratio, Num(sign))),)), Num(_SAME)))
    near = Op("<", (Call("abs", (_distance(wanted, other, sign),)), Num(_FARTHEST)))
    parts = [Num(float(evaluate(test))) if _is_literal(test) else test for test in (same, near)]
    if Num(0.0) in parts:
        return Num(0.0)
    open_ones = [part for part in parts if part != _ONE]
    return Op("and", (same, near)) if len(open_ones) == 2 else open_ones[0] if open_ones else _ONE


def _distance(wanted: _Exponential, other: _Exponential, sign: float) -> Expr:
    return Op("-" if sign > 0.0 else "+", (wanted.constant, other.constant))


def _ratio(wanted: _Exponential, other: _Exponential, sign: float) -> Expr:
    """exp of what lies between them: wanted = ratio * other, or ratio / other for opposite slopes."""
    return Call("exp", (_distance(wanted, other, sign),))


def _by(other: _Exponential, sign: float, factor: Expr) -> Expr:
    return Op("*" if sign > 0.0 else "/", (factor, Sym(other.name)))


def _is_literal(expr: Expr) -> bool:
    return all(isinstance(leaf, Num) for leaf in leaves(expr))


def _is_number(expr: Expr, value: float) -> Expr:
    test = Op("==", (expr, Num(value)))
    return Num(float(evaluate(test))) if _is_literal(test) else test


def _cases(cases: Sequence[tuple[Expr, Expr]], default: Expr) -> Expr:
    """A choice without the cases that literals decide."""
    kept: list[tuple[Expr, Expr]] = []
    for test, value in cases:
        if test == _ONE:
            default = value
            break
        if test != Num(0.0):
            kept.append((test, value))
    return Cases(tuple(kept), default) if kept else default
