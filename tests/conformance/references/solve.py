"""Integrates equations that are written out by hand; the one-compartment cell that most cases use."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

MV = 1e-3
MS = 1e-3
NA = 1e-9

Derivative = Callable[[float, np.ndarray], Sequence[float]]


def integrate(
    derivative: Derivative,
    start: Sequence[float],
    times_ms: Sequence[float],
    *,
    breaks_ms: Sequence[float] = (),
    jump: Callable[[float, np.ndarray], Sequence[float]] | None = None,
) -> np.ndarray:
    """States at `times_ms`, shape (times, states); `derivative` takes t in s and gives 1/s.

    Integration starts anew at `breaks_ms` (where inputs jump, in ascending order), and `jump` may change the state
    there: an event.
    """
    y = np.asarray(start, dtype=float)
    found: dict[float, np.ndarray] = {}
    edges = sorted({0.0, *breaks_ms, max(times_ms)})
    for begin, end in pairwise(edges):
        if jump is not None and begin in breaks_ms:
            y = np.asarray(jump(begin, y), dtype=float)
        inside = [t for t in times_ms if begin < t <= end or t == begin == 0.0]
        # the middle of the window decides which side of a jump an input is on
        run = solve_ivp(
            lambda t, x, lo=begin, hi=end: derivative(min(max(t, (lo + 1e-12) * MS), (hi - 1e-12) * MS), x),
            (begin * MS, end * MS), y, method="DOP853", t_eval=sorted({*(t * MS for t in inside), end * MS}),
            rtol=1e-11, atol=1e-14, max_step=max(1e-4, (end - begin) * MS / 20),
        )  # fmt: skip
        assert run.success, run.message
        found.update({t: run.y[:, np.argmin(np.abs(run.t - t * MS))] for t in inside})
        y = run.y[:, -1]
    return np.array([found[t] for t in times_ms])


def pulse(t: float, delay_ms: float = 5.0, duration_ms: float = 20.0, amplitude_nA: float = 0.02) -> float:
    """The current (A) of a pulseGenerator at t (s)."""
    return amplitude_nA * NA if delay_ms * MS <= t < (delay_ms + duration_ms) * MS else 0.0


@dataclass(frozen=True)
class Soma:
    """The cylinder of 20 by 20 um with 1 uF/cm2 and a leak of 0.1 mS/cm2 to -65 mV that most cases use, in SI."""

    length_m: float = 20e-6
    diameter_m: float = 20e-6
    capacitance: float = 0.01
    leak: float = 1.0
    leak_reversal: float = -0.065

    @property
    def area(self) -> float:
        """Membrane area of the cylinder's side, m2."""
        return math.pi * self.diameter_m * self.length_m

    def dv(self, v: float, density: float = 0.0, current: float = 0.0) -> float:
        """dv/dt (V/s) with another current density (A/m2) and current (A), both inward positive."""
        leak = self.leak * (self.leak_reversal - v)
        return (leak + density + current / self.area) / self.capacitance


SOMA = Soma()
TIMES_MS = (1.0, 3.0, 6.0, 8.0, 12.0, 18.0, 24.0, 26.0, 28.0, 32.0, 40.0)
PULSE_EDGES_MS = (5.0, 25.0)
