"""The main job: search, store every generation, write the best cells back, report; and go on later."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from nmlopt.api.estimating import OnEstimate, estimator
from nmlopt.api.finishing import finish, rescore, verify
from nmlopt.api.problem import Loaded, Options, load, settings_record
from nmlopt.api.rescoring import reference_of
from nmlopt.api.searching import Machine, OnProgress, Search, search_all
from nmlopt.api.verifying_run import backend_names
from nmlopt.optimise.registry import load_algorithm
from nmlopt.optimise.settings import check as check_settings
from nmlopt.optimise.settings import check_seed
from nmlopt.optimise.stopping import StopRule
from nmlopt.optimise.stopping import check as check_rule
from nmlopt.results.files import RESUME, require_empty
from nmlopt.results.folder import create_run
from nmlopt.results.inputs import copies
from nmlopt.results.model import Context, ParameterInfo, RunInfo
from nmlopt.results.rescored import RescoredPart
from nmlopt.results.run_toml import Record
from nmlopt.results.store import RunStore
from nmlopt.results.summary import Summary, summarise
from nmlopt.spec.models import Targets
from nmlopt.verify.run import OnStep

DEFAULT_RULE = StopRule(generations=100)
DEFAULT_SOLUTIONS = 10


@dataclass(frozen=True, slots=True)
class FitResult:
    """A run as it stands: its folder, and the summary that `nmlopt status --json` prints.

    `new_generations`, and how many scores and solutions were `newly_rescored` and `newly_verified`: in this session.
    `is_acceptable`: a candidate ran to its end, found something, and reached the target score if one was asked for.
    """

    folder: Path
    summary: Summary
    was_interrupted: bool = False
    new_generations: int = 0
    newly_rescored: int = 0
    newly_verified: int = 0
    is_acceptable: bool = True

    @property
    def solutions(self) -> tuple[FittedCell, ...]:
        """The cells that were written, best sum first: by the tighter scores where they have them."""
        return tuple(
            FittedCell(self.folder / s.model, s.sum, s.scores, s.objectives, s.parameters, s.rescored)
            for s in self.summary.solutions
        )

    @property
    def best(self) -> FittedCell | None:
        """The cell with the least sum of objectives."""
        return self.solutions[0] if self.summary.solutions else None


@dataclass(frozen=True, slots=True)
class FittedCell:
    """One solution: its main NeuroML file, scores by target id (sd), objectives, parameter values in their units.

    `rescored`: how it scores at a tighter setting and on NEURON.
    """

    file: Path
    sum: float | None
    scores: Mapping[str, float | None]
    objectives: Mapping[str, float | None]
    parameters: Mapping[str, float]
    rescored: tuple[RescoredPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a fit that is not in the two files: search, stop rule, machine, solutions, and the command line given.

    `verify`: the backends on which each solution is verified at the end; () all there are, None not at all.
    `rescore`: whether candidates are scored at a tighter setting, too (some while it searches, the best at the end),
    and solutions on NEURON.
    """

    search: Search = field(default_factory=Search)
    rule: StopRule = DEFAULT_RULE
    machine: Machine = field(default_factory=Machine)
    solutions: int = DEFAULT_SOLUTIONS
    command: str = ""
    verify: tuple[str, ...] | None = None
    rescore: bool = True


OnStart = Callable[[Loaded, Plan], None]
"""Told what is about to be done, after everything was checked and before anything is written."""


def fit_files(
    model: Path,
    targets: Path,
    out: Path,
    *,
    plan: Plan,
    options: Options,
    on_progress: OnProgress,
    on_start: OnStart = lambda loaded, plan: None,
    on_step: OnStep = lambda _: None,
    on_estimate: OnEstimate = lambda _: None,
) -> FitResult:
    """Fit `model` to `targets` in the new run folder `out`.

    Raises what `load` raises; UsageError for an impossible search, ResultsError R001 if `out` is not empty.
    """
    load_algorithm(plan.search.algorithm.name)
    check_settings(plan.search.algorithm)
    for seed in plan.search.seeds:
        check_seed(seed)
    check_rule(plan.rule, plan.search.algorithm.offspring)
    require_empty(out, RESUME)
    if plan.verify is not None:
        plan = replace(plan, verify=backend_names(options.backend, plan.verify))
    loaded = load(model, targets, options)
    inputs = copies(loaded.files.document, loaded.files.targets, targets)
    on_start(loaded, plan)
    with create_run(out, run_info(loaded, plan, options), _record(loaded, plan, options), inputs) as store:
        return run(store, loaded, plan, on_progress, on_step, on_estimate)


