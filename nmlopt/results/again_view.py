"""Solutions scored again, as the report shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmlopt.backend import RunStatus
from nmlopt.results.report_input import ReportInput
from nmlopt.results.rescored import REFERENCE, ROLES, TIGHT, Rescored, RescoredPart, column_of
from nmlopt.results.wording import number
from nmlopt.results.writeback import Solution, Written

Again = Sequence[RescoredPart | None]
"""A solution scored again, by the columns of the report."""


@dataclass(frozen=True, slots=True)
class AgainRow:
    """A solution scored again in one way; sums in sd."""

    name: str
    how: str
    search: str
    again: str
    largest: str
    flips: str
    level: str


def again_titles(data: ReportInput) -> tuple[str, ...]:
    """The columns of scores made again: 'tighter' and the reference's name, as far as there are any."""
    names = {part.role: column_of(part) for w in data.solutions for part in w.solution.again(_objectives(data))}
    return tuple(names[role] for role in _roles(data))


def by_role(data: ReportInput, written: Written) -> Again:
    """A solution scored again, one place for each of `again_titles`; None where it was not."""
    parts = {part.role: part for part in written.solution.again(_objectives(data))}
    return tuple(parts.get(role) for role in _roles(data))


def sums_again(again: Again) -> tuple[str, ...]:
    """The sums of a solution, or why there is none."""
    return tuple("missing" if p is None else number(p.sum) if p.has_run else p.status for p in again)


def scores_again(again: Again, target: str) -> Iterator[str]:
    """The scores of a target."""
    for part in again:
        score = part.scores.get(target) if part is not None and part.has_run else None
        yield "–" if score is None else number(score, 3)


def _roles(data: ReportInput) -> tuple[str, ...]:
    there = {found.role for written in data.solutions for found in written.solution.rescored}
    return tuple(role for role in ROLES if role in there)


def again_rows(data: ReportInput) -> tuple[AgainRow, ...]:
    """The solutions scored again, in their order."""
    return tuple(_again(w.name, part, w) for w in data.solutions for part in w.solution.again(_objectives(data)))


def _objectives(data: ReportInput) -> list[str]:
    return [objective.id for objective in data.targets.all_objectives()]


def _again(name: str, part: RescoredPart, written: Written) -> AgainRow:
    settings = f"{part.backend} {part.version}".strip() + (f": {_how(part)}" if part.settings else "")
    far = part.largest
    flips = [*(f"{target} missing" for target in part.lost), *(f"{target} only here" for target in part.gained)]
    is_same = part.has_run and not part.beyond and not flips
    return AgainRow(
        name=name,
        how=settings,
        search=number(written.solution.stored.evaluation.total),
        again=number(part.sum) if part.has_run else f"{part.status}: {part.detail}",
        largest=f"{far.objective}: {number(far.search, 3)} → {number(far.again, 3)}" if far is not None else "–",
        flips=", ".join(flips) or "–",
        level="same" if is_same else "differs" if part.has_run else "undecided",
    )


def _how(part: RescoredPart) -> str:
    shown = ("integrator", "accuracy", "atol" if part.settings.get("integrator") == "cvode" else "dt_ms")
    return ", ".join(f"{key} {part.settings[key]}" for key in shown if part.settings.get(key) is not None)


def published(solution: Solution) -> tuple[Sequence[float], str]:
    """(the objectives that count, where they are from): NEURON's, else tighter ones, else those of the search."""
    ran = {
        found.role: found.evaluation.objectives
        for found in solution.rescored
        if isinstance(found, Rescored) and found.evaluation.status is RunStatus.OK
    }
    if REFERENCE in ran:
        return ran[REFERENCE], " on the reference simulator"
    return (ran[TIGHT], " at a tighter setting") if TIGHT in ran else (solution.stored.evaluation.objectives, "")
