"""Problems and evaluations as tables for people and as documents for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from nmlopt.api.checking import CheckReport, Resolved
from nmlopt.api.problem import Loaded
from nmlopt.cli.output import count, number, say, show_table
from nmlopt.evaluate.model import Evaluation
from nmlopt.experiment.parameters import FreeParameter
from nmlopt.spec.models import FeatureTarget, Target

MANY = 3
"""How many values of a feature are shown one by one."""


def as_dict(row: Any) -> dict[str, Any]:
    """A frozen dataclass of plain fields as a dictionary."""
    return asdict(row)


def evaluation_document(loaded: Loaded, evaluation: Evaluation) -> dict[str, Any]:
    """What `score --json` prints."""
    problem = loaded.problem
    return {
        "status": str(evaluation.status),
        "detail": evaluation.detail,
        "sum": evaluation.total,
        "objectives": dict(zip(problem.objective_ids, evaluation.objectives, strict=True)),
        "scores": dict(evaluation.scores),
        "features": {name: list(values) for name, values in evaluation.features.items()},
        "parameters": {p.id: value for p, value in zip(problem.parameters.free, evaluation.x, strict=True)},
    }


def show_evaluation(loaded: Loaded, evaluation: Evaluation) -> None:
    """Target by target: value, wanted value, score; then the sum."""
    targets = loaded.problem.targets
    roles = {protocol.id: protocol.role for protocol in targets.protocols}
    rows = [
        (
            target.id,
            found(evaluation.features.get(target.id, ())),
            wanted(target),
            number(evaluation.scores[target.id]),
            roles[target.protocol],
        )
        for target in targets.targets
    ]
    show_table(
        f"{evaluation.status} {evaluation.detail}".strip(), ("target", "found", "wanted", "score / sd", "role"), rows
    )
    say(f"{count(len(evaluation.objectives), 'objective')}, sum {number(evaluation.total)} sd")


def found(values: Sequence[float]) -> str:
    """The values of a feature in a few words."""
    if len(values) > MANY:
        return f"{number(sum(values) / len(values))} (mean of {len(values)})"
    return ", ".join(number(v) for v in values) or "missing"


def wanted(target: Target) -> str:
    """What a target asks for, in a few words."""
    if isinstance(target, FeatureTarget):
        return f"{number(target.mean)} ± {number(target.sd)} {target.unit}".strip()
    return f"as given, sd {target.sd}"


def resolved(report: CheckReport) -> dict[str, Any] | None:
    """The resolved problem as a document; None if there is none."""
    found = report.resolved
    if found is None:
        return None
    return {
        "parameters": [
            {
                "id": p.id,
                "paths": list(paths),
                "present": p.present,
                "unit": p.unit.symbol,
                "lower": p.lower,
                "upper": p.upper,
                "scale": p.scale,
            }
            for p, paths in _with_paths(found)
        ],
        "protocols": [p.id for p in found.targets.protocols],
        "targets": [t.id for t in found.targets.targets],
        "objectives": list(found.objective_ids),
        "seconds_per_evaluation": found.evaluation.cpu_s if found.evaluation else None,
        "status": str(found.evaluation.status) if found.evaluation else None,
    }


def show_resolved(found: Resolved) -> None:
    """What a fit would do: parameters, protocols, targets, cost of one evaluation."""
    targets = found.targets
    show_table(
        "Parameters",
        ("id", "present", "unit", "lower", "upper", "scale", "paths"),
        [
            (p.id, number(p.present), p.unit.symbol, number(p.lower), number(p.upper), p.scale, "\n".join(written))
            for p, written in _as_written(found)
        ],
    )
    show_table(
        "Protocols",
        ("id", "role", "duration", "stimuli", "recordings"),
        [
            (p.id, p.role, p.duration, ", ".join(s.type for s in p.stimuli), ", ".join(r.id for r in p.recordings))
            for p in targets.protocols
        ],
    )
    if found.loaded is not None and found.evaluation is not None:
        show_evaluation(found.loaded, found.evaluation)
        say(f"one evaluation takes {1e3 * found.evaluation.cpu_s:.3g} ms of CPU time")
        return
    rows = [(t.id, wanted(t), t.protocol) for t in targets.targets]
    show_table("Targets", ("target", "wanted", "protocol"), rows)
    say(f"{count(len(found.objective_ids), 'objective')}; nothing was run")


def _as_written(found: Resolved) -> list[tuple[FreeParameter, list[str]]]:
    """The free parameters with their paths as targets.json has them; where one means several numbers, their count."""
    given = {p.id: p.paths for p in found.targets.parameters}
    rows = []
    for parameter, resolved_paths in _with_paths(found):
        written = list(given[parameter.id])
        more = len(resolved_paths) - len(written)
        rows.append((parameter, written + ([f"({len(resolved_paths)} numbers)"] if more else [])))
    return rows


def _with_paths(found: Resolved) -> list[tuple[FreeParameter, tuple[str, ...]]]:
    parameters = found.parameters
    return [
        (p, tuple(b.slot.path for b in parameters.bindings if b.free == index))
        for index, p in enumerate(parameters.free)
    ]
