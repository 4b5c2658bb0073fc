"""A worker process as its parent sees it: given rows, heard of, found dead, replaced."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_any
from typing import final

from nmlopt.backend import Floats
from nmlopt.evaluate import worker
from nmlopt.evaluate.model import Evaluation

_JOIN_S = 5.0


@final
class WorkerProcess:
    """A process that simulates groups of rows one after another and answers each row.

    `groups`: numbers of the rows it was given and has not answered, the first group in work. `is_judging`: the rows of
    that group, several, are simulated, and the first of them is in work. `heard`: when it last gave a sign of life
    (monotonic seconds). `is_ready`: whether it has set up the problem. `answered`: rows so far.
    """

    def __init__(self, problem: bytes, cpu_s: float) -> None:
        # A server that has our modules loaded and forks: a replacement is there in milliseconds.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([name for name in sys.modules if is_ours(name)])
        self._connection, theirs = context.Pipe()
        arguments = (theirs, problem, cpu_s)
        self._process = context.Process(target=worker.main, args=arguments, name="nmlopt worker", daemon=True)
        self.groups: deque[deque[int]] = deque()
        self.is_judging = False
        self.is_ready = False
        self.answered = 0
        resource_tracker.ensure_running()  # it would undo the next line
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited: no Ctrl-C before it is set up
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        theirs.close()
        self.heard = time.monotonic()

    def give(self, groups: Sequence[Sequence[int]], x: Floats) -> None:
        """Send groups of rows of `x`, by their numbers, to work on; if it has just died, `receive` will tell."""
        self.groups.extend(deque(group) for group in groups)
        try:
            self._connection.send([x[list(group)] for group in groups])
        except OSError:
            return
        self.heard = time.monotonic()

    def answer(self) -> int:
        """The number of the row that an evaluation just received is of."""
        row = self.groups[0].popleft()
        self.answered += 1
        if not self.groups[0]:
            self.groups.popleft()
            self.is_judging = False
        return row

    def receive(self) -> Evaluation | Exception | str | None:
        """What it says next (see `worker.READY`), None if it is dead. Blocks unless `heard_of` named it."""
        try:
            message: Evaluation | Exception | str = self._connection.recv()
        except (EOFError, OSError):
            return None
        self.heard = time.monotonic()
        return message

    def exit_code(self) -> int:
        """How a dead one ended: the code, or minus the signal."""
        self.wait()
        return -signal.SIGKILL if self._process.exitcode is None else self._process.exitcode

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.join()
        self.dismiss()

    def dismiss(self) -> None:
        """Tell it to end, which it does as soon as it is idle."""
        self._connection.close()

    def wait(self) -> None:
        """Wait until one that was dismissed or has died is gone; `kill` it if it does not go."""
        self._process.join(_JOIN_S)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self.dismiss()

    @property
    def connection(self) -> Connection:
        """Readable when it has said something or has died."""
        return self._connection


def heard_of(workers: Sequence[WorkerProcess], timeout_s: float) -> list[WorkerProcess]:
    """Those that have something to `receive`, waiting for the first of them at most that long."""
    ready = wait_for_any([w.connection for w in workers], max(0.0, timeout_s))
    return [w for w in workers if w.connection in ready]


def is_ours(name: str) -> bool:
    """Whether a module is of this package, so that processes had better share it."""
    return name.partition(".")[0] == __name__.partition(".")[0] and not name.endswith("__main__")
