"""Going on with a run: after an interruption, with a larger budget, or with other weights, groups or bounds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from nmlopt.api.estimating import OnEstimate
from nmlopt.api.finishing import finish
from nmlopt.api.fitting import FitResult, OnStart, Plan, canonical, run, run_info
from nmlopt.api.problem import Files, Loaded, Options, build, load, read_files
from nmlopt.api.rescoring import reference_of
from nmlopt.api.searching import Machine, OnProgress, Search, first_state
from nmlopt.backend import Accuracy, Integrator, Numerics, Settings
from nmlopt.errors import Issue, ResultsError, TargetsError, raise_errors
from nmlopt.evaluate.evaluate import rescored
from nmlopt.evaluate.model import Problem
from nmlopt.optimise.loop import founded
from nmlopt.optimise.model import AlgorithmSettings, Json, State
from nmlopt.optimise.registry import load_algorithm
from nmlopt.optimise.state import read, write
from nmlopt.optimise.stopping import StopRule
from nmlopt.optimise.stopping import check as check_rule
from nmlopt.results import run_toml
from nmlopt.results.export_csv import write_csv
from nmlopt.results.inputs import add, locate, next_targets_folder, targets_copy
from nmlopt.results.own_files import require_own
from nmlopt.results.run_toml import Record
from nmlopt.results.store import RunStore
from nmlopt.results.writeback import FOLDER as SOLUTIONS
from nmlopt.results.writeback import SCORES
from nmlopt.spec.models import Targets
from nmlopt.verify.run import OnStep


@dataclass(frozen=True, slots=True)
class Changes:
    """What `resume` may change of a run; None leaves it as it is, also each limit of `rule`.

    `targets`: a file with other weights, means, sds, bounds.
    """

    rule: StopRule | None = None
    workers: int | None = None
    timeout_s: float | None = None
    targets: Path | None = None
    command: str = ""
    rescore: bool | None = None


def resume_run(
    folder: Path,
    changes: Changes,
    *,
    solutions: int | None = None,
    on_progress: OnProgress,
    on_start: OnStart = lambda loaded, plan: None,
    on_step: OnStep = lambda _: None,
    on_estimate: OnEstimate = lambda _: None,
) -> FitResult:
    """Go on with the run in `folder` from its last whole generation.

    Raises ResultsError (not a run folder, changed inputs, another process at work, targets of another experiment).
    """
    record = run_toml.read(folder)
    with _followed(folder):
        plan = _changed(replace(plan_of(record), command=changes.command), changes)
        plan = plan if solutions is None else replace(plan, solutions=solutions)
        check_rule(plan.rule, plan.search.algorithm.offspring)
    require_own(folder / SOLUTIONS, SCORES)
    with RunStore.resume(folder) as store:
        loaded = load_run(folder, record)
        record = _with_program(replace(_with_plan(record, plan), reference=reference_of(loaded.problem)), loaded)
        if changes.targets is not None:
            loaded, record = _with_targets(store, loaded, changes.targets, plan, record)
        run_toml.write(folder, record)
        on_start(loaded, plan)
        return run(store, loaded, plan, on_progress, on_step, on_estimate)


def report_run(folder: Path, *, solutions: int | None = None, table: Path | None = None) -> Path:
    """Write the solutions and the report of a run anew, from what is stored; path of the report.

    `table`: a new file for every evaluation as CSV, too. Raises ResultsError R001 where it exists.
    """
    if table is not None and (table.exists() or table.is_symlink()):
        raise ResultsError(Issue("R001", "the file exists and is not replaced", str(table), "choose another name"))
    require_own(folder / SOLUTIONS, SCORES)
    with RunStore.resume(folder) as store:
        if table is not None:
            write_csv(store, table)
        record = run_toml.read(folder)
        with _followed(folder):
            count = plan_of(record).solutions if solutions is None else solutions
        return finish(store, load_run(folder, record), count)


def load_run(folder: Path, record: Record) -> Loaded:
    """The problem of a run, from the copies inside its folder. Raises ResultsError R008 where they were changed."""
    inputs = locate(folder, record)
    with _followed(folder):
        options = _options(record, inputs.root, inputs.search_paths)
    return load(inputs.model, inputs.targets, options)


@contextmanager
def _followed(folder: Path) -> Iterator[None]:
    """Turn what is wrong with words and numbers of run.toml, which people can edit, into ResultsError R009."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        why = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        raise ResultsError(run_toml.unusable(folder / run_toml.NAME, why)) from error


def plan_of(record: Record) -> Plan:
    """The search, stop rule and machine that run.toml records."""
    algorithm: dict[str, Any] = dict(record.algorithm)
    starts = bool(algorithm.pop("starts_from_present", True))
    machine: dict[str, Any] = dict(record.evaluation)
    rule: dict[str, Any] = dict(record.stopping)
    return Plan(
        search=Search(AlgorithmSettings(**_known(AlgorithmSettings, algorithm)), tuple(record.seeds), starts),
        rule=StopRule(**_known(StopRule, rule)),
        machine=Machine(**_known(Machine, machine)),
        solutions=int(record.solutions),
        rescore=record.rescore,
    )


