"""The same problem at other settings: tighter ones of its backend, and those of the reference, NEURON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from nmlopt.api.problem import DEFAULT_BACKEND, settings_record
from nmlopt.api.searching import Machine
from nmlopt.backend import Accuracy, Floats, Integrator, Numerics, Settings
from nmlopt.errors import UnsupportedError
from nmlopt.evaluate.model import Problem
from nmlopt.evaluate.pool import Evaluator
from nmlopt.exporters import registry
from nmlopt.results.rescored import Rescored

REFERENCE_ATOL: Final = 1e-5
"""CVODE's absolute tolerance on NEURON."""
REFERENCE_PARTS: Final = 4
"""Where variable steps are refused, NEURON steps by a fourth of dt."""
_MORE_TIME: Final = 10.0
"""CPU time that a candidate may use, beside that of the search."""
_AT_ONCE: Final = 2
"""Candidates for each worker between two moments of storing; twice as many where they are simulated together."""


def tighter(settings: Settings) -> Settings:
    """A setting of the same backend whose error is a fraction of this one's.

    Adaptive steps: accuracy tight, and where it is that already, with half of dt. CVODE: a tenth of the tolerance.
    Fixed steps: half of dt. Never with tables of rates, whose error does not vanish.
    """
    plain = replace(settings, tables=False)
    if settings.integrator is Integrator.CVODE:
        return replace(plain, atol=settings.atol / 10)
    if settings.integrator is Integrator.ADAPTIVE and settings.accuracy is not Accuracy.TIGHT:
        return replace(plain, accuracy=Accuracy.TIGHT)
    return replace(plain, dt_ms=settings.dt_ms / 2)


def at(problem: Problem, settings: Settings) -> Problem:
    """The problem at other settings of its backend. Raises what compiling raises."""
    return replace(problem, program=problem.backend.compile(problem.program.cell, settings))


def at_tighter(problem: Problem) -> Problem:
    """The problem at the tighter setting. Raises what compiling raises."""
    return at(problem, tighter(problem.program.settings))


def on_reference(problem: Problem) -> Problem:
    """The problem on NEURON: CVODE where the cell allows it, else fixed steps of dt / 4.

    Raises BackendError where it is not installed, UnsupportedError where it refuses the cell or an experiment.
    """
    backend, cell = registry.load(DEFAULT_BACKEND), problem.program.cell
    backend.version()
    refused = backend.unsupported(cell, problem.experiments)
    if refused:
        raise UnsupportedError(refused)
    dt_ms = problem.program.settings.dt_ms
    try:
        variable = Settings(dt_ms, Numerics.CNEXP, Integrator.CVODE, atol=REFERENCE_ATOL)
        program = backend.compile(cell, variable)
    except UnsupportedError:
        program = backend.compile(cell, Settings(dt_ms / REFERENCE_PARTS, Numerics.CNEXP, Integrator.FIXED))
    return replace(problem, backend=backend, program=program)


def described(problem: Problem) -> str:
    """The backend and the settings of a problem in a few words."""
    s = problem.program.settings
    step = f"atol {s.atol:g}" if s.integrator is Integrator.CVODE else f"dt {s.dt_ms:g} ms"
    accuracy = f" {s.accuracy}" if s.accuracy is not None else ""
    return f"{problem.backend.name}, {s.integrator}{accuracy}, {step}"


def scored_again(
    problem: Problem, role: str, x: Floats, machine: Machine, on_done: Callable[[int], None] = lambda _: None
) -> Iterator[list[Rescored]]:
    """Candidates `x` (n, n_free) scored on a problem at other settings, by workers, in order, some at a time.

    `on_done` gets the number of those done so far, after each.
    """
    program, backend = problem.program, problem.backend
    version, settings = backend.version(), settings_record(replace(program.settings, threads=1))
    workers = max(1, machine.processes(program.settings.threads))
    size = _AT_ONCE * workers * min(2, backend.offer.batch)
    with Evaluator(problem, workers=workers, timeout_s=_MORE_TIME * machine.timeout_s) as evaluator:
        for start in range(0, len(x), size):
            found = evaluator.evaluate(x[start : start + size], partial(_told, on_done, start))
            yield [Rescored(role, backend.name, version, settings, evaluation) for evaluation in found]


def _told(on_done: Callable[[int], None], before: int, done: int) -> None:
    on_done(before + done)
