"""The verbs around a run folder: fit, resume, status, report."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from nmlopt.api.fitting import FitResult, Plan, fit_files
from nmlopt.api.resuming import Changes, report_run, resume_run
from nmlopt.api.searching import DEFAULT_TIMEOUT_S, Machine, Search
from nmlopt.cli.announce import announce
from nmlopt.cli.options import options
from nmlopt.cli.output import say, show, show_json
from nmlopt.cli.progress import ProgressLine
from nmlopt.cli.runs import nothing_searched, show_doubts, show_run, verification_lines
from nmlopt.cli.verifying import backend_names
from nmlopt.errors import Issue, UsageError
from nmlopt.optimise.model import AlgorithmSettings
from nmlopt.optimise.stopping import StopRule
from nmlopt.results.summary import summary

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
        rescore=args.rescore is not False,
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
            on_estimate=progress.estimate,
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
        rescore=args.rescore,
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
            on_estimate=progress.estimate,
        ),
    )


def status(args: argparse.Namespace) -> int:
    """`nmlopt status`: how far a run is."""
    found = summary(args.run)
    if args.json:
        show_json(found.model_dump(mode="json"))
    else:
        show_run(found)
        show_doubts(found)
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
        show_run(result.summary)
        say(f"report: {result.folder / 'report.html'}")
    show_doubts(result.summary)
    for line in verification_lines(result.folder, result.summary):
        say(line)
    if result.was_interrupted:
        say(f"interrupted; everything up to the last whole generation is stored. Go on: nmlopt resume {result.folder}")
        return EXIT_INTERRUPTED
    if not result.new_generations:
        say(nothing_searched(result))
    if result.best is None:
        say("no candidate could be simulated to its end: see the failures in the report")
    elif not result.is_acceptable:
        say("no candidate is acceptable: none reached the target score, or none found anything")
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
    if timeout <= 0 or (args.workers is not None and args.workers < 1):
        message = "--timeout and --workers must be positive"
        raise UsageError(Issue("C011", message, hint="such as --timeout 60 --workers 2"))
    return Machine(args.workers, timeout)


def _command() -> str:
    return shlex.join(["nmlopt", *sys.argv[1:]])
