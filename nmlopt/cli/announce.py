"""What a fit is about to do, told before it begins: warnings first, then two lines."""

from __future__ import annotations

from pathlib import Path

from nmlopt.api.fitting import Plan
from nmlopt.api.problem import Loaded
from nmlopt.cli.output import count, say, show_issues
from nmlopt.optimise.stopping import StopRule


def announce(loaded: Loaded, plan: Plan, folder: Path) -> None:
    """Show the warnings about both files, what is fitted to what, and how it is searched."""
    show_issues(loaded.files.issues)
    say(task(loaded))
    say(f"{effort(plan, loaded.problem.program.settings.threads)}; into {folder}")


def task(loaded: Loaded) -> str:
    """One line: free parameters, objectives, protocols, simulator."""
    problem = loaded.problem
    protocols = problem.targets.protocols
    shown = sum(protocol.role == "validate" for protocol in protocols)
    settings = problem.program.settings
    parts = (
        f"{loaded.cell.id}: {count(len(problem.parameters.free), 'free parameter')}",
        count(len(problem.objective_ids), "objective"),
        count(len(protocols), "protocol") + (f" ({shown} of them for validation)" if shown else ""),
        f"{problem.backend.name}, {settings.numerics}, dt {settings.dt_ms:g} ms",
    )
    return ", ".join(parts)


def effort(plan: Plan, threads: int = 1) -> str:
    """One line: algorithm, population × generations, seeds, workers (of so many threads each), further limits."""
    size, rule, seeds = plan.search.algorithm.offspring, plan.rule, plan.search.seeds
    amount = f"{size} candidates per generation"
    if rule.generations is not None:
        amount = f"{size} × {count(rule.generations, 'generation')} = {size * rule.generations} evaluations"
    parts = [
        f"{plan.search.algorithm.name}: {amount}" + (" each" if len(seeds) > 1 else ""),
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}",
        count(plan.machine.processes(threads), "worker"),
        *_limits(rule),
    ]
    return ", ".join(parts)


def _limits(rule: StopRule) -> list[str]:
    limits = {
        "at most {:g} evaluations": rule.evaluations,
        "at most {:g} s": rule.seconds,
        "until every objective is at most {:g} sd": rule.target_worst,
        "until {:g} generations bring nothing": rule.stagnation,
    }
    return [text.format(value) for text, value in limits.items() if value is not None]
