"""Scores of targets made into the objective vector of a candidate."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nmlopt.spec.models import Objective, Targets


def objectives(targets: Targets, scores: Mapping[str, float]) -> tuple[float, ...]:
    """One number per objective, in the order of `targets.all_objectives()`, each in [0, cap]."""
    weights = {target.id: target.weight for target in targets.targets}
    return tuple(
        min(max(_combined(objective, scores, weights), 0.0), targets.cap) for objective in targets.all_objectives()
    )


def _combined(objective: Objective, scores: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """max or mean of the scores, or the sum of weight times score."""
    members = [scores[target] for target in objective.targets]
    if objective.combine == "max":
        return max(members)
    if objective.combine == "mean":
        return math.fsum(members) / len(members)
    return math.fsum(weights[target] * scores[target] for target in objective.targets)
