"""What a fit has to warn of: scores that change when they are computed more exactly, and runs that found nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from nmlopt.errors import Issue, Severity
from nmlopt.results.error_estimate import ErrorEstimate
from nmlopt.results.rescored import NOT_RUN, Change, RescoredPart, label

MOST: Final = 5
"""Solutions that are named one by one for one reason."""
_NONE: Final = Change(objective="", search=0.0, again=0.0)
_TIGHTER: Final = "search with --accuracy tight (other backends than native: a smaller --dt), and see report.html"


class Published(Protocol):
    """What is looked at of a solution."""

    @property
    def name(self) -> str:
        """Its folder below solutions/."""

    @property
    def rescored(self) -> tuple[RescoredPart, ...]:
        """How it scored again."""

    @property
    def objectives(self) -> dict[str, float | None]:
        """In the search, by name."""

    @property
    def cap(self) -> float:
        """The score of what is missing."""


def doubts(solutions: Sequence[Published], estimate: ErrorEstimate | None) -> Iterator[Issue]:
    """Warnings (codes B140-B145), by what they are about."""
    told: set[str] = set()
    for code, message in (*_differing(solutions), *_flipped(solutions), *_ended(solutions)):
        yield _warning(code, message, "" if code in told else _TIGHTER)
        told.add(code)
    yield from _not_run(solutions)
    if estimate is not None and estimate.is_alarming:
        flips = f"; found/missing flips among the best: {', '.join(estimate.flips_of_best)}"
        text = f"the search is noisy: {estimate.text}{flips if estimate.flips_of_best else ''}"
        yield _warning("B143", text, _TIGHTER)
    if solutions and all(value is None or value >= solutions[0].cap for value in solutions[0].objectives.values()):
        message = f"nothing was found: every objective of the best candidate is at the cap ({solutions[0].cap:g} sd)"
        hint = "no feature could be measured: look at the traces in report.html, the bounds and the stimuli"
        yield _warning("B144", message, hint)


def _not_run(solutions: Sequence[Published]) -> Iterator[Issue]:
    """B142 for each way in which nothing could be scored again, and in which ways it was."""
    parts = [part for solution in solutions for part in solution.rescored]
    done = dict.fromkeys(label(p.role, p.backend) for p in parts if p.status != NOT_RUN)
    but = f"scored again {' and '.join(done)}, but not" if done else "not scored again"
    for where, reason in dict.fromkeys((label(p.role, p.backend), p.detail) for p in parts if p.status == NOT_RUN):
        yield _warning("B142", f"solutions are {but} {where}: {reason}", "then nmlopt resume does it")


def _differing(solutions: Sequence[Published]) -> list[tuple[str, str]]:
    found = []
    for solution in solutions:
        beyond: dict[str, Change] = {}
        for part in solution.rescored:
            flipped = {*part.lost, *part.gained}
            for change in part.beyond:
                if change.objective not in flipped and change.size > beyond.get(change.objective, _NONE).size:
                    beyond[change.objective] = change
        if beyond:
            found.append(("B140", _text(solution, max(beyond.values(), key=lambda c: c.size), len(beyond))))
    return _cut(found)


def _text(solution: Published, change: Change, count: int) -> str:
    name = change.objective
    again = [f"{p.objectives[name]:.4g} {label(p.role, p.backend)}" for p in solution.rescored if name in p.objectives]
    more = f" ({count - 1} more of its objectives differ by over 0.25 sd)" if count > 1 else ""
    before = f"solution {solution.name}: objective '{name}' is {change.search:.4g} sd in the search"
    return f"{before}, {' and '.join(again)}{more}"


def _flipped(solutions: Sequence[Published]) -> list[tuple[str, str]]:
    found = []
    for solution in solutions:
        for part in solution.rescored:
            where = label(part.role, part.backend)
            lost = [f"'{name}' is missing {where}" for name in part.lost]
            gained = [f"'{name}' is found only {where}" for name in part.gained]
            if lost or gained:
                found.append(("B141", f"solution {solution.name}: {', '.join((*lost, *gained))}"))
    return _cut(found)


def _ended(solutions: Sequence[Published]) -> list[tuple[str, str]]:
    found = []
    for solution in solutions:
        for part in solution.rescored:
            if part.status != NOT_RUN and not part.has_run:
                where = label(part.role, part.backend)
                found.append(("B145", f"solution {solution.name} ends early {where}: {part.status}: {part.detail}"))
    return _cut(found)


def _cut(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if len(found) <= MOST:
        return found
    return [*found[:MOST], (found[0][0], f"{len(found) - MOST} more such solutions, see report.html")]


def _warning(code: str, message: str, hint: str) -> Issue:
    return Issue(code, message, "", hint, Severity.WARNING)
