"""Judged cases as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from omv_judge import Result


def show_table(results: Sequence[Result], *, everything: bool) -> None:
    """Print one row per observable; with `everything` both numerics, jNeuroML's export, and CPU times."""
    if any("apart_ms" in values for result in results for values in result.details.values() if _is_table(values)):
        _show_limits(results)
        return
    head = ["case", "observable", "status", "spikes", "last expected", "ours jneuroml"]
    if everything:
        head += ["largest rel. diff.", "tolerance", "cnexp", "jNeuroML→NEURON", "CPU s jneuroml/cnexp/jNeuroML"]
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for result in results:
        for name in result.expected or [""]:
            print("| " + " | ".join(_cells(result, name, everything)) + " |")
        if result.message:
            print(f"<!-- {result.case}: {result.message} -->")


def _is_table(values: Any) -> bool:
    return isinstance(values, dict)


def _show_limits(results: Sequence[Result]) -> None:
    """Print what spike times tend to; what has not settled is how far two estimates of it lie apart."""
    head = ["case", "observable", "status", "spikes", "last published", "jNeuroML at dt = 0", "cnexp at dt = 0"]
    head += ["apart ms", "unsettled ms cnexp/jNeuroML", "CPU s cnexp/jNeuroML"]
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for result in results:
        for name in result.expected or [""]:
            expected, got, shown = result.expected.get(name), result.got.get(name), result.details.get(name, {})
            cells = [result.case, name, result.status, str(len(got)) if isinstance(got, list) else ""]
            cells += [_last(shown.get("published")), _last(expected), _last(got), _short(shown.get("apart_ms"))]
            cells += [" / ".join(_short(shown.get(who)) for who in ("ours_ms", "reference_ms"))]
            cells += [" / ".join(_short(result.details.get(f"cpu_{who}_s")) for who in ("cnexp", "reference"))]
            print("| " + " | ".join(cells) + " |")
        if result.message:
            print(f"<!-- {result.case}: {result.message} -->")


def summary(results: Sequence[Result]) -> str:
    """How many cases ended how."""
    counts = Counter(result.status for result in results)
    return f"{len(results)} cases: " + ", ".join(f"{counts[s]} {s}" for s in ("pass", "fail", "refused", "error"))


def _cells(result: Result, name: str, everything: bool) -> list[str]:
    expected, got = result.expected.get(name), result.got.get(name)
    count = str(len(expected)) if isinstance(expected, list) else ""
    cells = [result.case, name, result.status, count, _last(expected), _last(got)]
    if not everything:
        return cells
    details = result.details
    cpu = [details.get(f"cpu_{who}_s") for who in ("jneuroml", "cnexp", "reference")]
    cells += [_largest(expected, got), _short(result.tolerance.get(name))]
    for who in ("cnexp", "reference"):
        values = details.get(who)
        cells.append(_last((values.get(name) or {}).get("got")) if isinstance(values, dict) else str(values or ""))
    return [*cells, " / ".join("-" if s is None else f"{s:.2f}" for s in cpu)]


def _last(value: Any) -> str:
    if isinstance(value, list):
        return f"{value[-1]:.7g}" if value and isinstance(value[-1], float | int) else "none"
    return _short(value)


def _short(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _largest(expected: Any, got: Any) -> str:
    if not isinstance(expected, list) or not isinstance(got, list) or len(expected) != len(got):
        return ""
    return f"{max((abs(a - b) / abs(b) for a, b in zip(got, expected, strict=True) if b), default=0.0):.3g}"
