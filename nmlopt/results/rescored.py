"""Solutions scored again: at a tighter setting and on the reference simulator, and what that changes.

A fit searches at a setting that is fast; what it publishes is judged again by the same targets (performance study,
section 8: search, re-score, publish).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from nmlopt.backend import RunStatus
from nmlopt.evaluate.model import Evaluation
from nmlopt.optimise.model import Json

TIGHT: Final = "tight"
"""The role of scores by the search's own backend at a tighter setting."""
REFERENCE: Final = "reference"
"""The role of scores on the reference simulator, NEURON."""
ROLES: Final = (TIGHT, REFERENCE)
NOT_RUN: Final = "not run"
TELLING_SD: Final = 0.25
"""Differences of an objective beyond this are warned of."""


@dataclass(frozen=True, slots=True)
class Rescored:
    """A candidate scored again. `settings`: those of the run that changed the scores; `version`: the simulator's."""

    role: str
    backend: str
    version: str
    settings: Mapping[str, Json]
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class NotRun:
    """Why candidates were not scored in a role."""

    role: str
    backend: str
    reason: str


class Change(BaseModel):
    """An objective in the search and scored again, in sd."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    objective: str
    search: float
    again: float

    @property
    def size(self) -> float:
        """The distance of both."""
        return abs(self.again - self.search)


class RescoredPart(BaseModel):
    """A solution scored again, as it is in scores.json and in `nmlopt status --json`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    role: str = Field(description="'tight': the search's backend at a tighter setting; 'reference': on NEURON")
    backend: str
    version: str
    settings: dict[str, bool | int | float | str | None]
    status: str = Field(description="as of an evaluation; 'not run': see detail")
    detail: str
    sum: float | None
    objectives: dict[str, float]
    scores: dict[str, float | None] = Field(description="by target id, in sd")
    features: dict[str, tuple[float | None, ...]]
    largest: Change | None = Field(description="the objective that differs most from the search's; null if none ran")
    beyond: tuple[Change, ...] = Field(description="all that differ by more than 0.25 sd, the largest first")
    lost: tuple[str, ...] = Field(description="targets whose feature the search found and this did not")
    gained: tuple[str, ...] = Field(description="targets whose feature only this found")

    @property
    def has_run(self) -> bool:
        """Whether it ran to its end."""
        return self.status == RunStatus.OK


def part(found: Rescored | NotRun, search: Evaluation, objectives: Sequence[str]) -> RescoredPart:
    """What is written of a candidate that scored `search` in the search; `objectives`: their names."""
    if isinstance(found, NotRun):
        empty: tuple[str, ...] = ()
        return RescoredPart(
            role=found.role, backend=found.backend, version="", settings={}, status=NOT_RUN, detail=found.reason,
            sum=None, objectives={}, scores={}, features={}, largest=None, beyond=(), lost=empty, gained=empty,
        )  # fmt: skip
    again = found.evaluation
    ran = again.status is RunStatus.OK
    changed = sorted(changes(search, again, objectives), key=lambda c: -c.size) if ran else []
    lost, gained = flips(search, again) if ran else ((), ())
    return RescoredPart(
        role=found.role,
        backend=found.backend,
        version=found.version,
        settings={key: value for key, value in found.settings.items() if not isinstance(value, list | dict)},
        status=again.status.value,
        detail=again.detail,
        sum=again.total,
        objectives=dict(zip(objectives, again.objectives, strict=True)),
        scores={key: _finite(value) for key, value in again.scores.items()},
        features={key: tuple(map(_finite, values)) for key, values in again.features.items()},
        largest=changed[0] if changed else None,
        beyond=tuple(c for c in changed if c.size > TELLING_SD),
        lost=lost,
        gained=gained,
    )


def changes(search: Evaluation, again: Evaluation, objectives: Sequence[str]) -> Iterator[Change]:
    """Every objective both times."""
    for name, before, after in zip(objectives, search.objectives, again.objectives, strict=True):
        yield Change(objective=name, search=before, again=after)


def flips(search: Evaluation, again: Evaluation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(targets that were found in the search only, targets that were found again only)."""
    lost = tuple(name for name in search.scores if name in search.features and name not in again.features)
    gained = tuple(name for name in search.scores if name in again.features and name not in search.features)
    return lost, gained


def differences(search: Evaluation, again: Evaluation) -> dict[str, float]:
    """|difference of the scores| in sd of every target found both times."""
    both = [name for name in search.scores if name in search.features and name in again.features]
    return {name: abs(again.scores[name] - search.scores[name]) for name in both}


def label(role: str, backend: str) -> str:
    """What a role is called in messages."""
    return f"on {backend}" if role == REFERENCE else f"at a tighter setting of {backend}"


def column_of(found: RescoredPart) -> str:
    """What a role is called above a column."""
    return found.backend if found.role == REFERENCE else "tighter"


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
