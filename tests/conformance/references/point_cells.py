"""Point cells of the core types (Cells.xml): thresholds, resets, refractory periods, second variables."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tests.conformance.references.registry import crossings, reference, samples
from tests.conformance.references.solve import MS, MV, NA, integrate, pulse
from tests.conformance.references.spiking import course

CLOSED = "closed form: times between threshold, reset and level on exponentials"
SPIKES = "the equations of the core type integrated by SciPy's DOP853 at 1e-11, resets at the roots of v - threshold"
RESET_REASON = "0.05 ms: a reset on a grid of 0.005 ms is late by up to a step, and such delays add up over the spikes"
RESET_TOLERANCE = 5e-5
UNITLESS = "1e-4 of a variable of order 1"


def level_times(times: Sequence[float], level_mV: float) -> list:
    """The crossings of a level below threshold: a tool may reset before its trace shows the threshold."""
    return [crossings(times, level_mV * MV, tolerance=RESET_TOLERANCE, reason=RESET_REASON)]


def _periodic(first: float, period: float, until: float) -> list[float]:
    return [first + k * period for k in range(int((until - first) / period) + 1)]


def tau_cell(refractory: float, start_fires: bool) -> list:
    """Level -60 mV on the way from -70 mV (reset) to -50 mV (leak), fired at -55 mV; tau 30 ms, for 200 ms."""
    tau = 30 * MS
    to_level, period = tau * math.log(20 / 10), tau * math.log(20 / 5) + refractory
    return level_times(_periodic(refractory + to_level, period, 0.2) if start_fires else [], -60)


@reference(
    "501-iaf-tau",
    tests="iafTauCell: starts at its leakReversal, which is above threshold, so that it fires at once; then regularly",
    rule="Cells.xml: iafTauCell (OnCondition is a level, not an edge)",
    method=CLOSED,
    mistakes={"it fires only when v comes from below": {"start_fires": False}},
)
def iaf_tau(start_fires: bool = True) -> list:
    return tau_cell(0.0, start_fires)


@reference(
    "502-iaf-tau-refractory",
    tests="iafTauRefCell: v stays at reset for the refractory period",
    rule="Cells.xml: iafTauRefCell (Regimes)",
    method=CLOSED,
    mistakes={"there is no refractory period": {"refractory": 0.0}},
)
def iaf_tau_refractory(refractory: float = 5 * MS) -> list:
    return tau_cell(refractory, True)


def capacitive(refractory: float) -> list:
    """0.4 nA from 20 ms to 170 ms into 1 nF with 0.01 uS to -70 mV; fired at -50 mV, reset to -75 mV; level -60 mV."""
    leak, tau, drive = -70 * MV, 0.1, 0.4 / 10  # V, s, V
    goal = leak + drive

    def time(start: float, end: float) -> float:
        return tau * math.log((goal - start * MV) / (goal - end * MV))

    first = 0.02 + time(-70, -60)
    fired = 0.02 + time(-70, -50)
    found = [first]
    while fired + refractory + time(-75, -60) < 0.17:
        found.append(fired + refractory + time(-75, -60))
        fired += refractory + time(-75, -50)
    return level_times(found, -60)


@reference(
    "503-iaf",
    tests="iafCell under a current pulse: capacitance, leak, threshold, reset",
    rule="Cells.xml: iafCell",
    method=CLOSED,
)
def iaf() -> list:
    return capacitive(0.0)


@reference(
    "504-iaf-refractory",
    tests="iafRefCell: the input does nothing while the cell is refractory",
    rule="Cells.xml: iafRefCell (no derivative in the regime 'refractory')",
    method=CLOSED,
    mistakes={"there is no refractory period": {"refractory": 0.0}},
)
def iaf_refractory(refractory: float = 8 * MS) -> list:
    return capacitive(refractory)


@reference(
    "505-izhikevich",
    tests="izhikevichCell with dimensionless input: v and U in mV and ms, U starts at b v0, reset c and d",
    rule="Cells.xml: izhikevichCell; Inputs.xml: pulseGeneratorDL",
    method=SPIKES,
    mistakes={"U starts at 0": {"u0": 0.0}, "d is not added": {"d": 0.0}},
)
def izhikevich(u0: float | None = None, d: float = 8.0) -> list:
    def derivative(t: float, y: np.ndarray) -> list[float]:
        v, u = y[0] / MV, y[1]
        drive = 10.0 if 20 * MS <= t < 170 * MS else 0.0
        return [(0.04 * v * v + 5 * v + 140 - u + drive) * MV / MS, 0.02 * (0.2 * v - u) / MS]

    start = [-70 * MV, 0.2 * -70 if u0 is None else u0]
    made = course(
        derivative, start, until_ms=200, threshold=30 * MV, reset=lambda y: [-65 * MV, y[1] + d], level=0.0,
        breaks_ms=(20, 170),
    )  # fmt: skip
    return level_times(made.crossings, 0)


@reference(
    "506-izhikevich-2007",
    tests="izhikevich2007Cell: u starts at 0, reset c and d",
    rule="Cells.xml: izhikevich2007Cell",
    method=SPIKES,
    mistakes={"u starts at b (v0 - vr)": {"u0": -2e-9 * -5 * MV}, "d is not added": {"d": 0.0}},
)
def izhikevich_2007(u0: float = 0.0, d: float = 0.1 * NA) -> list:
    def derivative(t: float, y: np.ndarray) -> list[float]:
        v, u = y
        drive = pulse(t, 20, 150, 0.1)
        current = 0.7e-6 * (v - -60 * MV) * (v - -40 * MV) + drive - u
        return [current / 0.1e-9, 30 * (-2e-9 * (v - -60 * MV) - u)]

    made = course(
        derivative, [-65 * MV, u0], until_ms=200, threshold=35 * MV, reset=lambda y: [-50 * MV, y[1] + d], level=0.0,
        breaks_ms=(20, 170),
    )  # fmt: skip
    return level_times(made.crossings, 0)


@reference(
    "507-adex",
    tests="adExIaFCell: v is held for the refractory period while w goes on",
    rule="Cells.xml: adExIaFCell (Regimes)",
    method=SPIKES,
    mistakes={"w stands still in the refractory period": {"w_moves": False}, "b is not added": {"b": 0.0}},
)
def adex(w_moves: bool = True, b: float = 0.08e-9) -> list:
    el, vt, slope = -70.6 * MV, -50.4 * MV, 2 * MV

    def dw(v: float, w: float) -> float:
        return (4e-9 * (v - el) - w) / 0.03

    def derivative(t: float, y: np.ndarray) -> list[float]:
        v, w = y
        upstroke = 30e-9 * slope * math.exp(min((v - vt) / slope, 60.0))
        return [(-30e-9 * (v - el) + upstroke - w + pulse(t, 20, 150, 0.8)) / 281e-12, dw(v, w)]

    made = course(
        derivative, [el, 0.0], until_ms=200, threshold=-40.4 * MV, reset=lambda y: [-60 * MV, y[1] + b],
        level=-50 * MV, refractory_ms=10, resting=lambda t, y: [0.0, dw(*y) if w_moves else 0.0], breaks_ms=(20, 170),
    )  # fmt: skip
    return level_times(made.crossings, -50)


@reference(
    "508-fitzhugh-nagumo",
    tests="fitzHughNagumoCell: dimensionless, its time in seconds",
    rule="Cells.xml: fitzHughNagumoCell",
    mistakes={"its time is in ms": {"scale": 1e3}},
)
def fitzhugh_nagumo(scale: float = 1.0) -> list:
    times = [2e3, 5e3, 10e3, 15e3, 20e3, 30e3, 40e3]

    def derivative(t: float, y: np.ndarray) -> list[float]:
        return [scale * (y[0] - y[0] ** 3 / 3 - y[1] + 0.8), scale * 0.08 * (y[0] + 0.7 - 0.8 * y[1])]

    found = integrate(derivative, [0.0, 0.0], times)
    return [samples(times, found[:, k], c, tolerance=1e-4, reason=UNITLESS) for k, c in enumerate(("V", "W"))]


@reference(
    "509-fitzhugh-nagumo-1969",
    tests="fitzHughNagumo1969Cell: dimensionless, its time in ms, with a start of its own",
    rule="Cells.xml: fitzHughNagumo1969Cell",
    mistakes={"it starts at 0": {"start": (0.0, 0.0)}},
)
def fitzhugh_nagumo_1969(start: tuple[float, float] = (-1.2, -0.6)) -> list:
    times = [2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0]

    def derivative(t: float, y: np.ndarray) -> list[float]:
        return [(y[0] - y[0] ** 3 / 3 - y[1] + 0.8) / MS, 0.08 * (y[0] + 0.7 - 0.8 * y[1]) / MS]

    found = integrate(derivative, start, times)
    return [samples(times, found[:, k], c, tolerance=1e-4, reason=UNITLESS) for k, c in enumerate(("V", "W"))]


@reference(
    "510-point-cell-conductances",
    tests="pointCellCondBased: an absolute capacitance, populations of channels with gates, no area",
    rule="Cells.xml: pointCellCondBased, channelPopulation",
    mistakes={"the conductance of the channel is left out": {"number": 100.0}},
)
def point_conductances(number: float = 200.0) -> list:
    from tests.conformance.references.gates import backward, forward, from_rates

    inf, tau = from_rates(forward, backward)
    times = (1.0, 3.0, 6.0, 8.0, 12.0, 18.0, 24.0, 26.0, 28.0, 32.0, 40.0)

    def derivative(t: float, y: np.ndarray) -> list[float]:
        v, q = (float(x) for x in y)
        leak = 60 * 20e-12 * (-65 * MV - v)
        current = leak + number * 20e-12 * q**3 * (0.0 - v) + pulse(t)
        return [current / 12e-12, (inf(v) - q) / tau(v)]

    found = integrate(derivative, [-60 * MV, inf(-60 * MV)], times, breaks_ms=(5, 25))
    return [samples(times, found[:, 0])]


@reference(
    "511-assignments-in-order",
    tests="the assignments of an OnCondition are made one after another: a later one sees what an earlier one made",
    rule="LEMS (jLEMS): StateAssignment",
    method="closed form: v rises by 1 mV per ms",
    mistakes={"all see the state before": {"is_ordered": False}},
)
def assignments_in_order(is_ordered: bool = True) -> list:
    found, fired, start = [], 0.0, -60.0
    for count in range(5):
        found.append(1e-3 * (fired + (-55 - start)))
        fired += -50 - start
        start = -60 - 2.0 * (count + 1 if is_ordered else count)
    return level_times([t for t in found if t < 0.06], -55)
