"""The search itself: ask, evaluate, tell, until a rule ends it. What is kept on disk is the callback's affair."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nmlopt.optimise.model import Algorithm, AlgorithmSettings, Floats, State
from nmlopt.optimise.state import Search, read
from nmlopt.optimise.stopping import Progress, StopRule, reason

FOUNDERS = 20


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation, evaluated and selected. `state` is all that is needed to go on after it.

    `number` from 1. `candidates` (n, n_free) in [0, 1], `objectives` (n, n_objectives): all that were evaluated in it.
    `stop` says why the search ends after this generation; None: it goes on.
    """

    number: int
    candidates: Floats
    objectives: Floats
    state: State
    progress: Progress
    stop: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last state of a search and why it ended."""

    state: State
    progress: Progress
    stop: str


def search(
    algorithm: Algorithm,
    state: State,
    evaluate: Callable[[Floats], Floats],
    rule: StopRule,
    *,
    on_generation: Callable[[Generation], None],
    seconds_before: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Search from `state` until `rule` ends it; `on_generation` is called once after each `tell`.

    The state handed to it is what a resumed search starts from. An exception, also `KeyboardInterrupt`, out of
    `evaluate` or the callback passes through: the generation in flight is lost, and asking the last state again gives
    the same candidates. `seconds_before`: wall time of earlier sessions, counted by the rule.
    """
    begin = clock() - seconds_before
    _, candidates = algorithm.ask(state)
    now = _progress(read(state), len(candidates), clock() - begin)
    stop = reason(rule, now)
    while stop is None:
        asked, candidates = algorithm.ask(state)
        objectives = evaluate(candidates)
        state = algorithm.tell(asked, candidates, objectives)
        held = read(state)
        now = _progress(held, held.settings.offspring, clock() - begin)
        stop = reason(rule, now)
        on_generation(Generation(held.generation, candidates, objectives, state, now, stop))
    return Outcome(state, now, stop)


def founded(
    algorithm: Algorithm, settings: AlgorithmSettings, *, candidates: Floats, objectives: Floats, seed: int
) -> State:
    """The state of a search whose first population is selected from what is known already, as after new weights.

    `candidates` (n, n_free) in [0, 1], n at least the population size, with their `objectives` (n, n_objectives) as
    they are judged now. They count as generation 1 and as its evaluations. Of more than `FOUNDERS` times the
    population size those of the least sums are considered, as memory grows with the square of their number.
    """
    n_free, n_objectives = candidates.shape[1], objectives.shape[1]
    order = np.argsort(objectives.sum(axis=1), kind="stable")[: FOUNDERS * settings.offspring]
    first = np.empty((0, n_free))
    state = algorithm.start(settings, n_free=n_free, n_objectives=n_objectives, seed=seed, first=first)
    return algorithm.tell(state, candidates[order], objectives[order])


def _progress(held: Search, next_evaluations: int, seconds: float) -> Progress:
    return Progress(
        generations=held.generation,
        evaluations=held.evaluations,
        next_evaluations=next_evaluations,
        seconds=seconds,
        best_sums=held.best_sums,
        best_worsts=held.best_worsts,
    )
