"""The solutions of a run scored again before they are published: at a tighter setting, and on NEURON.

Search, re-score, publish (performance study, section 8): the best candidates of a search are scored at one tighter
setting of its backend and ranked by that; what is published is scored on NEURON, too. Everything found is stored at
once, so that an interrupted run does the rest when it is resumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nmlopt.api.problem import DEFAULT_BACKEND, Loaded
from nmlopt.api.searching import Machine
from nmlopt.api.tighter import at_tighter, described, on_reference, scored_again
from nmlopt.backend import RunStatus
from nmlopt.errors import Issue, NmloptError
from nmlopt.evaluate.model import Problem
from nmlopt.results.model import Table
from nmlopt.results.rescored import REFERENCE, TIGHT, NotRun, Rescored
from nmlopt.results.rescored_rows import Row
from nmlopt.results.run_toml import Record
from nmlopt.results.select import Choice, pool, select
from nmlopt.results.store import RunStore
from nmlopt.results.writeback import Solution, edits_of
from nmlopt.verify.run import OnStep, Step

Done = Mapping[tuple[int, str], Rescored]
"""By the number of the evaluation and the role."""


def chosen(store: RunStore, loaded: Loaded, record: Record, count: int) -> list[Solution]:
    """What is published: ranked by the tighter scores where all that compete have one, else by those of the search.

    At most `count`, beside the best of each objective.
    """
    table = store.table()
    done = {(row.number, row.rescored.role): row.rescored for row in store.rescored()} if record.rescore else {}
    reasons = store.not_run() if record.rescore else {}
    solutions = []
    for choice in _choices(table, loaded.problem, done, count):
        number = int(table.numbers[choice.row])
        again = [done.get((number, role)) or reasons.get(role) for role in roles(loaded.problem)]
        found = tuple(each for each in again if each is not None)
        solutions.append(Solution(store.evaluation(number), choice.reasons, rescored=found))
    return solutions


def rescore(store: RunStore, loaded: Loaded, record: Record, *, count: int, machine: Machine, on_step: OnStep) -> int:
    """Score again what has no such score yet; how many scores, or reasons for there being none, were added.

    What cannot run at all (NEURON is missing, or refuses the cell) is stored with its reason. KeyboardInterrupt
    passes through; what was done is stored then.
    """
    added = 0
    for role in roles(loaded.problem):
        done = {row.number for row in store.rescored() if row.rescored.role == role}
        numbers = [number for number in _asked(store, loaded, record, role, count) if number not in done]
        if numbers:
            added += _rescore(store, loaded.problem, role, numbers, machine, on_step)
    return added


def roles(problem: Problem) -> tuple[str, ...]:
    """In which ways the solutions of a problem are scored again."""
    return (TIGHT, REFERENCE) if reference_of(problem) else (TIGHT,)


def reference_of(problem: Problem) -> str:
    """The other backend on which solutions are scored; '' where they are its own."""
    return "" if problem.backend.name == DEFAULT_BACKEND else DEFAULT_BACKEND


def _choices(table: Table, problem: Problem, done: Done, count: int) -> Sequence[Choice]:
    """The solutions among all evaluations, as rows of the table."""
    rows = _pool(table, problem, count) if done else ()
    tight = [done[number, TIGHT].evaluation for row in rows if ((number := int(table.numbers[row])), TIGHT) in done]
    if rows and len(tight) == len(rows):
        judged = Table(
            numbers=table.numbers[list(rows)],
            seeds=table.seeds[list(rows)],
            generations=table.generations[list(rows)],
            ok=np.array([e.status is RunStatus.OK for e in tight], dtype=np.bool_),
            x=table.x[list(rows)],
            objectives=np.array([e.objectives for e in tight]),
        )
        found = _selected(judged, problem, count)
        if found:
            return [replace(choice, row=rows[choice.row]) for choice in found]
    return _selected(table, problem, count)


def _selected(table: Table, problem: Problem, count: int) -> tuple[Choice, ...]:
    return select(table, problem.objective_ids, limit=count, key=lambda row: edits_of(problem.parameters, table.x[row]))


def _pool(table: Table, problem: Problem, count: int) -> tuple[int, ...]:
    return pool(table, problem.objective_ids, limit=count, key=lambda row: edits_of(problem.parameters, table.x[row]))


def _asked(store: RunStore, loaded: Loaded, record: Record, role: str, count: int) -> list[int]:
    """The numbers of the evaluations that a role is about: all that compete, then those that are published."""
    if role == REFERENCE:
        return [solution.stored.number for solution in chosen(store, loaded, record, count)]
    table = store.table()
    return [int(table.numbers[row]) for row in _pool(table, loaded.problem, count)]


def _rescore(
    store: RunStore, problem: Problem, role: str, numbers: Sequence[int], machine: Machine, on_step: OnStep
) -> int:
    on_step(Step(0, len(numbers), "scoring again: compiling"))
    try:
        other = at_tighter(problem) if role == TIGHT else on_reference(problem)
        text = f"scoring again: {described(other)}"
        x = np.array([store.evaluation(number).evaluation.x for number in numbers])
        on_step(Step(0, len(numbers), text))

        def tell(done: int) -> None:
            if done < len(numbers):
                on_step(Step(done, len(numbers), text))

        left = list(numbers)
        for found in scored_again(other, role, x, machine, tell):
            here, left = left[: len(found)], left[len(found) :]
            store.keep_rescored([Row(number, each) for number, each in zip(here, found, strict=True)])
    except NmloptError as error:
        name = problem.backend.name if role == TIGHT else DEFAULT_BACKEND
        known = store.not_run().get(role)
        reason = NotRun(role, name, "; ".join(_why(issue) for issue in error.issues))
        store.set_not_run(reason, role)
        return int(known != reason)
    store.set_not_run(None, role)
    return len(numbers)


def _why(issue: Issue) -> str:
    return f"{issue.code}: {issue.message}" + (f"; {issue.hint}" if issue.hint else "")
