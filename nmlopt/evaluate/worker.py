"""What runs inside a worker process: one problem, a live program, and a limit on the CPU time of one candidate.

The limit is an interval timer whose signal ends the process by its default action, so that it holds inside compiled
code too. ITIMER_PROF counts the CPU time of this process and does not depend on the machine's load.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import resource
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from nmlopt.errors import BackendError, Issue, NmloptError
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.evaluate.model import Evaluation, Problem

READY = "ready"
"""What a worker says once it holds its problem; after that, one `Evaluation` per row it is given, in order.

Instead of either it may send an NmloptError: what makes every candidate fail. It ends then.
"""


def main(connection: Connection, problem: bytes, cpu_s: float) -> None:
    """Serve rows of candidates (n, n_free) from `connection` until it closes; `problem` is a pickled Problem."""
    _settle()
    # OSError, EOFError: the parent has closed its end, nobody waits for what is left
    with contextlib.suppress(OSError, EOFError):
        try:
            held = _prepared(problem)
            connection.send(READY)
            while True:
                for row in connection.recv():
                    connection.send(_within(cpu_s, held, row))
        except NmloptError as error:
            connection.send(error)


def _prepared(problem: bytes) -> Problem:
    """The problem, with its program alive in this process: a first candidate costs no more than a later one.

    Raises BackendError B090 for whatever prevents that.
    """
    try:
        held: Problem = pickle.loads(problem)
        held.backend.simulate(held.program, held.experiments, np.empty((0, len(held.parameters.bindings))))
    except NmloptError:
        raise
    except Exception as error:
        message = f"a worker process cannot be set up: {type(error).__name__}: {error}"
        raise BackendError(Issue("B090", message, hint="try --workers 0 to see why")) from error
    return held


def _within(cpu_s: float, problem: Problem, row: np.ndarray) -> Evaluation:
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    try:
        return evaluate_batch(problem, row[np.newaxis, :])[0]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _settle() -> None:
    """Make this process a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGPROF})
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(
        OSError
    ):  # Linux: where memory runs out, a worker is to die, not the one who stores results
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # libraries print there (LAPACK its complaints), and it may be the parent's JSON
    os.close(silence)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave when the process that started this one is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
