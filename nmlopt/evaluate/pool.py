"""Many candidates on sandboxed worker processes: a crash, a hang or a leak costs the candidate that caused it only."""

from __future__ import annotations

import math
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import TracebackType
from typing import final

import numpy as np
from pebble import ProcessExpired, ProcessPool

from nmlopt.backend import Floats, RunStatus
from nmlopt.errors import BackendError, Issue
from nmlopt.evaluate import worker
from nmlopt.evaluate.evaluate import evaluate_batch, failed
from nmlopt.evaluate.model import Evaluation, Problem

_BATCHES_PER_WORKER = 4
_MAX_BATCH = 16
_WALL_FACTOR = 20.0
_MIN_WALL_S = 60.0

OnDone = Callable[[int], None]


@final
class Evaluator:
    """Evaluates candidates on `workers` processes that keep their compiled program; a context manager.

    `timeout_s` is the CPU time that one candidate may use, `wall_s` the wall-clock time (default: 20 times that, at
    least a minute). With 0 workers everything runs in this process, without limits. Results are in order and do not
    depend on the number of workers. Scripts need `if __name__ == "__main__":`, as workers import the main module.
    """

    def __init__(self, problem: Problem, workers: int, timeout_s: float = 60.0, *, wall_s: float | None = None) -> None:
        self._problem = problem
        self._workers = workers
        self._limits = worker.Limits(timeout_s, wall_s or max(_MIN_WALL_S, _WALL_FACTOR * timeout_s))
        self._pool: ProcessPool | None = None

    def __enter__(self) -> Evaluator:
        if self._workers > 0:
            # A server that has the libraries loaded and forks workers: a crashed one is replaced in milliseconds.
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([worker.__name__])
            self._pool = ProcessPool(
                max_workers=self._workers,
                initializer=worker.start,
                initargs=(self._problem, self._limits),
                context=context,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is None:
            return
        if error is None:
            self._pool.close()
        else:
            self._pool.stop()
        self._pool.join()
        self._pool = None

    def evaluate(self, x: Floats, on_done: OnDone | None = None) -> tuple[Evaluation, ...]:
        """One evaluation per row of `x` (n, n_free), in order; `on_done` gets the number done so far.

        Raises BackendError B090 when workers cannot even start.
        """
        tell = on_done or (lambda _: None)
        if self._workers <= 0:
            return self._here(x, tell)
        return self._spread(x, tell)

    def _here(self, x: Floats, tell: OnDone) -> tuple[Evaluation, ...]:
        found: list[Evaluation] = []
        for row in range(len(x)):
            found.extend(evaluate_batch(self._problem, x[row : row + 1]))
            tell(len(found))
        return tuple(found)

    def _spread(self, x: Floats, tell: OnDone) -> tuple[Evaluation, ...]:
        if self._pool is None:
            message = "use the Evaluator as a context manager"
            raise RuntimeError(message)
        pool = self._pool
        size = max(1, min(_MAX_BATCH, math.ceil(len(x) / (self._workers * _BATCHES_PER_WORKER))))
        found: dict[int, Evaluation] = {}
        waiting: dict[Future[tuple[Evaluation, ...]], tuple[int, int]] = {
            pool.schedule(worker.evaluate, args=(x[start : start + size],)): (start, min(start + size, len(x)))
            for start in range(0, len(x), size)
        }
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                start, stop = waiting.pop(future)
                try:
                    found.update(zip(range(start, stop), future.result(), strict=True))
                except ProcessExpired as death:
                    if stop - start == 1:
                        found[start] = self._dead(x[start], death.exitcode)
                    else:  # halves, until the culprit stands alone
                        middle = (start + stop) // 2
                        for a, b in ((start, middle), (middle, stop)):
                            waiting[pool.schedule(worker.evaluate, args=(x[a:b],))] = (a, b)
                except RuntimeError as error:
                    message = f"the worker processes cannot work: {error}"
                    raise BackendError(Issue("B090", message, hint="try --workers 0 to see why")) from error
                tell(len(found))
        return tuple(found[row] for row in range(len(x)))

    def _dead(self, row: Floats, exit_code: int) -> Evaluation:
        """What is said of a candidate in which the worker ended."""
        limits, x = self._limits, tuple(float(value) for value in np.asarray(row))
        if exit_code == -signal.SIGPROF:
            text = f"used more than {limits.cpu_s:g} s of CPU time"
            return failed(self._problem, x, RunStatus.TIMED_OUT, text, limits.cpu_s)
        if exit_code == -signal.SIGALRM:
            text = f"did not end within {limits.wall_s:g} s"
            return failed(self._problem, x, RunStatus.TIMED_OUT, text, 0.0)
        name = signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
        return failed(self._problem, x, RunStatus.CRASHED, f"the worker process ended with {name}", 0.0)
