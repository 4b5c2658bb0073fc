"""The end of a run: choose solutions, write them as NeuroML, look at their traces, make the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from nmlopt.api.problem import Loaded, evaluate_present
from nmlopt.api.rescoring import chosen
from nmlopt.api.rescoring import rescore as score_again
from nmlopt.api.searching import Machine
from nmlopt.api.verifying_run import known, verify_solutions
from nmlopt.backend import Recordings, Trace
from nmlopt.evaluate.model import Problem
from nmlopt.results import run_toml
from nmlopt.results.report import write_report
from nmlopt.results.report_input import gather
from nmlopt.results.run_toml import Record
from nmlopt.results.store import RunStore
from nmlopt.results.writeback import Provenance, Solution, Written, write_solutions
from nmlopt.verify.run import OnStep


def rescore(store: RunStore, loaded: Loaded, count: int, machine: Machine, on_step: OnStep) -> int:
    """Score the best candidates again where the run asks for it, and write solutions and report anew by that.

    How many scores that were.
    """
    record = run_toml.read(store.folder)
    added = score_again(store, loaded, record, count=count, machine=machine, on_step=on_step) if record.rescore else 0
    if added:
        finish(store, loaded, count)
    return added


def verify(store: RunStore, loaded: Loaded, count: int, on_step: OnStep) -> int:
    """Verify the solutions on other backends where the run asks for it, and write them and the report with that.

    How many solutions that were.
    """
    record = run_toml.read(store.folder)
    if not record.verify:
        return 0
    done = verify_solutions(store, loaded, record, _chosen(store, loaded, record, count), on_step)
    if done:
        finish(store, loaded, count)
    return done


def finish(store: RunStore, loaded: Loaded, count: int) -> Path:
    """Write the solutions (at most `count` beside the best of each objective) and report.html; path of the report."""
    record = run_toml.read(store.folder)
    written = _write_solutions(store, loaded, record, count)
    problem = loaded.problem
    present = problem.parameters.present()
    best = np.array(written[0].solution.stored.evaluation.x) if written else None
    data = gather(
        store,
        record,
        problem.targets,
        problem.parameters,
        experiments=problem.experiments,
        solutions=written,
        original=evaluate_present(loaded),
        original_traces=recordings_of(problem, present),
        best_traces=recordings_of(problem, best) if best is not None else None,
        wanted={request.key: Trace(request.t_ms, request.y) for request in problem.plan.traces},
        citation=problem.backend.offer.citation,
    )
    return write_report(store.folder, data)


def recordings_of(problem: Problem, x: np.ndarray) -> Recordings:
    """Traces of one candidate (n_free,) in parameter units."""
    values = problem.parameters.values(x[np.newaxis, :])
    return problem.backend.simulate(problem.program, problem.experiments, values)[0]


def _chosen(store: RunStore, loaded: Loaded, record: Record, count: int) -> list[Solution]:
    solutions = chosen(store, loaded, record, count)
    return [replace(s, verified=known(store, loaded, record, s)) for s in solutions]


def _write_solutions(store: RunStore, loaded: Loaded, record: Record, count: int) -> tuple[Written, ...]:
    problem, cell = loaded.problem, loaded.cell
    solutions = _chosen(store, loaded, record, count)
    provenance = Provenance(
        component=(cell.type, cell.id),
        date=record.created,
        backend=record.backend,
        settings=record.settings,
        versions=record.versions,
        targets_id=problem.targets.id,
        targets_digest=record.targets_digest,
        objectives=problem.objective_ids,
        cap=problem.targets.cap,
    )
    return write_solutions(store.folder, loaded.files.document, problem.parameters, solutions, provenance)
