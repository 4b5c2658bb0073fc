"""Where a native kernel spends its time, from one that is compiled to look at the clock (-DNMLOPT_PHASES).

Where chains of compartments are lanes, gates that are looked up add their currents in the same pass that eliminates:
'tables' has both there, and reading the clock at each row keeps rows from overlapping, so that shares are rough.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

import numpy as np

from nmlopt.evaluate.model import Problem
from nmlopt.exporters.native.build import LIBRARY, compiler

TITLES = (
    "", "setting up", "making tables", "tables", "rates and states", "assembly", "elimination", "pools",
    "choice of steps", "output",
)  # fmt: skip
"""Of the phases in `templates/phases.h.j2`, in their order; the first is what is not in the kernel."""
CLOCK_S = 0.05


def phases(problem: Problem, x: np.ndarray, rounds: int) -> dict[str, float]:
    """Milliseconds per candidate of each phase, the least of `rounds`: time by the clock, in a thread of its own."""
    settings = replace(problem.program.settings, threads=1)
    with timed_kernels():
        program = problem.backend.compile(problem.program.cell, settings)
    take = ctypes.CDLL(str(program.folder / LIBRARY)).take_phases
    take.argtypes = (ctypes.POINTER(ctypes.c_double),)
    values, ticks = problem.parameters.values(x), (ctypes.c_double * len(TITLES))()
    problem.backend.simulate(program, problem.sampled, values)
    per_ms, best = ticks_per_ms(take, ticks), np.full(len(TITLES), np.inf)
    for _ in range(rounds):
        take(ticks)
        problem.backend.simulate(program, problem.sampled, values)
        take(ticks)
        best = np.minimum(best, np.array(ticks[:]) / (per_ms * len(x)))
    return {title: float(spent) for title, spent in zip(TITLES[1:], best[1:], strict=True) if spent > 0.0}


@contextmanager
def timed_kernels() -> Iterator[None]:
    """Kernels that are compiled inside look at the clock; they do not get in the way of others in the cache."""
    with mock.patch.dict(os.environ, {"CC": " ".join((*compiler(), "-DNMLOPT_PHASES"))}):
        yield


def ticks_per_ms(take: ctypes._CFuncPtr, ticks: ctypes.Array[ctypes.c_double]) -> float:
    """Of the kernel's clock."""
    take(ticks)
    begin = time.perf_counter()
    time.sleep(CLOCK_S)
    take(ticks)
    return float(ticks[0] / (1e3 * (time.perf_counter() - begin)))
