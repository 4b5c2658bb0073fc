"""The report as plain rows of text and percentages: all thinking is done here, the template only prints."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from nmlopt.backend import RunStatus
from nmlopt.evaluate.model import Evaluation
from nmlopt.experiment.parameters import FreeParameter
from nmlopt.results.again_view import Again, by_role, published, scores_again, sums_again
from nmlopt.results.bounds import at_bound, position
from nmlopt.results.report_input import ReportInput
from nmlopt.results.summary import SeedSummary
from nmlopt.results.wording import duration, number
from nmlopt.results.writeback import Written
from nmlopt.spec.models import FeatureTarget, SpikeTimesTarget, Target, Targets

BAR_SD = 4.0
"""Scores are drawn up to this many sd."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A score as drawn: its text, its length in percent of `BAR_SD`, its level ('1', '2', '3' sd or 'over')."""

    text: str
    percent: str
    level: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target and how one solution meets it."""

    id: str
    what: str
    protocol: str
    is_validation: bool
    wanted: str
    original: str
    found: str
    original_score: str
    bar: Bar
    again: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SolutionRow:
    """One solution."""

    name: str
    href: str
    file: str
    reasons: str
    sum: str
    worst: str
    within: str
    origin: str
    at_bound: str
    again: tuple[str, ...]
    targets: tuple[TargetRow, ...]


@dataclass(frozen=True, slots=True)
class Dot:
    """A value on a bar: percent from the left, and whose it is."""

    percent: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A free parameter: the value of solution 01 among its bounds."""

    id: str
    description: str
    paths: tuple[str, ...]
    original: str
    best: str
    unit: str
    lower: str
    upper: str
    scale: str
    flag: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One way in which candidates failed."""

    status: str
    count: int
    share: str
    advice: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifiedRow:
    """A solution on other backends."""

    name: str
    href: str
    backends: str
    verdict: str
    level: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeedRow:
    """One search."""

    seed: int
    generations: int
    evaluations: int
    best: str
    cpu: str
    wall: str
    reason: str


def bar(score: float | None) -> Bar:
    """A score in sd as a bar."""
    if score is None or not math.isfinite(score):
        return Bar("–", "100", "over", is_cut=True)
    level = next((name for name, limit in (("1", 1.0), ("2", 2.0), ("3", 3.0)) if score <= limit), "over")
    percent = 100.0 * min(score, BAR_SD) / BAR_SD
    return Bar(number(score, 3), f"{percent:.2f}", level, is_cut=score > BAR_SD)


def solution_rows(data: ReportInput) -> tuple[SolutionRow, ...]:
    """The solutions, in the order in which they were written."""
    return tuple(_solution(data, written) for written in data.solutions)


def target_rows(
    targets: Targets, evaluation: Evaluation, original: Evaluation | None, again: Again = ()
) -> tuple[TargetRow, ...]:
    """Fitted targets in file order, then those for validation."""
    roles = {protocol.id: protocol.role for protocol in targets.protocols}
    rows = [
        replace(
            _target(t, evaluation, original, is_validation=roles[t.protocol] == "validate"),
            again=tuple(scores_again(again, t.id)),
        )
        for t in targets.targets
    ]
    return tuple(sorted(rows, key=lambda row: row.is_validation))


def parameter_rows(data: ReportInput) -> tuple[ParameterRow, ...]:
    """The free parameters, in the order of the search's axes."""
    described = {p.id: p for p in data.targets.parameters}
    return tuple(
        _parameter(p, index, data, described[p.id].description, described[p.id].paths)
        for index, p in enumerate(data.parameters.free)
    )


def failure_rows(data: ReportInput) -> tuple[FailureRow, ...]:
    """The kinds of failure, with what to do about them."""
    total = max(1, data.summary.evaluations)
    return tuple(
        FailureRow(
            status=name,
            count=count,
            share=f"{100.0 * count / total:.3g} %",
            advice=RunStatus(name).advice,
            details=tuple(f"{times} × {text}" for text, times in data.failures.get(RunStatus(name), ())),
        )
        for name, count in data.summary.failures.items()
    )


def seed_rows(seeds: Sequence[SeedSummary]) -> tuple[SeedRow, ...]:
    """The searches, side by side."""
    return tuple(
        SeedRow(
            s.seed,
            s.generations,
            s.evaluations,
            number(s.best_sum),
            duration(s.cpu_seconds),
            duration(s.wall_seconds),
            s.stop_reason or "not ended",
        )
        for s in seeds
    )


def verdict(data: ReportInput) -> tuple[str, str]:
    """(level, sentence) on the best solution: '1', '2', '3' or 'over', or 'none' when there is none."""
    if not data.solutions:
        return "none", "no candidate ran to its end"
    found, where = published(data.solutions[0].solution)
    if max(found) <= 1.0:
        return "1", f"all {len(found)} objectives of solution 01 are within 1 sd of their targets{where}"
    level = bar(max(found)).level
    far = sum(value > 1.0 for value in found)
    return level, f"{far} of {len(found)} objectives of solution 01 are more than 1 sd from their targets{where}"


def commands(data: ReportInput) -> tuple[tuple[str, str], ...]:
    """(what for, command line) of what one may want to do next."""
    run = PurePosixPath(data.folder)
    targets = shlex.quote(str(run / data.record.targets))
    rows = [("Go on with the search", f"nmlopt resume {shlex.quote(str(run))} --generations {_more(data)}")]
    if data.solutions:
        first = data.solutions[0]
        model = shlex.quote(str(run / "solutions" / first.name / first.file))
        backend = shlex.quote(data.record.backend)
        other = shlex.quote(data.record.reference or data.record.backend)
        rows = [
            ("Score the best solution again", f"nmlopt score {model} {targets} --backend {backend}"),
            ("Its traces as CSV and PNG", f"nmlopt simulate {model} {targets} --out traces --backend {backend}"),
            ("A folder that runs without nmlopt", f"nmlopt export {model} exported --to {other} --targets {targets}"),
            *rows,
        ]
    return (*rows, ("Make this report anew", f"nmlopt report {shlex.quote(str(run))}"))


