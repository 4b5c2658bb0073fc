"""How a run stands, as one value and as JSON: what `nmlopt status --json` prints and scripts rely on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nmlopt.errors import ResultsError
from nmlopt.results import run_toml
from nmlopt.results.doubts import doubts
from nmlopt.results.error_estimate import ErrorEstimate, estimate
from nmlopt.results.lock import holder
from nmlopt.results.model import SeedProgress
from nmlopt.results.rescored import REFERENCE, TIGHT, RescoredPart, label
from nmlopt.results.store import RunStore
from nmlopt.results.writeback import FOLDER, SCORES
from nmlopt.spec.models import DEFAULT_CAP


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SeedSummary(_Part):
    """One search of the run."""

    seed: int
    generations: int
    evaluations: int
    best_sum: float | None = Field(description="least sum of objectives; null before a candidate ran to its end")
    cpu_seconds: float
    wall_seconds: float
    stop_reason: str = Field(description="why the search ended; empty while it may go on")


class SolutionSummary(_Part):
    """One solution that was written."""

    name: str = Field(description="its folder below solutions/")
    model: str = Field(description="main model file, relative to the run folder")
    sum: float | None
    reasons: tuple[str, ...] = Field(description="why it was chosen: sum, objective <id>, trade-off")
    scores: dict[str, float | None] = Field(description="by target id, in sd, validation targets included")
    objectives: dict[str, float | None]
    parameters: dict[str, float] = Field(description="values of the free parameters, in their units")
    at_bound: tuple[str, ...] = Field(description="parameters within 1 % of a bound")
    seed: int
    generation: int
    cap: float = Field(description="score of a missing feature, in sd")
    rescored: tuple[RescoredPart, ...] = Field(description="scores at a tighter setting and on NEURON; see README")
    verified: str | None = Field(description="verdict of `fit --verify`; null where there is none (yet)")


class Warned(_Part):
    """What is to be doubted of the results, as the command warns of it."""

    code: str
    message: str
    hint: str


class Summary(_Part):
    """How a run stands."""

    format: Literal["nmlopt-result"]
    format_version: Literal["1.0"]
    evaluations: int
    generations: int = Field(description="of all seeds together")
    best_sum: float | None
    cpu_seconds: float
    wall_seconds: float
    failures: dict[str, int] = Field(description="evaluations by status other than ok")
    seeds: tuple[SeedSummary, ...]
    solutions: tuple[SolutionSummary, ...]
    stop_reason: str = Field(description="of all seeds, where they agree; else 'seed N: reason; ...'")
    running: str | None = Field(description="the process that is writing just now, or null")
    backend: str
    settings: dict[str, Any]
    versions: dict[str, str]
    error_estimate: ErrorEstimate | None = Field(description="of the search's scores; null where none was made")
    missing: tuple[str, ...] = Field(description="what was asked for at the end and is not there: resume does it")
    warnings: tuple[Warned, ...]

    def to_json(self) -> str:
        """One JSON document."""
        return self.model_dump_json(indent=2)


def summarise(store: RunStore) -> Summary:
    """The summary of a run, also of one that is being written."""
    with store.snapshot():
        progress, failures, context = store.progress(), store.failures(), store.info.context
        error = estimated(store)
    found = solutions(store.folder)
    sums = [p.best_sum for p in progress if p.best_sum is not None]
    return Summary(
        format="nmlopt-result",
        format_version="1.0",
        evaluations=sum(p.evaluations for p in progress),
        generations=sum(p.generations for p in progress),
        best_sum=min(sums, default=None),
        cpu_seconds=sum(p.cpu_s for p in progress),
        wall_seconds=sum(p.wall_s for p in progress),
        failures={status.value: count for status, count in failures.items()},
        seeds=tuple(_seed(p) for p in progress),
        solutions=found,
        stop_reason=_reason(progress),
        running=holder(store.folder),
        backend=context.backend,
        settings=dict(context.settings),
        versions=dict(context.versions),
        error_estimate=error,
        missing=tuple(_missing(store.folder, found)),
        warnings=tuple(Warned(code=i.code, message=i.message, hint=i.hint) for i in doubts(found, error)),
    )


def summary(folder: Path) -> Summary:
    """The summary of the run in that folder. Raises ResultsError R004, R005, R006."""
    with RunStore.open(folder) as store:
        return summarise(store)


def solutions(folder: Path) -> tuple[SolutionSummary, ...]:
    """The solutions that are in a run folder, in order; those that cannot be read are left out."""
    found = (_solution(folder, path) for path in sorted((folder / FOLDER).glob(f"[0-9]*/{SCORES}")))
    return tuple(solution for solution in found if solution is not None)


def schema() -> dict[str, Any]:
    """The JSON Schema of a summary, as shipped in schemas/v1/result.schema.json."""
    found = Summary.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:nmlopt:schema:result:1", **found}


def _solution(folder: Path, path: Path) -> SolutionSummary | None:
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        return SolutionSummary(
            name=path.parent.name,
            model=(path.parent / contents["model"]).relative_to(folder).as_posix(),
            parameters={key: value["value"] for key, value in contents["parameters"].items()},
            rescored=tuple(RescoredPart.model_validate(row) for row in contents.get("rescored", ())),
            verified=contents.get("verification", {}).get("verdict"),
            cap=contents.get("cap", DEFAULT_CAP),
            **{k: contents[k] for k in ("sum", "reasons", "scores", "objectives", "at_bound", "seed", "generation")},
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # being replaced just now, or not ours


def estimated(store: RunStore) -> ErrorEstimate | None:
    """The error of the search's scores, by the candidates that were drawn for it."""
    drawn = [row for row in store.rescored() if row.drawn]
    return estimate(drawn, {row.number: store.evaluation(row.number).evaluation for row in drawn})


def _missing(folder: Path, found: tuple[SolutionSummary, ...]) -> Iterator[str]:
    """What run.toml asks for beside the solutions, and is not there."""
    try:
        record = run_toml.read(folder)
    except ResultsError:
        return
    wanted = {TIGHT: record.backend, **({REFERENCE: record.reference} if record.reference else {})}
    for role, backend in wanted.items() if record.rescore else ():
        lacking = sum(all(part.role != role for part in solution.rescored) for solution in found)
        if lacking:
            yield f"scores {label(role, backend)} of {lacking} of {len(found)} solutions"
    lacking = sum(solution.verified is None for solution in found)
    if record.verify and lacking:
        yield f"verification on {', '.join(record.verify)} of {lacking} of {len(found)} solutions"


def _seed(p: SeedProgress) -> SeedSummary:
    return SeedSummary(
        seed=p.seed,
        generations=p.generations,
        evaluations=p.evaluations,
        best_sum=p.best_sum,
        cpu_seconds=p.cpu_s,
        wall_seconds=p.wall_s,
        stop_reason=p.stop_reason,
    )


def _reason(progress: tuple[SeedProgress, ...]) -> str:
    reasons = {p.stop_reason for p in progress}
    if len(reasons) == 1:
        return reasons.pop()
    return "; ".join(f"seed {p.seed}: {p.stop_reason or 'not ended'}" for p in progress)