def run(
    store: RunStore,
    loaded: Loaded,
    plan: Plan,
    on_progress: OnProgress,
    on_step: OnStep = lambda _: None,
    on_estimate: OnEstimate = lambda _: None,
) -> FitResult:
    """Search, finish, score again, and verify where that was asked for; after Ctrl-C finish with what is there."""
    was_interrupted, rescored, verified = False, 0, 0
    before = _generations(store)
    try:
        estimate = estimator(store, loaded.problem, plan.machine, on_estimate)
        after = estimate if plan.rescore else (lambda seed, number: None)
        search_all(store, loaded.problem, plan.search, plan.rule, plan.machine, on_progress, after)
    except KeyboardInterrupt:
        was_interrupted = True
    finish(store, loaded, plan.solutions)
    try:
        if not was_interrupted:
            rescored = rescore(store, loaded, plan.solutions, plan.machine, on_step)
            verified = verify(store, loaded, plan.solutions, on_step)
    except KeyboardInterrupt:
        was_interrupted = True
    return FitResult(
        store.folder,
        summarise(store).model_copy(update={"running": None}),  # it is this process, and it ends here
        was_interrupted,
        new_generations=_generations(store) - before,
        newly_rescored=rescored,
        newly_verified=verified,
        is_acceptable=_is_acceptable(store, plan.rule, loaded.problem.targets.cap),
    )


def _generations(store: RunStore) -> int:
    return sum(seed.generations for seed in store.progress())


def _is_acceptable(store: RunStore, rule: StopRule, cap: float) -> bool:
    """Whether a candidate ran to its end, has an objective below the cap, and is as good as the rule's targets."""
    table = store.table()
    good = table.objectives[table.ok]
    good = good[good.min(axis=1, initial=cap) < cap]
    if rule.target_worst is not None:
        good = good[good.max(axis=1, initial=0.0) <= rule.target_worst]
    if rule.target_sum is not None:
        good = good[good.sum(axis=1) <= rule.target_sum]
    return len(good) > 0


# ------------------------------------------------------------------------------------------------ what is recorded


def run_info(loaded: Loaded, plan: Plan, options: Options) -> RunInfo:
    """What the store says of the run."""
    problem = loaded.problem
    settings = problem.program.settings  # with the backend's own where the options leave them open
    digest = hashlib.sha256(f"{loaded.files.document.digest}\n{canonical(problem.targets)}".encode()).hexdigest()
    return RunInfo(
        parameters=tuple(ParameterInfo.of(p) for p in problem.parameters.free),
        targets=tuple(t.id for t in problem.targets.targets),
        objectives=problem.objective_ids,
        seeds=plan.search.seeds,
        context=Context(options.backend, settings_record(replace(settings, threads=1)), versions(loaded), digest),
    )


def canonical(targets: Targets) -> str:
    """The meaning of targets.json as text: defaults filled in, comments and layout gone."""
    return json.dumps(targets.model_dump(mode="json", by_alias=True), sort_keys=True)


def versions(loaded: Loaded) -> dict[str, str]:
    """Versions of everything that can change a number."""
    names = ("nmlopt", "numpy", "scipy", "deap", "efel", "pyneuroml")
    backend = loaded.problem.backend
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{n: version(n) for n in names},
        backend.name: backend.version(),
    }


def _record(loaded: Loaded, plan: Plan, options: Options) -> Record:
    files = loaded.files
    return Record(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        commands=(plan.command,) if plan.command else (),
        versions=versions(loaded),
        seeds=plan.search.seeds,
        algorithm={**asdict(plan.search.algorithm), "starts_from_present": plan.search.starts_from_present},
        backend=options.backend,
        settings=settings_record(loaded.problem.program.settings),
        model="",
        model_digest=files.document.digest,
        targets="",
        targets_digest=hashlib.sha256(files.targets_path.read_bytes()).hexdigest(),
        files={},
        evaluation={"workers": plan.machine.workers, "timeout_s": plan.machine.timeout_s},
        stopping=asdict(plan.rule),
        verify=plan.verify or (),
        solutions=plan.solutions,
        rescore=plan.rescore,
        reference=reference_of(loaded.problem),
        programs=(loaded.problem.program.made,) if loaded.problem.program.made else (),
    )
