"""How many steps protocols take: refused before memory is asked for, where there would be none or too many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from nmlopt.backend import Settings
from nmlopt.errors import Issue
from nmlopt.experiment.model import Experiment

MOST_STEPS: Final = 100_000_000
"""Of one protocol: 40 minutes at 0.025 ms. A recording of so many steps takes 1.6 GB."""


def refused_steps(
    experiments: Sequence[Experiment], settings: Settings, places: Mapping[str, str] | None = None
) -> Iterator[Issue]:
    """Protocols that are shorter than a step (B147) or take more than `MOST_STEPS` (B146); `places` by their ids."""
    for experiment in experiments:
        where = (places or {}).get(experiment.id, "")
        name = f"protocol '{experiment.id}' lasts {experiment.duration_ms:g} ms"
        if experiment.duration_ms < settings.dt_ms:
            message = f"{name}, which is less than one step (dt {settings.dt_ms:g} ms)"
            yield Issue("B147", message, where, "lengthen the protocol, or give a smaller --dt")
        elif experiment.duration_ms / settings.dt_ms > MOST_STEPS:
            steps = experiment.duration_ms / settings.dt_ms
            message = f"{name}: {steps:.3g} steps of {settings.dt_ms:g} ms, more than {MOST_STEPS:,}"
            yield Issue("B146", message, where, "shorten the protocol, or give a larger --dt; mind the units")
