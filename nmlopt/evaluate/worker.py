"""What runs inside a worker process: one problem, a live program, and a limit on what one candidate may use.

The limits are interval timers whose signals end the process by their default action, so that they hold inside compiled
code too: ITIMER_PROF counts CPU time and does not depend on the machine's load, ITIMER_REAL is the safety net.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass

from nmlopt.backend import Floats
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.evaluate.model import Evaluation, Problem

_ORPHAN_CHECK_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one candidate may use: CPU seconds, and wall-clock seconds far above them."""

    cpu_s: float
    wall_s: float


@dataclass
class _Held:
    """What this process holds: set once, by `start`."""

    problem: Problem | None = None
    limits: Limits | None = None


_HELD = _Held()


def start(problem: Problem, limits: Limits) -> None:
    """Make this process a worker: Ctrl-C is the parent's affair, and it does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    _HELD.problem, _HELD.limits = problem, limits


def evaluate(x: Floats) -> tuple[Evaluation, ...]:
    """Evaluate rows of `x` (n, n_free) one after the other, each within its limits."""
    problem, limits = _HELD.problem, _HELD.limits
    if problem is None or limits is None:
        message = "this process was not started as a worker"
        raise RuntimeError(message)
    found: list[Evaluation] = []
    for row in range(len(x)):
        signal.setitimer(signal.ITIMER_PROF, limits.cpu_s)
        signal.setitimer(signal.ITIMER_REAL, limits.wall_s)
        try:
            found.extend(evaluate_batch(problem, x[row : row + 1]))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            signal.setitimer(signal.ITIMER_REAL, 0.0)
    return tuple(found)


def _end_with_parent(parent: int) -> None:
    """Leave when the parent is gone, however it ended."""
    while os.getppid() == parent:
        time.sleep(_ORPHAN_CHECK_S)
    os._exit(1)
