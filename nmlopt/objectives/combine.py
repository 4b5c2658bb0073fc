"""Features of a candidate made into scores, and scores made into its objective vector; rules are worked out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nmlopt.objectives.score import Rule, make_rule, score, total
from nmlopt.spec.models import Targets


@dataclass(frozen=True, slots=True)
class Group:
    """One objective: the ids of its targets, the weight of each, and how their scores become one number."""

    id: str
    combine: str
    targets: tuple[str, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Scoring:
    """All that is needed to judge a candidate: a rule per target (validation targets too), the objectives, the cap."""

    rules: tuple[tuple[str, Rule], ...]
    groups: tuple[Group, ...]
    cap: float


def make_scoring(targets: Targets) -> Scoring:
    """The numbers of `targets`, read once."""
    weights = {target.id: target.weight for target in targets.targets}
    return Scoring(
        rules=tuple((target.id, make_rule(target)) for target in targets.targets),
        groups=tuple(
            Group(o.id, o.combine, o.targets, tuple(weights[target] for target in o.targets))
            for o in targets.all_objectives()
        ),
        cap=targets.cap,
    )


def target_scores(scoring: Scoring, features: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Raw score in sd per target id; a target without an entry in `features` scores the cap."""
    return {target: score(rule, features.get(target), scoring.cap) for target, rule in scoring.rules}


def objectives(scoring: Scoring, scores: Mapping[str, float]) -> tuple[float, ...]:
    """One number per objective, in the order of `Targets.all_objectives()`, each in [0, cap]."""
    return tuple(min(max(_combined(group, scores), 0.0), scoring.cap) for group in scoring.groups)


def _combined(group: Group, scores: Mapping[str, float]) -> float:
    """max or mean of the scores, or the sum of weight times score."""
    members = [scores[target] for target in group.targets]
    if group.combine == "max":
        return max(members)
    if group.combine == "mean":
        return total(members) / len(members)
    return total(weight * member for weight, member in zip(group.weights, members, strict=True))
