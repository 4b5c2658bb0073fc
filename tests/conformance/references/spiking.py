"""Integrates cells that are reset: events are found by SciPy's root finder, not on a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.integrate import solve_ivp

from tests.conformance.references.solve import MS

Derivative = Callable[[float, np.ndarray], Sequence[float]]


@dataclass
class Course:
    """What came out: the times (s) at which v crossed the level upwards, those of the resets, and sampled states."""

    crossings: list[float] = field(default_factory=list)
    resets: list[float] = field(default_factory=list)
    samples: dict[float, np.ndarray] = field(default_factory=dict)


def course(
    derivative: Derivative,
    start: Sequence[float],
    *,
    until_ms: float,
    threshold: float,
    reset: Callable[[np.ndarray], Sequence[float]],
    level: float,
    refractory_ms: float = 0.0,
    resting: Derivative | None = None,
    breaks_ms: Sequence[float] = (),
    times_ms: Sequence[float] = (),
) -> Course:
    """Follows y (v first) from t = 0; where v exceeds `threshold` it is reset, then obeys `resting` while refractory.

    `derivative` takes s and gives 1/s. Integration starts anew at `breaks_ms`, where inputs jump.
    """
    made, now, y = Course(), 0.0, np.asarray(start, dtype=float)
    if y[0] > threshold:
        y = np.asarray(reset(y), dtype=float)
        made.resets.append(0.0)
    edges = sorted({*(b * MS for b in breaks_ms if 0 < b < until_ms), until_ms * MS})
    free_at = now + refractory_ms * MS if made.resets else 0.0
    while now < until_ms * MS - 1e-12:
        is_resting = resting is not None and now < free_at - 1e-12
        end = min([e for e in edges if e > now + 1e-12] + ([free_at] if is_resting else []))
        law = resting if is_resting and resting is not None else derivative
        now, y, fired = _leg(law, now, end, y, threshold, level, times_ms, made)
        if fired:
            made.resets.append(now)
            y = np.asarray(reset(y), dtype=float)
            free_at = now + refractory_ms * MS
    return made


def _leg(
    law: Derivative,
    now: float,
    end: float,
    y: np.ndarray,
    threshold: float,
    level: float,
    times_ms: Sequence[float],
    made: Course,
) -> tuple[float, np.ndarray, bool]:
    """From `now` to `end` or the next reset; the time, the state, and whether it fired."""

    def exceeds(_: float, x: np.ndarray) -> float:
        return x[0] - threshold

    def passes(_: float, x: np.ndarray) -> float:
        return x[0] - level

    exceeds.terminal, exceeds.direction, passes.direction = True, 1, 1  # type: ignore[attr-defined]
    small = 1e-12
    run = solve_ivp(
        lambda t, x: law(min(max(t, now + small), end - small), x), (now, end), y, method="DOP853", rtol=1e-11,
        atol=1e-14, events=[exceeds, passes], dense_output=True, max_step=(end - now) / 20,
    )  # fmt: skip
    assert run.success, run.message
    made.crossings += [float(t) for t in run.t_events[1]]
    for t in times_ms:
        if now < t * MS <= run.t[-1] or t == now == 0:
            made.samples[t] = run.sol(t * MS)
    return float(run.t[-1]), run.y[:, -1], bool(run.status == 1)
