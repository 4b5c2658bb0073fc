"""When a search ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nmlopt.errors import Issue, UsageError, raise_errors


@dataclass(frozen=True, slots=True)
class StopRule:
    """Limits of a search, whichever is reached first; None: no such limit.

    `evaluations` is never exceeded: a generation that would do so is not started. `target_sum`: least sum of
    objectives that is good enough. `target_worst`: enough that one candidate has no objective above it.
    `stagnation`: generations without a relative improvement of the best sum by `stagnation_improvement`.
    """

    generations: int | None = None
    evaluations: int | None = None
    seconds: float | None = None
    target_sum: float | None = None
    target_worst: float | None = None
    stagnation: int | None = None
    stagnation_improvement: float = 1e-3


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a search stands. `evaluations` done, `next_evaluations` that the next generation would take.

    `best_sums`, `best_worsts`: least sum and least maximum of the objectives of one candidate, found up to each
    generation. `seconds` of wall time, earlier sessions of a resumed run included.
    """

    generations: int
    evaluations: int
    next_evaluations: int
    seconds: float
    best_sums: tuple[float, ...]
    best_worsts: tuple[float, ...]


def check(rule: StopRule, offspring: int) -> None:
    """Raise `UsageError` (C111...C114) with all faults of `rule` for a population of `offspring`."""
    raise_errors(_faults(rule, offspring), UsageError)


def reason(rule: StopRule, progress: Progress) -> str | None:
    """Why the search ends here, as a sentence for the user; None: it goes on."""
    return next(_reasons(rule, progress), None)


def _reasons(rule: StopRule, progress: Progress) -> Iterator[str]:
    if progress.best_sums and rule.target_sum is not None and progress.best_sums[-1] <= rule.target_sum:
        yield f"the best sum of objectives, {progress.best_sums[-1]:.6g}, is at most {rule.target_sum:g}"
    if progress.best_worsts and rule.target_worst is not None and progress.best_worsts[-1] <= rule.target_worst:
        yield f"a candidate has every objective at or below {rule.target_worst:g}"
    if rule.generations is not None and progress.generations >= rule.generations:
        yield f"all {rule.generations} generations are done"
    if rule.evaluations is not None and progress.evaluations + progress.next_evaluations > rule.evaluations:
        yield f"{progress.evaluations} evaluations are done, and another generation would exceed {rule.evaluations}"
    if rule.seconds is not None and progress.seconds >= rule.seconds:
        yield f"the time of {rule.seconds:g} s is over"
    if _stagnates(rule, progress.best_sums):
        least = f"{100 * rule.stagnation_improvement:g} %"
        yield f"the best sum of objectives did not fall by {least} in {rule.stagnation} generations"


def _stagnates(rule: StopRule, best_sums: tuple[float, ...]) -> bool:
    if rule.stagnation is None or len(best_sums) <= rule.stagnation:
        return False
    before, now = best_sums[-1 - rule.stagnation], best_sums[-1]
    return before - now <= rule.stagnation_improvement * abs(before)


def _faults(rule: StopRule, offspring: int) -> Iterator[Issue]:
    whole = {"generations": rule.generations, "evaluations": rule.evaluations, "stagnation": rule.stagnation}
    for name, count in whole.items():
        if count is not None and count < 1:
            yield Issue("C111", f"{name} is {count}, but must be at least 1", name)
    if rule.evaluations is not None and 1 <= rule.evaluations < offspring:
        hint = "allow more evaluations or ask for fewer offspring"
        message = f"{rule.evaluations} evaluations are fewer than one generation of {offspring} needs"
        yield Issue("C112", message, "evaluations", hint)
    values = {"seconds": rule.seconds, "target_sum": rule.target_sum, "target_worst": rule.target_worst}
    for name, value in values.items():
        if value is not None and not 0.0 <= value < float("inf"):
            yield Issue("C113", f"{name} is {value}, but must be finite and not negative", name)
    if not 0.0 <= rule.stagnation_improvement < 1.0:
        message = f"the least improvement is {rule.stagnation_improvement}, but must be in [0, 1)"
        yield Issue("C114", message, "stagnation_improvement", "0.001 means a thousandth")
