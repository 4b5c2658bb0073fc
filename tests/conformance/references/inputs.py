"""Inputs on a passive cell of one compartment, and its spike threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tests.conformance.references.registry import crossings, reference, samples
from tests.conformance.references.solve import MS, MV, NA, SOMA, TIMES_MS, integrate, pulse
from tests.conformance.references.spiking import course

PI = 3.14159265
"""As the core types write it."""


def driven(current: Callable[[float, float], float], edges_ms: Sequence[float]) -> list:
    """v of the soma under a current (A) of time (s) and v."""

    def derivative(t: float, y: np.ndarray) -> list[float]:
        return [SOMA.dv(float(y[0]), 0.0, current(t, float(y[0])))]

    return [samples(TIMES_MS, integrate(derivative, [-65 * MV], TIMES_MS, breaks_ms=edges_ms)[:, 0])]


def inside(t: float, delay_ms: float, duration_ms: float) -> bool:
    """Whether t (s) is in a window."""
    return delay_ms * MS <= t < (delay_ms + duration_ms) * MS


@reference(
    "601-pulse-off-grid",
    tests="pulseGenerator: a current for delay <= t < delay + duration, whatever the step",
    rule="Inputs.xml: pulseGenerator; the limit of small steps",
    mistakes={"its end is counted from 0": {"duration": 12.3391 - 5.0037}},
)
def off_grid(delay: float = 5.0037, duration: float = 12.3391) -> list:
    return driven(lambda t, v: pulse(t, delay, duration), (delay, delay + duration))


@reference(
    "602-ramp",
    tests="rampGenerator: from start to finish within its window, baselineAmplitude before and after",
    rule="Inputs.xml: rampGenerator",
    mistakes={"the baseline is left out": {"baseline": 0.0}},
    departures={"jLEMS": "adds steps up, so that an edge on the grid may come a step late"},
)
def ramp(baseline: float = 0.005) -> list:
    def current(t: float, v: float) -> float:
        return NA * (-0.01 + 0.04 * (t - 5 * MS) / (20 * MS) if inside(t, 5, 20) else baseline)

    return driven(current, (5, 25))


@reference(
    "603-sine",
    tests="sineGenerator: amplitude sin(phase + 2 pi (t - delay)/period) within its window",
    rule="Inputs.xml: sineGenerator",
    mistakes={"the phase is left out": {"phase": 0.0}, "time counts from 0": {"origin_ms": 0.0}},
)
def sine(phase: float = 0.7, origin_ms: float = 5.0) -> list:
    def current(t: float, v: float) -> float:
        wave = math.sin(phase + 2 * PI * (t - origin_ms * MS) / (13 * MS))
        return 0.02 * NA * wave if inside(t, 5, 22) else 0.0

    return driven(current, (5, 27))


@reference(
    "604-compound",
    tests="compoundInput: the sum of the inputs it holds",
    rule="Inputs.xml: compoundInput",
    mistakes={"only the first input acts": {"wave": 0.0}},
)
def compound(wave: float = 0.01) -> list:
    def current(t: float, v: float) -> float:
        sine = wave * NA * math.sin(2 * PI * (t - 10 * MS) / (10 * MS)) if inside(t, 10, 20) else 0.0
        return pulse(t, amplitude_nA=0.01) + sine

    return driven(current, (5, 10, 25, 30))


CLAMP_OHM = 200e6
EDGE_MS = 4.9999
"""A little before a step: v is steep there, and rounding must not decide in which step an edge falls."""


@reference(
    "605-voltage-clamp",
    tests="voltageClamp: (target - v)/simpleSeriesResistance within its window, nothing outside",
    rule="Inputs.xml: voltageClamp",
    mistakes={"it clamps from the start": {"delay": 0.0}},
)
def clamp(delay: float = EDGE_MS) -> list:
    def current(t: float, v: float) -> float:
        return (-40 * MV - v) / CLAMP_OHM if inside(t, delay, EDGE_MS + 20 - delay) else 0.0

    return driven(current, (EDGE_MS, EDGE_MS + 20))


@reference(
    "606-voltage-clamp-triple",
    tests="voltageClampTriple: conditioning until delay, testing until delay + duration, return afterwards",
    rule="Inputs.xml: voltageClampTriple",
    mistakes={"it lets go at the end": {"returns": False}},
)
def clamp_triple(returns: bool = True) -> list:
    def current(t: float, v: float) -> float:
        if t >= (EDGE_MS + 20) * MS and not returns:
            return 0.0
        target = -80 if t < (EDGE_MS + 5) * MS else -20 if t < (EDGE_MS + 20) * MS else -60
        return (target * MV - v) / CLAMP_OHM

    return driven(current, (EDGE_MS + 5, EDGE_MS + 20))


@reference(
    "607-input-weight",
    tests="inputW: the weight multiplies the current",
    rule="Networks.xml: inputW; Inputs.xml: pulseGenerator (weight)",
    mistakes={"the weight is ignored": {"weight": 1.0}},
)
def input_weight(weight: float = -0.4) -> list:
    return driven(lambda t, v: weight * pulse(t), (5, 25))


@reference(
    "608-inputs-add",
    tests="several inputs on one cell add",
    rule="Cells.xml: cell (iSyn, reduce add)",
    mistakes={"only the first acts": {"second": 0.0}},
)
def inputs_add(second: float = -0.015) -> list:
    return driven(lambda t, v: pulse(t) + pulse(t, 15, 20, second), (5, 15, 25, 35))


@reference(
    "609-spike-threshold",
    tests="a cell spikes each time v rises through spikeThresh; 'spiking' is 1 while it is above",
    rule="Cells.xml: cell (OnCondition, spiking), spikeThresh",
    mistakes={"the threshold is 0 mV": {"threshold": 0.0}, "the threshold is -65 mV": {"threshold": -65.0}},
)
def spike_threshold(threshold: float = -62.0) -> list:
    def derivative(t: float, y: np.ndarray) -> list[float]:
        return [SOMA.dv(float(y[0]), 0.0, 0.03 * NA * math.sin(2 * PI * t / (13 * MS)))]

    made = course(
        derivative, [-65 * MV], until_ms=100, threshold=1.0, reset=lambda y: y, level=threshold * MV
    )  # fmt: skip
    reason = "0.02 ms: 'spiking' jumps at a step, a line between samples crosses 0.5 within it"
    return [crossings(made.crossings, 0.5, tolerance=2e-5, reason=reason, column="spiking")]
