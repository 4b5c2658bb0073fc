"""A simulation in a process of its own: a simulator that crashes ends that process, not the command."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection

from nmlopt.backend import Backend, Floats, Program, Recordings, RunStatus
from nmlopt.errors import NmloptError
from nmlopt.evaluate.process import is_ours
from nmlopt.evaluate.worker import settle
from nmlopt.experiment.model import Experiment

Given = tuple[Backend, Program, Sequence[Experiment], Floats]
Answer = tuple[Recordings, ...] | NmloptError


def simulate_apart(
    backend: Backend, program: Program, experiments: Sequence[Experiment], values: Floats
) -> tuple[Recordings, ...]:
    """`backend.simulate`, one `Recordings` per row of `values` (n, n_slots), whatever happens to the process.

    A crash, or an exception that is none of ours, is a failure of every row. Raises NmloptError as the backend does.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([name for name in sys.modules if is_ours(name)])
    mine, theirs = context.Pipe()
    given = pickle.dumps((backend, program, tuple(experiments), values))
    process = context.Process(target=_serve, args=(theirs, given), name="nmlopt simulation", daemon=True)
    process.start()
    theirs.close()
    try:
        answer: Answer = mine.recv()
    except (EOFError, OSError):
        process.join()
        return tuple(Recordings(RunStatus.FAILED, {}, _end(process.exitcode)) for _ in values)
    finally:
        mine.close()
        process.kill()
        process.join()
    if isinstance(answer, NmloptError):
        raise answer
    return answer


def _serve(connection: Connection, given: bytes) -> None:
    settle()
    backend, program, experiments, values = pickle.loads(given)  # from our parent, by a pipe of its own
    try:
        answer: Answer = backend.simulate(program, experiments, values)
    except NmloptError as error:
        answer = error
    except Exception as error:  # a simulator may raise anything for odd numbers
        answer = tuple(Recordings(RunStatus.FAILED, {}, f"{type(error).__name__}: {error}") for _ in values)
    connection.send(answer)


def _end(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"the simulator crashed ({signal.Signals(-exit_code).name})"
    return f"the simulator ended its process with code {exit_code}"
