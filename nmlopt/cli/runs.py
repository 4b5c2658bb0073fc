"""A run as tables: how far it is, its solutions, what is to be doubted of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from nmlopt.api.fitting import FitResult
from nmlopt.cli.output import number, show_issues, show_list, show_table
from nmlopt.cli.progress import duration
from nmlopt.errors import Issue, Severity
from nmlopt.results.rescored import column_of
from nmlopt.results.summary import SolutionSummary, Summary


def show_run(found: Summary) -> None:
    """How far a run is, and its solutions."""
    failures = ", ".join(f"{count} {status}" for status, count in found.failures.items()) or "none"
    who = f"{found.running} is at work" if found.running else "nmlopt resume makes them"
    rows = [
        ("evaluations", str(found.evaluations)),
        ("generations", str(found.generations)),
        ("best sum", "none yet" if found.best_sum is None else f"{number(found.best_sum)} sd"),
        ("CPU time", duration(found.cpu_seconds)),
        ("failures", failures),
        *([("search's error", found.error_estimate.text)] if found.error_estimate is not None else []),
        *([("missing", f"{'; '.join(found.missing)} ({who})")] if found.missing else []),
        ("ended", found.stop_reason or ("running: " + found.running if found.running else "not ended")),
    ]
    show_list("Run", rows)
    if len(found.seeds) > 1:
        seeds = [
            (str(s.seed), str(s.generations), str(s.evaluations), "" if s.best_sum is None else number(s.best_sum))
            for s in found.seeds
        ]
        show_table("Seeds", ("seed", "generations", "evaluations", "best sum"), seeds)
    if found.solutions:
        shown = {part.role: column_of(part) for s in found.solutions for part in s.rescored}
        again = [f"{name} / sd" for name in shown.values()]
        columns = ("file", "sum / sd", *again, "worst / sd", "best by", "at a bound")
        show_table("Solutions", columns, [_solution(s, shown) for s in found.solutions])


def _solution(s: SolutionSummary, roles: Iterable[str]) -> tuple[str, ...]:
    return (
        s.model,
        "" if s.sum is None else number(s.sum),
        *(_again(s, role) for role in roles),
        number(max((v for v in s.objectives.values() if v is not None), default=0.0)),
        ", ".join(s.reasons[:2]) + (f" and {len(s.reasons) - 2} more" if len(s.reasons) > 2 else ""),
        ", ".join(s.at_bound),
    )


def _again(s: SolutionSummary, role: str) -> str:
    """The sum in a role, or why there is none."""
    found = next((part for part in s.rescored if part.role == role), None)
    if found is None:
        return "missing"
    return number(found.sum) if found.has_run and found.sum is not None else found.status


def show_doubts(found: Summary) -> None:
    """The warnings about the results."""
    show_issues(Issue(w.code, w.message, "", w.hint, Severity.WARNING) for w in found.warnings)


def nothing_searched(result: FitResult) -> str:
    """What a session did that had nothing to search."""
    done = []
    if result.newly_rescored:
        done.append(f"made {result.newly_rescored} scores at a tighter setting or on another simulator")
    if result.newly_verified:
        done.append(f"verified {result.newly_verified} solutions")
    what = f"nothing was left to search: {result.summary.stop_reason}; {' and '.join(done)}"
    if not done:
        kept = [name for name, has in _kept(result.summary) if has]
        what = f"nothing was left to do: {result.summary.stop_reason}"
        what += f"; {' and '.join(kept)} are there already" if kept else ""
    return f"{what}. More: nmlopt resume {result.folder} --generations N"


def _kept(found: Summary) -> tuple[tuple[str, bool], ...]:
    return (
        ("scores at a tighter setting", any(s.rescored for s in found.solutions)),
        ("verifications", any(s.verified for s in found.solutions)),
    )


def verification_lines(folder: Path, found: Summary) -> list[str]:
    """What other simulators say of each solution, where they were asked."""
    lines = []
    for solution in found.solutions:
        outcome = json.loads((folder / "solutions" / solution.name / "scores.json").read_text()).get("verification")
        if outcome is not None:
            others = ", ".join(f"{name} ({status})" for name, status in outcome["backends"].items())
            lines += [f"solution {solution.name} on {others}: {outcome['verdict']}", *outcome["findings"][:1]]
    return lines
