"""The search of a run: asks an algorithm, evaluates on workers, stores each generation, tells how far it is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from nmlopt.backend import RunStatus
from nmlopt.evaluate.model import Evaluation, Problem
from nmlopt.evaluate.pool import Evaluator
from nmlopt.optimise.loop import Generation, search
from nmlopt.optimise.model import AlgorithmSettings, Floats, State
from nmlopt.optimise.registry import load_algorithm
from nmlopt.optimise.stopping import StopRule
from nmlopt.results.store import RunStore

DEFAULT_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched with: the algorithm and its settings, the seeds, and whether the document's values join in."""

    algorithm: AlgorithmSettings = field(default_factory=AlgorithmSettings)
    seeds: tuple[int, ...] = (1,)
    starts_from_present: bool = True


@dataclass(frozen=True, slots=True)
class Machine:
    """How the work is spread: worker processes (None: all cores are busy), and CPU seconds one candidate may use."""

    workers: int | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S

    def processes(self, threads: int = 1) -> int:
        """The number of worker processes where each has so many threads."""
        if self.workers is not None:
            return self.workers
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores // threads)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a fit is.

    `best_sum`, `best_worst`: least sum of objectives so far, and the largest objective of that candidate, in sd.
    `rate`: evaluations per second of this session. `seconds_left`: None where no number of generations is set.
    """

    seed: int
    generation: int
    generations: int | None
    done: int
    asked: int
    evaluations: int
    best_sum: float | None
    best_worst: float | None
    failures: int
    rate: float
    seconds_left: float | None
    generation_is_done: bool


OnProgress = Callable[[Progress], None]


@dataclass
class _Tally:
    """What the progress line shows of one seed; counts of this session and of the stored generations."""

    seed: int
    rule: StopRule
    on_progress: OnProgress
    generation: int
    evaluations: int
    failures: int
    best: tuple[float, float] | None
    begin: float = field(default_factory=time.monotonic)
    session: int = 0
    asked: int = 0

    def candidate(self, done: int) -> None:
        """One more candidate of the present generation is evaluated."""
        self._show(done, is_done=False)

    def generation_done(self, evaluations: tuple[Evaluation, ...]) -> None:
        """A generation is evaluated and stored."""
        self.generation += 1
        self.evaluations += len(evaluations)
        self.session += len(evaluations)
        self.failures += sum(e.status is not RunStatus.OK for e in evaluations)
        found = [(e.total, max(e.objectives)) for e in evaluations if e.status is RunStatus.OK]
        self.best = min([*found, *([self.best] if self.best else [])], default=None)
        self._show(len(evaluations), is_done=True)

    def _show(self, done: int, *, is_done: bool) -> None:
        current = 0 if is_done else done
        rate = (self.session + current) / max(time.monotonic() - self.begin, 1e-9)
        left = None
        if self.rule.generations is not None and rate > 0:
            left = ((self.rule.generations - self.generation) * self.asked - current) / rate
        self.on_progress(
            Progress(
                seed=self.seed,
                generation=self.generation + (not is_done),
                generations=self.rule.generations,
                done=done,
                asked=self.asked,
                evaluations=self.evaluations + current,
                best_sum=self.best[0] if self.best else None,
                best_worst=self.best[1] if self.best else None,
                failures=self.failures,
                rate=rate,
                seconds_left=left,
                generation_is_done=is_done,
            )
        )


def search_all(
    store: RunStore,
    problem: Problem,
    what: Search,
    rule: StopRule,
    machine: Machine,
    on_progress: OnProgress,
    after_generation: Callable[[int, int], None] = lambda seed, number: None,
) -> None:
    """Search with every seed, each from its last stored generation on; the reason of its end is stored.

    `after_generation` is told the seed and the number of the generation it goes on from, and of each that is stored.
    KeyboardInterrupt passes through: everything but the generation in flight is stored then.
    """
    workers = machine.processes(problem.program.settings.threads)
    with Evaluator(problem, workers=workers, timeout_s=machine.timeout_s) as evaluator:
        for seed in what.seeds:
            _search_seed(store, problem, evaluator, what, rule, seed, on_progress, after_generation)


def first_state(problem: Problem, what: Search, seed: int, first: Floats | None = None) -> State:
    """The state before the first generation; `first` (k, n_free) in parameter units join the start population."""
    n_free = len(problem.parameters.free)
    if first is None:
        first = problem.parameters.present()[np.newaxis, :] if what.starts_from_present else np.empty((0, n_free))
    return load_algorithm(what.algorithm.name).start(
        what.algorithm,
        n_free=n_free,
        n_objectives=len(problem.objective_ids),
        seed=seed,
        first=problem.parameters.to_unit_interval(first),
    )


def _search_seed(
    store: RunStore,
    problem: Problem,
    evaluator: Evaluator,
    what: Search,
    rule: StopRule,
    seed: int,
    on_progress: OnProgress,
    after_generation: Callable[[int, int], None],
) -> None:
    stored = store.last_state(seed)
    number, state = stored if stored is not None else (0, first_state(problem, what, seed))
    after_generation(seed, number)
    before = next(p for p in store.progress() if p.seed == seed)
    tally = _tally(store, rule, seed, on_progress)
    latest: list[tuple[Evaluation, ...]] = []
    clock = [time.monotonic()]

    def evaluate(unit: Floats) -> Floats:
        tally.asked = len(unit)
        candidates = problem.parameters.from_unit_interval(unit)
        evaluations = evaluator.evaluate(candidates, tally.candidate)
        latest[:] = [evaluations]
        return np.array([e.objectives for e in evaluations])

    def keep(generation: Generation) -> None:
        nonlocal number
        number += 1
        now = time.monotonic()
        store.commit_generation(seed, number, latest[0], generation.state, now - clock[0])
        clock[0] = now
        tally.generation_done(latest[0])
        after_generation(seed, number)

    outcome = search(
        load_algorithm(what.algorithm.name),
        state,
        evaluate,
        rule,
        on_generation=keep,
        seconds_before=before.wall_s,
    )
    store.set_stop_reason(seed, outcome.stop)


def _tally(store: RunStore, rule: StopRule, seed: int, on_progress: OnProgress) -> _Tally:
    table = store.table()
    mine = table.seeds == seed
    good = table.objectives[mine & table.ok]
    best = None
    if len(good):
        row = good[np.argmin(good.sum(axis=1))]
        best = (float(row.sum()), float(row.max()))
    return _Tally(
        seed=seed,
        rule=rule,
        on_progress=on_progress,
        generation=int(table.generations[mine].max(initial=0)),
        evaluations=int(mine.sum()),
        failures=int((mine & ~table.ok).sum()),
        best=best,
    )