def _changed(plan: Plan, changes: Changes) -> Plan:
    """The plan with the limits and the machine that were given anew; the others stay."""
    limits = {name: value for name, value in asdict(changes.rule or StopRule()).items() if value is not None}
    if changes.rule is None or changes.rule.stagnation is None:
        limits.pop("stagnation_improvement")
    workers = plan.machine.workers if changes.workers is None else changes.workers
    timeout_s = plan.machine.timeout_s if changes.timeout_s is None else changes.timeout_s
    rescore = plan.rescore if changes.rescore is None else changes.rescore
    return replace(plan, rule=replace(plan.rule, **limits), machine=Machine(workers, timeout_s), rescore=rescore)


def _known(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def _options(record: Record, root: Path, search_paths: tuple[Path, ...]) -> Options:
    values: dict[str, Any] = dict(record.settings)
    values["numerics"] = Numerics(values["numerics"])
    values["integrator"] = Integrator(values["integrator"])
    values["threads"] = int(values.get("threads", 1))
    values["accuracy"] = Accuracy(values["accuracy"]) if values.get("accuracy") else None
    return Options(record.backend, Settings(**_known(Settings, values)), root, search_paths)


def _with_plan(record: Record, plan: Plan) -> Record:
    return replace(
        record,
        stopping=asdict(plan.rule),
        solutions=plan.solutions,
        rescore=plan.rescore,
        evaluation=asdict(plan.machine),
        commands=(*record.commands, plan.command) if plan.command else record.commands,
    )


def _with_program(record: Record, loaded: Loaded) -> Record:
    """What the program was made with this time, where that is new: on another machine, or by another compiler."""
    made = loaded.problem.program.made
    is_known = not made or any(_plain(old) == _plain(made) for old in record.programs)
    return record if is_known else replace(record, programs=(*record.programs, made))


def _plain(made: Mapping[str, Json]) -> str:
    return json.dumps(made, sort_keys=True)


# ------------------------------------------------------------------------------------------------ other targets


def _with_targets(store: RunStore, old: Loaded, path: Path, plan: Plan, record: Record) -> tuple[Loaded, Record]:
    """The problem with other targets; what was evaluated is scored anew, and the search starts from its best."""
    options = Options(record.backend, old.problem.program.settings, old.files.document.root)
    files = _other_targets(old, path)
    place, copied = targets_copy(files.targets, path, next_targets_folder(store.folder))
    if canonical(files.targets) == canonical(old.files.targets):
        return old, record
    new = build(files, options)
    digests = add(store.folder, copied)
    info = run_info(new, plan, options)

    states = {seed: _founded_state(store, new.problem, plan.search, seed) for seed in plan.search.seeds}
    store.carry_over(info, lambda evaluation: rescored(new.problem, evaluation), states)
    for seed in plan.search.seeds:
        store.set_stop_reason(seed, "")
    targets_digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return new, replace(record, targets=place, targets_digest=targets_digest, files={**record.files, **digests})


def _other_targets(old: Loaded, path: Path) -> Files:
    """The new targets with the run's document. Raises TargetsError; ResultsError R030 for another experiment."""
    document = old.files.document
    files = read_files(document.root / document.main, path, Options(root=document.root))
    raise_errors(files.issues, TargetsError)
    before, after = _fixed_part(old.files.targets), _fixed_part(files.targets)
    differing = [name for name in before if before[name] != after[name]]
    if differing:
        message = f"these targets differ from the run's in {' and '.join(differing)}: its evaluations do not fit them"
        hint = "change weights, means, sd, groups, bounds and scales only; for anything else start a new fit"
        raise ResultsError(Issue("R030", message, str(path), hint))
    return replace(files, document=document)


def _fixed_part(targets: Targets) -> dict[str, Any]:
    """What must not change if stored features are to stay true."""
    judged = {"mean", "sd", "weight", "n"}
    return {
        "parameters": [(p.id, p.paths, p.expression, p.unit) for p in targets.parameters],
        "protocols": targets.protocols,
        "targets": [t.model_dump(exclude=judged) for t in targets.targets],
        "temperature, v_init or component": (targets.temperature, targets.v_init, targets.component),
    }


def _founded_state(store: RunStore, problem: Problem, search: Search, seed: int) -> State:
    """A search that goes on from the best of what one seed has evaluated, by the new scores, within the new bounds.

    Where too few candidates lie within the new bounds, it begins anew with those that do.
    """
    found = [rescored(problem, stored.evaluation) for stored in store.evaluations(seed)]
    free = problem.parameters.free
    inside = [e for e in found if all(p.lower <= v <= p.upper for p, v in zip(free, e.x, strict=True))]
    x = np.array([e.x for e in inside]).reshape(len(inside), len(free))
    if len(inside) < search.algorithm.offspring:
        return first_state(problem, search, seed, x)
    state = founded(
        load_algorithm(search.algorithm.name),
        search.algorithm,
        candidates=problem.parameters.to_unit_interval(x),
        objectives=np.array([e.objectives for e in inside]),
        seed=seed,
    )
    before = next(p for p in store.progress() if p.seed == seed)
    return write(replace(read(state), generation=before.generations, evaluations=before.evaluations))
