"""What an accuracy costs and changes, as a table and as a document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from nmlopt.api.accuracies import Accuracies
from nmlopt.cli.output import number, say, show_table
from nmlopt.spec.models import Targets


def accuracies_document(found: Accuracies) -> dict[str, Any]:
    """As JSON has it."""
    return asdict(found)


def show_accuracies(found: Accuracies, targets: Targets, chosen: str) -> None:
    """Targets by accuracy, then spikes and cost; `chosen`: that of the traces."""
    names = [f"{level.accuracy} *" if level.accuracy == chosen else str(level.accuracy) for level in found.levels]
    rows = [
        (
            f"{t.id} / sd",
            *(
                "only one finds it" if t.id in level.flips else _short(level.score_differences.get(t.id))
                for level in found.levels
            ),
        )
        for t in targets.targets
    ]
    rows.append(("largest shift of a spike / ms", *(_short(level.shift_ms) for level in found.levels)))
    rows.append(("spikes", *(str(level.spikes) for level in found.levels)))
    rows.append(("CPU time / ms", *(number(round(1e3 * level.cpu_s, 2)) for level in found.levels)))
    show_table(f"Difference of scores to {found.reference} (* is what was written)", ("", *names), rows)
    for level in found.levels:
        if level.detail:
            say(f"{level.accuracy} did not run to its end: {level.detail}")


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"
