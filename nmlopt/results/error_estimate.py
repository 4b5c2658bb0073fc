"""How far the scores of a search are from those at a tighter setting, by candidates drawn while it ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from nmlopt.backend import RunStatus
from nmlopt.evaluate.model import Evaluation
from nmlopt.results.rescored import TIGHT, differences, flips
from nmlopt.results.rescored_rows import FOR_ESTIMATE, Row

ALARM_SD: Final = 1.0
"""The 99th percentile of the differences that is no longer tolerable."""


class ErrorEstimate(BaseModel):
    """Differences of the scores of targets between the search and a tighter setting, in sd."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    candidates: int = Field(description="the best every tenth generation, and some of the others by lot")
    generation: int = Field(description="the latest at which candidates were drawn")
    differences: int = Field(description="targets of these candidates that were found both times")
    median_sd: float
    p99_sd: float
    largest_sd: float
    largest_target: str
    flips: int = Field(description="targets found in one and missing in the other, all candidates together")
    flips_of_best: tuple[str, ...] = Field(description="such targets of candidates that were the best when drawn")
    failed: int = Field(description="candidates that ended well in the search and not at the tighter setting")

    @property
    def is_alarming(self) -> bool:
        """Whether the search may be misled."""
        return self.p99_sd > ALARM_SD or bool(self.flips_of_best)

    @property
    def text(self) -> str:
        """In one line."""
        return (
            f"{self.candidates} candidates at a tighter setting: scores differ by {self.median_sd:.2g} sd (median), "
            f"{self.p99_sd:.2g} sd (99th percentile), {self.flips} found/missing flips"
        )


def estimate(rows: Sequence[Row], search: Mapping[int, Evaluation]) -> ErrorEstimate | None:
    """The estimate by the rows that were drawn for it; `search`: what the search found, by number. None: no rows."""
    drawn = [row for row in rows if row.rescored.role == TIGHT and row.drawn in FOR_ESTIMATE]
    if not drawn:
        return None
    found: list[tuple[float, str]] = []
    of_best: dict[str, None] = {}
    flipped = failed = 0
    for row in drawn:
        before, after = search[row.number], row.rescored.evaluation
        if before.status is not RunStatus.OK or after.status is not RunStatus.OK:
            failed += before.status is RunStatus.OK
            continue
        found += [(size, name) for name, size in differences(before, after).items()]
        lost, gained = flips(before, after)
        flipped += len(lost) + len(gained)
        if row.drawn == "best":
            of_best.update(dict.fromkeys((*lost, *gained)))
    sizes = np.array([size for size, _ in found] or [0.0])
    largest, name = max(found, default=(0.0, ""))
    return ErrorEstimate(
        candidates=len(drawn),
        generation=max(row.after for row in drawn),
        differences=len(found),
        median_sd=float(np.median(sizes)),
        p99_sd=float(np.quantile(sizes, 0.99, method="higher")),
        largest_sd=largest,
        largest_target=name,
        flips=flipped,
        flips_of_best=tuple(of_best),
        failed=failed,
    )
