"""Splits bind-time numbers from run-time equations.

Every largest subexpression over numbers, slots, temperature and a placement's own numbers is computed once, when values
are bound: with nothing bound in it, it is folded to a literal now, by the same arithmetic (`lems.evaluate`) on the same
tree; otherwise it becomes a parameter. So a program with a slot and one without run the same operations at run time.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from nmlopt.errors import Issue, LemsError
from nmlopt.ir.flat import Bound, Flat, Structural
from nmlopt.ir.model import Assigned, Condition, Dynamics, KineticScheme, OnEvent, Regime, State, Transition
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Call, Expr, Num, Op, SlotRef, Sym
from nmlopt.lems.trees import leaves, parts, rebuild, substitute

MAX_SIZE = 100_000
TEMPERATURE = "temperature"
TEMPERATURE_PARAMETER = "temperature_K"
_TRUTH = frozenset({"<", ">", "<=", ">=", "==", "!=", "and", "or", "not"})


def split(flat: Flat, wanted: Collection[str] = ()) -> Bound:
    """Run-time dynamics and parameters of a flattened component; `wanted` stay variables even if they are constant.

    Raises LemsError L032: a number is not finite.
    """
    binder = _Binder(flat, wanted)
    assigned = tuple(
        Assigned(d.name, binder.run_time(d.value, d.name)) for d in flat.definitions if d.name not in binder.bound
    )
    states = tuple(_state(s, binder) for s in flat.states)
    conditions = tuple(_condition(c, f"condition{i}", binder) for i, c in enumerate(flat.conditions, 1))
    regimes = tuple(_regime(r, binder) for r in flat.regimes)
    kinetics = tuple(_kinetics(k, binder) for k in flat.kinetics)
    events = tuple(OnEvent(e.port, _assignments(e.assignments, f"on_{e.port}", binder)) for e in flat.events)
    run_time = {s.name for s in states} | {a.name for a in assigned}
    dynamics = Dynamics(
        inputs=tuple(n for n in flat.inputs if n != TEMPERATURE),
        states=states,
        assigned=assigned,
        conditions=conditions,
        regimes=regimes,
        kinetics=kinetics,
        exposures=tuple((path, name) for path, name in flat.exposures if name in run_time),
        events=events,
    )
    return Bound(dynamics, tuple(binder.shared.items()), tuple(binder.own.items()))


class _Binder:
    """Finds and names the bind-time parts of one flattened component."""

    def __init__(self, flat: Flat, wanted: Collection[str]) -> None:
        self._own_names = {own.name for own in flat.own}
        self._taken = {d.name for d in flat.definitions} | self._own_names | {s.name for s in flat.states}
        self.bound: dict[str, Expr] = {}
        """Definitions that are known when values are bound, in terms of leaves."""
        self.shared: dict[str, Expr] = {}
        self.own: dict[str, Expr] = {}
        self._parameters: dict[Expr, str] = {}
        self._sizes: dict[str, int] = {}
        for definition in flat.definitions:
            if definition.name not in wanted and self._is_bound(definition.value):
                self.bound[definition.name] = self._resolved(definition.value, definition.name)

    def _is_bound(self, expr: Expr) -> bool:
        """Whether `expr` is known when values are bound (a truth value or a number)."""
        match expr:
            case Num() | SlotRef():
                return True
            case Call("random", _):
                return False  # it draws anew each time
            case Sym(name):
                return name in self.bound or name in self._own_names or name == TEMPERATURE
        return all(self._is_bound(part) for part in parts(expr))

    def run_time(self, expr: Expr, context: str) -> Expr:
        """`expr` with its bind-time parts replaced by literals and parameters, these named after `context`."""
        if self._is_bound(expr) and not (isinstance(expr, Op) and expr.op in _TRUTH):
            return self._parameter(expr, context)
        return rebuild(expr, lambda part: self.run_time(part, context))

    def _resolved(self, expr: Expr, context: str) -> Expr:
        """A bind-time expression over leaves alone; a number where it holds numbers only (that may be infinite)."""
        size = sum(self._sizes.get(leaf.name, 1) if isinstance(leaf, Sym) else 1 for leaf in leaves(expr))
        if size > MAX_SIZE:
            raise LemsError(Issue("L033", f"'{context}' expands to more than {MAX_SIZE} terms"))
        whole = _plain(substitute(expr, self.bound))
        if all(isinstance(leaf, Num) for leaf in leaves(whole)):
            whole, size = Num(float(evaluate(whole))), 1
        self._sizes[context] = size
        return whole

    def _parameter(self, expr: Expr, context: str) -> Expr:
        whole = self._resolved(expr, expr.name if isinstance(expr, Sym) else context)
        if isinstance(whole, Num):
            return Num(_finite(whole.value, context))
        read = tuple(leaves(whole))
        if expr in self._parameters:
            return Sym(self._parameters[expr])
        name = self._name(expr, context)
        self._parameters[expr] = name
        is_own = any(isinstance(leaf, Sym) and leaf.name in self._own_names for leaf in read)
        (self.own if is_own else self.shared)[name] = whole
        return Sym(name)

    def _name(self, expr: Expr, context: str) -> str:
        if isinstance(expr, Sym):
            return TEMPERATURE_PARAMETER if expr.name == TEMPERATURE else expr.name
        count = 1
        while f"{context}_k{count}" in self._taken:
            count += 1
        self._taken.add(f"{context}_k{count}")
        return f"{context}_k{count}"


def _finite(value: float, context: str) -> float:
    if not math.isfinite(value):
        raise LemsError(Issue("L032", f"a constant part of '{context}' is not a finite number ({value})"))
    return value


def _plain(expr: Expr) -> Expr:
    """Structural numbers as ordinary ones: nothing after this looks at them."""
    return Num(expr.value) if isinstance(expr, Structural) else rebuild(expr, _plain)


def _state(state: State, binder: _Binder) -> State:
    derivative = None if state.derivative is None else binder.run_time(state.derivative, f"d{state.name}")
    preset = None if state.preset is None else binder.run_time(state.preset, f"{state.name}_preset")
    return State(state.name, binder.run_time(state.initial, f"{state.name}_start"), derivative, preset)


def _condition(condition: Condition, context: str, binder: _Binder) -> Condition:
    return replace(
        condition,
        test=binder.run_time(condition.test, context),
        assignments=_assignments(condition.assignments, context, binder),
    )


def _assignments(
    assignments: tuple[tuple[str, Expr], ...], context: str, binder: _Binder
) -> tuple[tuple[str, Expr], ...]:
    return tuple((name, binder.run_time(value, f"{context}_{name}")) for name, value in assignments)


def _regime(regime: Regime, binder: _Binder) -> Regime:
    return replace(
        regime,
        derivatives=_assignments(regime.derivatives, f"{regime.name}_d", binder),
        on_entry=_assignments(regime.on_entry, regime.name, binder),
    )


def _kinetics(scheme: KineticScheme, binder: _Binder) -> KineticScheme:
    return KineticScheme(
        scheme.states,
        tuple(
            Transition(
                t.source,
                t.target,
                binder.run_time(t.forward, f"{t.source}_{t.target}"),
                binder.run_time(t.reverse, f"{t.target}_{t.source}"),
            )
            for t in scheme.transitions
        ),
    )
