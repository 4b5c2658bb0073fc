"""Spike sources of a document, interpreted from their equations: when each of their spikes is emitted.

Conditions are tested at the end of each step, as in LEMS, at the times that a simulator reaches by adding up its steps.
Between two events the states of most sources stand still or grow evenly (the time since the last spike), so that whole
stretches of steps are tested at once; other states are stepped by forward Euler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, final

import numpy as np
import numpy.typing as npt

from nmlopt.ir.flat import Flat
from nmlopt.ir.input_events import Firing
from nmlopt.ir.inputs import is_input, lower_spike_source
from nmlopt.lems.evaluate import Evaluator, Value, compile_expression
from nmlopt.lems.expression import Call, Expr, Num, Op, Sym
from nmlopt.lems.resolve import Components
from nmlopt.lems.trees import names, parts, rebuild

Floats = npt.NDArray[np.float64]
_FIRST_STRETCH: Final = 256
_NEVER: Final = 1 << 62


def spike_times(
    known: Components, component: str, duration_ms: float, dt_ms: float, seed: int = 0
) -> tuple[float, ...]:
    """When the component of that id emits spikes (ms, ascending), until `duration_ms`.

    A spike source, or an input that makes its own spikes (a Poisson firing synapse). `random()` draws from numpy's
    default generator with `seed`: the same seed gives the same spikes on any machine.

    A source fires at the ends of steps. An input takes its own events at the moment within the step at which its
    condition `t >= time` begins to hold, as a simulator delivers them. Raises LemsError I072 if the component makes no
    spikes, and those of its equations.
    """
    flat, firings = lower_spike_source(known, component)
    source = _Source(flat, firings, seed)
    times_ms = step_times(duration_ms, dt_ms)
    fired = source.run(times_ms)
    if is_input(known, known.by_id[component][0]):
        return tuple(sorted(1e3 * moment for _, moment in fired))
    return tuple(float(times_ms[step]) for step, _ in fired)


def step_times(duration_ms: float, dt_ms: float) -> Floats:
    """The times (ms) of all whole steps, from 0, as NEURON reaches them: by two halves of a step each.

    Such a sum decides at which step `t > 50 ms` first holds, so a source and a simulator must sum alike.
    """
    steps = int(np.floor(duration_ms / dt_ms + 1e-6))
    halves = np.full(2 * steps + 1, 0.5 * dt_ms)
    halves[0] = 0.0
    summed: Floats = np.cumsum(halves)[::2]
    return summed


@final
class _Rule:
    """One condition with its compiled test and assignments."""

    def __init__(self, firing: Firing, written_out: dict[str, Expr]) -> None:
        test = _written_out(firing.test, written_out)
        self.test = compile_expression(test)
        self.reads = names(test)
        self.moments = [compile_expression(moment) for moment in _moments(test)]
        self.assignments = [(name, _written_out(value, written_out)) for name, value in firing.assignments]
        self.compiled = [(name, None if _is_random(e) else compile_expression(e)) for name, e in self.assignments]
        self.spikes = firing.spikes


@final
class _Source:
    """The states of one source and the rules that change them; times in seconds inside."""

    def __init__(self, flat: Flat, firings: Sequence[Firing], seed: int) -> None:
        self._random = np.random.default_rng(seed)
        table = {d.name: d.value for d in flat.definitions}
        self._rules = [_Rule(firing, table) for firing in firings]
        self._start = {s.name: _written_out(s.initial, table) for s in flat.states}
        moving = {s.name: _written_out(s.derivative, table) for s in flat.states if s.derivative is not None}
        steady = {name: expr for name, expr in moving.items() if not names(expr)}
        self._rates = {name: float(compile_expression(expr)({}, ())) for name, expr in steady.items()}
        self._derivatives = {name: compile_expression(e) for name, e in moving.items() if name not in steady}
        self._states: dict[str, float] = {}
        for name in self._start:
            self._initialise(name)
        self._since = 0.0

    def run(self, times_ms: Floats) -> list[tuple[int, float]]:
        """For each spike the step that ends with it, and the moment (s) within the step when its test began to hold."""
        times = 0.001 * times_ms
        return self._stepped(times) if self._derivatives else self._leaping(times)

    # ------------------------------------------------------------------------------------------ stepping

    def _stepped(self, times: Floats) -> list[tuple[int, float]]:
        fired: list[tuple[int, float]] = []
        for step in range(1, len(times)):
            here: dict[str, Value] = {"t": float(times[step - 1]), **self._states}
            dt = float(times[step] - times[step - 1])
            changes = {name: dt * float(rate(here, ())) for name, rate in self._derivatives.items()}
            changes |= {name: dt * rate for name, rate in self._rates.items()}
            for name, change in changes.items():
                self._states[name] += change
            self._since = float(times[step])
            fired += [(step, at) for at in self._test_all(times, step, set())]
        return fired

    def _leaping(self, times: Floats) -> list[tuple[int, float]]:
        """From one step at which a condition holds to the next."""
        fired: list[tuple[int, float]] = []
        hits = [self._next_hit(rule, times, 1) for rule in self._rules]
        while (step := min(hits, default=_NEVER)) < len(times):
            self._move(float(times[step]))
            changed: set[str] = set()
            fired += [(step, at) for at in self._test_all(times, step, changed)]
            for index, rule in enumerate(self._rules):
                if hits[index] <= step or rule.reads & changed:
                    hits[index] = self._next_hit(rule, times, step + 1)
        return fired

    def _next_hit(self, rule: _Rule, times: Floats, first: int) -> int:
        """The first step from `first` on at which a test holds if nothing else happens."""
        length = _FIRST_STRETCH
        while first < len(times):
            t = times[first : first + length]
            here: dict[str, Value] = {"t": t}
            for name, value in self._states.items():
                rate = self._rates.get(name, 0.0)
                here[name] = value + rate * (t - self._since) if rate else value
            holds = np.broadcast_to(np.asarray(rule.test(here, ())), len(t)) != 0.0
            if holds.any():
                return first + int(np.argmax(holds))
            first, length = first + length, 2 * length
        return _NEVER

    def _move(self, time: float) -> None:
        for name, rate in self._rates.items():
            self._states[name] += rate * (time - self._since)
        self._since = time

    def _test_all(self, times: Floats, step: int, changed: set[str]) -> list[float]:
        """Test every condition at one step, in order, and do what they say; the moments of the spikes that leave."""
        before, time = float(times[step - 1]), float(times[step])
        spikes: list[float] = []
        for rule in self._rules:
            if rule.test({"t": time, **self._states}, ()):
                begins = [float(moment({"t": time, **self._states}, ())) for moment in rule.moments]
                spikes += [max((m for m in begins if before < m <= time), default=time)] * rule.spikes
                for (name, expr), (_, compiled) in zip(rule.assignments, rule.compiled, strict=True):
                    here: Mapping[str, Value] = {"t": time, **self._states}
                    self._states[name] = float(compiled(here, ())) if compiled else self._value(expr, here)
                    changed.add(name)
        return spikes

    # ------------------------------------------------------------------------------------------ values

    def _initialise(self, name: str) -> None:
        """A state at the start, after those that its value is made of."""
        if name in self._states:
            return
        expr = self._start[name]
        for other in sorted(names(expr) & self._start.keys() - {name}):
            self._initialise(other)
        self._states[name] = self._value(expr, {"t": 0.0, name: 0.0, **self._states})

    def _value(self, expr: Expr, here: Mapping[str, Value]) -> float:
        """The value of an expression; every `random(x)` in it draws a number from [0, x)."""

        def drawn(part: Expr) -> Expr:
            match part:
                case Call("random", (limit,)):
                    return Num(float(self._random.random()) * self._value(limit, here))
            return rebuild(part, drawn)

        evaluate: Evaluator = compile_expression(drawn(expr))
        return float(evaluate(here, ()))


def _moments(test: Expr) -> list[Expr]:
    """What the time is compared with."""
    if isinstance(test, Op) and test.op in ("<", "<=", ">", ">="):
        left, right = test.args
        return [right] if left == Sym("t") else [left] if right == Sym("t") else []
    return [moment for part in parts(test) for moment in _moments(part)]


def _is_random(expr: Expr) -> bool:
    return (isinstance(expr, Call) and expr.function == "random") or any(_is_random(part) for part in parts(expr))


def _written_out(expr: Expr, table: Mapping[str, Expr]) -> Expr:
    if isinstance(expr, Sym):
        return _written_out(table[expr.name], table) if expr.name in table else expr
    return rebuild(expr, lambda part: _written_out(part, table))
