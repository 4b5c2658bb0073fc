"""The verbs around a run folder: fit, resume, status, report."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from nmlopt.api.fitting import FitResult, Plan, fit_files
from nmlopt.api.resuming import Changes, report_run, resume_run
from nmlopt.api.searching import DEFAULT_TIMEOUT_S, Machine, Search
from nmlopt.cli.announce import announce
from nmlopt.cli.options import options
from nmlopt.cli.output import number, say, show, show_json, show_list, show_table
from nmlopt.cli.progress import ProgressLine, duration
from nmlopt.cli.verifying import backend_names
from nmlopt.errors import Issue, UsageError
from nmlopt.optimise.model import AlgorithmSettings
from nmlopt.optimise.stopping import StopRule
from nmlopt.results.summary import Summary, summary

DEFAULT_GENERATIONS = 100
EXIT_DONE = 0
EXIT_NOTHING_ACCEPTABLE = 1
EXIT_INTERRUPTED = 4


def fit(args: argparse.Namespace) -> int:
    """`nmlopt fit`: a new run."""
    generations = args.generations
    if generations is None and args.max_evaluations is None:
        generations = DEFAULT_GENERATIONS
    algorithm = AlgorithmSettings(name=args.algorithm, offspring=args.offspring, sampling=args.sampling)
    plan = Plan(
        search=Search(algorithm, _seeds(args), starts_from_present=not args.without_present),
        rule=_rule(args, generations),
        machine=_machine(args),
        solutions=args.solutions,
        command=_command(),
        verify=None if args.verify is None else backend_names(args.verify),
    )
    say("reading, checking, compiling (a structure that is new here takes some seconds, once)")
    return _shown(
        args,
        lambda progress: fit_files(
            args.model,
            args.targets,
            args.out,
            plan=plan,
            options=options(args),
            on_progress=progress,
            on_start=lambda loaded, made: announce(loaded, made, args.out),
            on_step=progress.step,
        ),
    )


def resume(args: argparse.Namespace) -> int:
    """`nmlopt resume`: go on with a run."""
    _machine(args)
    changes = Changes(
        rule=_rule(args, args.generations),
        workers=args.workers,
        timeout_s=args.timeout,
        targets=args.targets,
        command=_command(),
    )
    return _shown(
        args,
        lambda progress: resume_run(
            args.run,
            changes,
            solutions=args.solutions,
            on_progress=progress,
            on_start=lambda loaded, made: announce(loaded, made, args.run),
            on_step=progress.step,
        ),
    )


def status(args: argparse.Namespace) -> int:
    """`nmlopt status`: how far a run is."""
    found = summary(args.run)
    if args.json:
        show_json(found.model_dump(mode="json"))
    else:
        _show_summary(found)
    return EXIT_DONE


def report(args: argparse.Namespace) -> int:
    """`nmlopt report`: solutions and report.html anew, all evaluations as a table where asked for."""
    show(str(report_run(args.run, solutions=args.solutions, table=args.csv)))
    return EXIT_DONE


def _shown(args: argparse.Namespace, work: Callable[[ProgressLine], FitResult]) -> int:
    """Do the work with a progress line, show what came out, and choose the exit code."""
    with ProgressLine() as progress, _ended_by_sigterm():
        result = work(progress)
    if args.json:
        show_json(result.summary.model_dump(mode="json"))
    else:
        _show_summary(result.summary)
        say(f"report: {result.folder / 'report.html'}")
    for line in verification_lines(result.folder, result.summary):
        say(line)
    if result.was_interrupted:
        say(f"interrupted; everything up to the last whole generation is stored. Go on: nmlopt resume {result.folder}")
        return EXIT_INTERRUPTED
    if not result.new_generations:
        say(
            f"nothing was left to do: {result.summary.stop_reason}. More: nmlopt resume {result.folder} --generations N"
        )
    if result.best is None:
        say("no candidate could be simulated to its end: see the failures in the report")
    elif not result.is_acceptable:
        say("no candidate reached the target score")
    return EXIT_DONE if result.is_acceptable else EXIT_NOTHING_ACCEPTABLE


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM, which a cluster sends before it kills a job, ends a fit as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _show_summary(found: Summary) -> None:
    failures = ", ".join(f"{count} {status}" for status, count in found.failures.items()) or "none"
    rows = [
        ("evaluations", str(found.evaluations)),
        ("generations", str(found.generations)),
        ("best sum", "none yet" if found.best_sum is None else f"{number(found.best_sum)} sd"),
        ("CPU time", duration(found.cpu_seconds)),
        ("failures", failures),
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
        best = [
            (
                s.model,
                "" if s.sum is None else number(s.sum),
                number(max((v for v in s.objectives.values() if v is not None), default=0.0)),
                ", ".join(s.reasons[:2]) + (f" and {len(s.reasons) - 2} more" if len(s.reasons) > 2 else ""),
                ", ".join(s.at_bound),
            )
            for s in found.solutions
        ]
        show_table("Solutions", ("file", "sum / sd", "worst / sd", "best by", "at a bound"), best)


def verification_lines(folder: Path, found: Summary) -> list[str]:
    """What other simulators say of each solution, where they were asked."""
    lines = []
    for solution in found.solutions:
        outcome = json.loads((folder / "solutions" / solution.name / "scores.json").read_text()).get("verification")
        if outcome is not None:
            others = ", ".join(f"{name} ({status})" for name, status in outcome["backends"].items())
            lines += [f"solution {solution.name} on {others}: {outcome['verdict']}", *outcome["findings"][:1]]
    return lines


def _seeds(args: argparse.Namespace) -> tuple[int, ...]:
    if args.seeds is None:
        return (1 if args.seed is None else args.seed,)
    try:
        seeds = tuple(int(part) for part in args.seeds.split(","))
    except ValueError:
        seeds = ()
    if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0:
        message = f"--seeds '{args.seeds}' is not a list of different whole numbers"
        raise UsageError(Issue("C010", message, hint="such as --seeds 1,2,3"))
    return seeds


def _rule(args: argparse.Namespace, generations: int | None) -> StopRule:
    return StopRule(
        generations=generations,
        evaluations=args.max_evaluations,
        seconds=args.max_seconds,
        target_worst=args.target_score,
        stagnation=args.stagnation,
    )


def _machine(args: argparse.Namespace) -> Machine:
    timeout = DEFAULT_TIMEOUT_S if args.timeout is None else args.timeout
    if timeout <= 0 or (args.workers is not None and args.workers < 0):
        message = "--timeout must be positive and --workers not negative"
        raise UsageError(Issue("C011", message, hint="such as --timeout 60 --workers 2"))
    return Machine(args.workers, timeout)


def _command() -> str:
    return shlex.join(["nmlopt", *sys.argv[1:]])
