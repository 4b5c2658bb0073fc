"""The solutions of a run on other backends: verified once each, and stored in the run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from nmlopt.api.problem import Loaded
from nmlopt.api.verifying import entrants, outcome
from nmlopt.backend import Settings
from nmlopt.errors import BackendError
from nmlopt.evaluate.model import Problem
from nmlopt.exporters import registry
from nmlopt.optimise.model import Json
from nmlopt.results import verified
from nmlopt.results.run_toml import Record
from nmlopt.results.store import RunStore
from nmlopt.results.verification import document
from nmlopt.results.verified import Verified
from nmlopt.results.writeback import Solution
from nmlopt.verify.model import Entrant, Subject
from nmlopt.verify.run import OnStep, Step


def backend_names(own: str, asked: Sequence[str]) -> tuple[str, ...]:
    """The backends of a verification: that of the fit first, then those asked for, all where none is named.

    Raises UsageError B000, V001.
    """
    names = tuple(dict.fromkeys((own, *(asked or registry.names()))))
    entrants(names, Settings())
    return names


def known(store: RunStore, loaded: Loaded, record: Record, solution: Solution) -> Verified | None:
    """The stored outcome of a solution, None where none was asked for or made yet."""
    if not record.verify:
        return None
    return verified.stored(store.folder, _key(loaded, record, _entrants(loaded, record), solution))


def verify_solutions(
    store: RunStore, loaded: Loaded, record: Record, solutions: Sequence[Solution], on_step: OnStep
) -> int:
    """Verify the solutions that have no outcome yet; how many that were."""
    asked = _entrants(loaded, record)
    left = [s for s in solutions if verified.stored(store.folder, _key(loaded, record, asked, s)) is None]
    for number, solution in enumerate(left):

        def tell(step: Step, text: str = f"verifying solution {number + 1} of {len(left)}") -> None:
            on_step(Step(step.done, step.asked, f"{text}: {step.text}"))

        found = outcome(_subject(loaded.problem, solution), asked, tell)
        made = document(found, loaded.files.document.main)
        verified.store(store.folder, _key(loaded, record, asked, solution), found, made)
    return len(left)


def _entrants(loaded: Loaded, record: Record) -> tuple[Entrant, ...]:
    """The backends at fixed steps from the fit's: its own with the numerics of the fit, the others with theirs."""
    own = loaded.problem.program.settings
    found = entrants(record.verify, Settings(dt_ms=own.dt_ms))
    mine = loaded.problem.backend.name
    return tuple(replace(e, settings=_fixed(own, e.settings)) if e.name == mine else e for e in found)


def _fixed(own: Settings, plain: Settings) -> Settings:
    """The settings of a fit, at fixed steps: halving these says how large the error is."""
    return replace(own, integrator=plain.integrator, accuracy=plain.accuracy, atol=plain.atol)


def _key(loaded: Loaded, record: Record, asked: Sequence[Entrant], solution: Solution) -> str:
    x = np.array([solution.stored.evaluation.x])
    values = loaded.problem.parameters.values(x)[0].tolist()
    backends: dict[str, Json] = {
        e.name: [_version(e), {k: str(v) for k, v in asdict(e.settings).items()}] for e in asked
    }
    return verified.key(values, record.model_digest, record.targets_digest, backends)


def _version(entrant: Entrant) -> str:
    try:
        return entrant.backend.version()
    except BackendError:
        return ""


def _subject(problem: Problem, solution: Solution) -> Subject:
    values = problem.parameters.values(np.array([solution.stored.evaluation.x]))
    return Subject(problem.program.cell, problem.experiments, problem.targets, problem.plan, problem.scoring, values)
