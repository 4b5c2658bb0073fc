"""What runs inside a worker process: one problem, a live program, and a limit on the CPU time of a candidate.

The limit is an interval timer whose signal ends the process by its default action, so that it holds inside compiled
code too. ITIMER_PROF counts the CPU time of this process and does not depend on the machine's load. Candidates that
are simulated together have the sum of their limits for that, and each what its share leaves for being judged.
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

from nmlopt.backend import Floats
from nmlopt.errors import BackendError, Issue, NmloptError
from nmlopt.evaluate.evaluate import evaluate_together
from nmlopt.evaluate.model import Problem

READY = "ready"
"""What a worker says once it holds its problem; after that, one `Evaluation` per row it is given, in order."""
SIMULATED = "simulated"
"""What it says before the first `Evaluation` of a group of several rows: from here on rows stand for themselves.

Instead of any of these it may send an NmloptError: what makes every candidate fail. It ends then.
"""

_LEAST_S = 0.05
"""CPU seconds that judging may take whatever simulating took: a group may share its limits unevenly."""


def main(connection: Connection, problem: bytes, cpu_s: float) -> None:
    """Serve lists of groups of candidates (n, n_free) from `connection` until it closes; `problem`: a pickled Problem.

    The rows of a group are simulated in one call.
    """
    settle()
    # OSError, EOFError: the parent has closed its end, nobody waits for what is left
    with contextlib.suppress(OSError, EOFError):
        try:
            held = _prepared(problem)
            connection.send(READY)
            while True:
                for group in connection.recv():
                    _serve(connection, held, group, cpu_s)
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
        raise BackendError(Issue("B090", message, hint="in Python, nmlopt.fit(..., workers=0) shows why")) from error
    return held


def _serve(connection: Connection, problem: Problem, x: Floats, cpu_s: float) -> None:
    """Evaluate and answer the rows of one group."""
    has_told = len(x) == 1

    def before_row(share: float) -> None:
        nonlocal has_told
        if len(x) > 1:
            signal.setitimer(signal.ITIMER_PROF, max(cpu_s - share, _LEAST_S))
        if not has_told:
            connection.send(SIMULATED)
            has_told = True

    signal.setitimer(signal.ITIMER_PROF, cpu_s * len(x))
    try:
        for evaluation in evaluate_together(problem, x, before_row):
            connection.send(evaluation)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def settle() -> None:
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
