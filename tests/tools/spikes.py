"""Spike times of traces, and what they tend to as the step goes to zero."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nmlopt.backend import Trace


def step_indices(trace: Trace, threshold: float) -> np.ndarray:
    """Indices of the first sample above `threshold` after one at or below."""
    return np.flatnonzero((trace.y[:-1] <= threshold) & (trace.y[1:] > threshold)) + 1


def crossings(trace: Trace, threshold: float) -> np.ndarray:
    """Times (ms) of upward crossings, linearly interpolated."""
    after = step_indices(trace, threshold)
    t0, t1, y0, y1 = trace.t_ms[after - 1], trace.t_ms[after], trace.y[after - 1], trace.y[after]
    return t0 + (threshold - y0) / (y1 - y0) * (t1 - t0)


def extrapolate(coarse: np.ndarray, fine: np.ndarray, *, order: int = 1) -> np.ndarray:
    """Richardson (1911): what spike times at dt and dt/2 tend to, if their error goes with dt ** order."""
    assert coarse.shape == fine.shape, (coarse, fine)
    return fine + (fine - coarse) / (2.0**order - 1.0)


def refined(spikes_at: Callable[[float], np.ndarray], dt_ms: float, steps: int = 3) -> list[np.ndarray]:
    """Spike times at dt, dt/2, dt/4, ..."""
    return [spikes_at(dt_ms / 2**k) for k in range(steps)]
