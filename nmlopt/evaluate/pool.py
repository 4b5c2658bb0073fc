"""Many candidates on sandboxed worker processes: a crash, a hang or a leak costs the candidate that caused it only.

Each worker has a pipe of its own and answers every row by itself, so that the row in which it died is known at once,
whatever the exit code (a simulator's `quit` gives 0). Rows that were simulated together when it died are tried again in
halves, until the culprit stands alone. A crash counts only when it is the first thing that a new process does: one that
has already worked may die of what earlier candidates left behind (leaked memory, a damaged heap).
"""

from __future__ import annotations

import math
import pickle
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import final

from nmlopt.backend import Floats, RunStatus
from nmlopt.errors import BackendError, Issue
from nmlopt.evaluate.evaluate import batch_size, evaluate_together, failed
from nmlopt.evaluate.model import Evaluation, Problem
from nmlopt.evaluate.process import WorkerProcess, heard_of
from nmlopt.evaluate.worker import READY, SIMULATED

_CHUNKS_PER_WORKER = 4
_MAX_CHUNK = 16
_WALL_FACTOR = 20.0
_MIN_WALL_S = 60.0
_START_S = 300.0
_MAX_FAILED_STARTS = 3
_LOOK_S = 1.0

OnDone = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Again:
    """Rows to be simulated once more, together; in a process that has done nothing else if a worker died in them."""

    rows: tuple[int, ...]
    in_new_process: bool


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows `x` (n, n_free) being evaluated: the numbers of those nobody has yet, and what was found of the others."""

    x: Floats
    tell: OnDone
    waiting: deque[int]
    again: list[_Again] = field(default_factory=list)
    found: dict[int, Evaluation] = field(default_factory=dict)

    def record(self, row: int, evaluation: Evaluation) -> None:
        self.found[row] = evaluation
        self.tell(len(self.found))


@final
class Evaluator:
    """Evaluates candidates on `workers` processes that keep their compiled program; a context manager.

    `timeout_s` is the CPU time that one candidate may use, `wall_s` the wall-clock time (default: 20 times that, at
    least a minute); candidates that are simulated together may use the sum of their CPU times. With 0 workers
    everything runs in this process, without limits. Results are in order and do not depend on the number of workers.
    Scripts need `if __name__ == "__main__":`, as workers import the main module.
    """

    def __init__(self, problem: Problem, workers: int, timeout_s: float = 60.0, *, wall_s: float | None = None) -> None:
        self._problem = problem
        self._size = batch_size(problem)
        self._wanted = workers
        self._cpu_s = timeout_s
        self._wall_s = wall_s or max(_MIN_WALL_S, _WALL_FACTOR * timeout_s)
        self._pickled = b""
        self._workers: list[WorkerProcess] = []
        self._failed_starts = 0
        self._is_open = False

    def __enter__(self) -> Evaluator:
        if self._wanted > 0:
            self._pickled = pickle.dumps(self._problem, pickle.HIGHEST_PROTOCOL)
        self._is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_open = False
        for worker in self._workers:
            worker.dismiss()
        for worker in self._workers:
            worker.wait()
        self._workers.clear()

    def evaluate(self, x: Floats, on_done: OnDone | None = None) -> tuple[Evaluation, ...]:
        """One evaluation per row of `x` (n, n_free), in order; `on_done` gets the number done so far, after each.

        Raises BackendError B090 when workers cannot even start, and the backend's own NmloptError.
        """
        if not self._is_open:
            message = "an Evaluator is a context manager: with Evaluator(...) as evaluator: evaluator.evaluate(x)"
            raise RuntimeError(message)
        batch = _Batch(x, on_done or (lambda _: None), deque(range(len(x))))
        try:
            self._evaluate(batch)
        except BaseException:  # Ctrl-C too: nobody waits any more for what workers are doing
            for worker in self._workers:
                worker.kill()
            self._workers.clear()
            raise
        return tuple(batch.found[row] for row in range(len(x)))

    def _evaluate(self, batch: _Batch) -> None:
        if self._wanted <= 0:
            for start in range(0, len(batch.x), self._size):
                for evaluation in evaluate_together(self._problem, batch.x[start : start + self._size]):
                    batch.record(len(batch.found), evaluation)
            return
        looked = time.monotonic()
        while len(batch.found) < len(batch.x):
            self._give_work(batch)
            deadline = min(self._deadline(worker) for worker in self._workers)
            for worker in heard_of(self._workers, min(deadline - time.monotonic(), _LOOK_S)):
                self._listen(worker, batch)
            looked = self._looked_again(looked)
            for worker in [w for w in self._workers if self._deadline(w) < time.monotonic()]:
                if not heard_of([worker], 0.0):  # it was `tell` that took so long
                    self._give_up(worker, batch)

    def _give_work(self, batch: _Batch) -> None:
        """Start missing workers; give idle ones rows, fewer at a time as they run out, so that all end together."""
        undone = len(batch.x) - len(batch.found)
        for _ in range(len(self._workers), min(self._wanted, undone)):
            self._workers.append(WorkerProcess(self._pickled, self._cpu_s))
        for worker in tuple(self._workers):
            if not worker.is_ready or worker.groups:
                continue
            again = next((a for a in batch.again if worker.answered == 0 or not a.in_new_process), None)
            if again is not None:
                batch.again.remove(again)
                worker.give([again.rows], batch.x)
            elif len(batch.again) > sum(w.answered == 0 and not w.groups for w in self._workers):
                worker.kill()
                self._workers.remove(worker)
                self._workers.append(WorkerProcess(self._pickled, self._cpu_s))
            elif batch.waiting:
                worker.give(self._next_groups(batch.waiting), batch.x)

    def _next_groups(self, waiting: deque[int]) -> list[tuple[int, ...]]:
        """The groups that a worker is given next, taken from `waiting`: one, or several of one row each."""
        if self._size > 1:
            return [_taken(waiting, min(self._size, math.ceil(len(waiting) / self._wanted)))]
        size = min(_MAX_CHUNK, math.ceil(len(waiting) / (self._wanted * _CHUNKS_PER_WORKER)))
        return [(row,) for row in _taken(waiting, size)]

    def _looked_again(self, before: float) -> float:
        """Now (monotonic seconds); time in which nobody looked, as everything was stopped (Ctrl-Z), does not count."""
        now = time.monotonic()
        for worker in self._workers:
            worker.heard += max(0.0, now - before - _LOOK_S)
        return now

    def _deadline(self, worker: WorkerProcess) -> float:
        """When `worker` is overdue (monotonic seconds)."""
        if worker.groups:
            return worker.heard + self._wall_s
        return math.inf if worker.is_ready else worker.heard + _START_S

    def _listen(self, worker: WorkerProcess, batch: _Batch) -> None:
        message = worker.receive()
        if isinstance(message, Evaluation):
            batch.record(worker.answer(), message)
        elif isinstance(message, Exception):
            raise message
        elif message == SIMULATED:
            worker.is_judging = True
        elif message == READY:
            worker.is_ready = True
            self._failed_starts = 0
        else:
            self._bury(worker, batch, _end(worker.exit_code(), self._cpu_s))

    def _give_up(self, worker: WorkerProcess, batch: _Batch) -> None:
        """End a worker that is overdue by the wall clock."""
        worker.kill()
        seconds = self._wall_s if worker.is_ready else _START_S
        self._bury(worker, batch, (RunStatus.TIMED_OUT, f"did not end within {seconds:g} s", 0.0))

    def _bury(self, worker: WorkerProcess, batch: _Batch, end: tuple[RunStatus, str, float]) -> None:
        """The row a dead worker was at has failed with `end`, or is tried again; the others go back to be done."""
        self._workers.remove(worker)
        status, text, cpu_s = end
        if worker.groups:
            group = tuple(worker.groups.popleft())
            batch.waiting.extendleft(reversed([row for rows in worker.groups for row in rows]))
            at, left = (group[:1], group[1:]) if worker.is_judging else (group, ())
            has_worked = worker.answered > 0 or worker.is_judging
            crashed = status is RunStatus.CRASHED
            if crashed and has_worked:
                batch.again.append(_Again(at, in_new_process=True))
            elif len(at) == 1:
                x = tuple(float(value) for value in batch.x[at[0]])
                batch.record(at[0], failed(self._problem, x, status, text, cpu_s))
            else:
                half = len(at) // 2
                batch.again.extend(_Again(part, in_new_process=crashed) for part in (at[:half], at[half:]))
            if left:
                batch.again.append(_Again(left, in_new_process=False))
        elif not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= _MAX_FAILED_STARTS:
                hint = "in Python, nmlopt.fit(..., workers=0) shows why; a script needs `if __name__ == '__main__':`"
                raise BackendError(Issue("B090", f"the worker processes cannot start: {text}", hint=hint))


def _taken(rows: deque[int], count: int) -> tuple[int, ...]:
    return tuple(rows.popleft() for _ in range(count))


def _end(exit_code: int, cpu_limit_s: float) -> tuple[RunStatus, str, float]:
    """What a worker that died while it was at a candidate says of it: status, text, CPU seconds as far as known."""
    if exit_code == -signal.SIGPROF:
        return RunStatus.TIMED_OUT, f"used more than {cpu_limit_s:g} s of CPU time", cpu_limit_s
    if exit_code == -signal.SIGKILL:
        return RunStatus.CRASHED, "the worker process was killed (SIGKILL), most often because memory ran out", 0.0
    if exit_code >= 0:
        return RunStatus.CRASHED, f"the worker process ended with exit code {exit_code}", 0.0
    known = {s.value: s.name for s in signal.Signals}
    return RunStatus.CRASHED, f"the worker process ended with {known.get(-exit_code, f'signal {-exit_code}')}", 0.0