def verified_rows(data: ReportInput) -> tuple[VerifiedRow, ...]:
    """What other backends say of the solutions that they were asked about."""
    levels = {"differs": "differs", "undecided": "undecided", "nothing was compared": "undecided"}
    return tuple(
        VerifiedRow(
            w.name,
            found.page,
            ", ".join(f"{b.name} {b.version} ({b.status})" for b in found.document.backends),
            found.document.verdict,
            levels.get(found.document.verdict, "same"),
            tuple(finding.text for finding in found.document.findings[:2]),
        )
        for w in data.solutions
        if (found := w.solution.verified) is not None
    )


def settings_table(values: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Settings as rows; those that were not given are left out."""
    return tuple((key.replace("_", " "), str(value)) for key, value in values.items() if value is not None)


def _more(data: ReportInput) -> int:
    done = max((s.generations for s in data.summary.seeds), default=0)
    return max(10, 2 * done)


def _solution(data: ReportInput, written: Written) -> SolutionRow:
    stored = written.solution.stored
    evaluation = stored.evaluation
    names = [objective.id for objective in data.targets.all_objectives()]
    again = by_role(data, written)
    worst = max(range(len(names)), key=lambda i: evaluation.objectives[i])
    within = sum(value <= 1.0 for value in evaluation.objectives)
    edges = [
        f"{p.id} ({edge})"
        for p, value in zip(data.parameters.free, evaluation.x, strict=True)
        if (edge := at_bound(p.lower, p.upper, p.scale, value))
    ]
    return SolutionRow(
        name=written.name,
        href=f"solutions/{written.name}/{written.file}",
        file=written.file,
        reasons=", ".join(_reason(reason) for reason in written.solution.reasons),
        sum=number(evaluation.total),
        worst=f"{number(evaluation.objectives[worst], 3)} ({names[worst]})",
        within=f"{within} of {len(names)}",
        origin=f"seed {stored.seed}, generation {stored.generation}",
        at_bound=", ".join(edges),
        again=sums_again(again),
        targets=target_rows(data.targets, evaluation, data.original, again),
    )


def _reason(reason: str) -> str:
    if reason == "sum":
        return "best sum"
    return "best " + reason.removeprefix("objective ") if reason.startswith("objective ") else reason


def _target(target: Target, evaluation: Evaluation, original: Evaluation | None, *, is_validation: bool) -> TargetRow:
    score = evaluation.scores.get(target.id)
    old = original.scores.get(target.id) if original else None
    return TargetRow(
        id=target.id,
        what=_what(target),
        protocol=target.protocol,
        is_validation=is_validation,
        wanted=_wanted(target),
        original=_found(target, original) if original else "",
        found=_found(target, evaluation),
        original_score=number(old, 3) if original else "",
        bar=bar(score),
        again=(),
    )


def _what(target: Target) -> str:
    if isinstance(target, FeatureTarget):
        return target.feature
    return "spike times" if isinstance(target, SpikeTimesTarget) else "trace"


def _wanted(target: Target) -> str:
    if isinstance(target, FeatureTarget):
        return f"{number(target.mean)} ± {number(target.sd, 3)} {target.unit}".strip()
    if isinstance(target, SpikeTimesTarget):
        return f"{len(target.times)} spikes ± {target.sd}"
    return f"{target.file} ± {target.sd}"


def _found(target: Target, evaluation: Evaluation) -> str:
    values = evaluation.features.get(target.id)
    if values is None:
        return "missing"
    if isinstance(target, SpikeTimesTarget):
        return f"{len(values)} spike" + ("" if len(values) == 1 else "s")
    if not values:
        return "missing"
    mean = number(sum(values) / len(values))
    if isinstance(target, FeatureTarget):
        count = f" (mean of {len(values)})" if len(values) > 1 else ""
        return f"{mean} {target.unit}".strip() + count
    return f"{mean} {target.unit} rms"


def _parameter(
    parameter: FreeParameter, index: int, data: ReportInput, description: str, paths: tuple[str, ...]
) -> ParameterRow:
    p = parameter
    values = [written.solution.stored.evaluation.x[index] for written in data.solutions]
    best = values[0] if values else None
    others = [_dot(p, value, "other", f"solution {w.name}") for value, w in zip(values, data.solutions, strict=True)]
    present = [_dot(p, p.present, "original", "original model")]
    return ParameterRow(
        id=p.id,
        description=description,
        paths=paths,
        original=number(p.present),
        best=number(best, 6),
        unit=p.unit.symbol,
        lower=number(p.lower),
        upper=number(p.upper),
        scale="log" if p.scale == "log10" else "",
        flag=at_bound(p.lower, p.upper, p.scale, best) if best is not None else "",
        dots=(*others[1:], *present, *([_dot(p, best, "best", "solution 01")] if best is not None else [])),
    )


def _dot(p: FreeParameter, value: float, kind: str, whose: str) -> Dot:
    percent = 100.0 * position(p.lower, p.upper, p.scale, value)
    return Dot(f"{percent:.2f}", kind, f"{whose}: {number(value, 6)} {p.unit.symbol}".strip())
