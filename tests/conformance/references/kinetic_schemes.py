"""Kinetic schemes (ionChannelKS), seen in a cell of one compartment under a current pulse."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tests.conformance.references.gates import G_S_PER_M2, steady
from tests.conformance.references.rates import exponential
from tests.conformance.references.registry import reference, samples
from tests.conformance.references.solve import MV, PULSE_EDGES_MS, SOMA, TIMES_MS, integrate, pulse

Flows = Callable[[float], Sequence[tuple[int, int, float]]]


START = "NeuroML: the types do not say where occupancies start; steady state is meant, as for every other gate"
FIRST_STATE = {"all start in the first state": {"is_steady": False}}
JLEMS = {"jLEMS": "starts with all in the first state"}


def scheme(flows: Flows, states: int, is_open: Sequence[int], power: int = 1, is_steady: bool = True) -> list:
    """v of a channel with a kinetic scheme: `flows(v)` lists (from, to, rate in 1/s)."""

    def matrix(v: float) -> np.ndarray:
        found = np.zeros((states, states))
        for source, target, rate in flows(v):
            found[target, source] += rate
            found[source, source] -= rate
        return found

    def derivative(t: float, y: np.ndarray) -> list[float]:
        opening = sum(y[1 + k] for k in is_open) ** power
        return [SOMA.dv(y[0], -G_S_PER_M2 * opening * y[0], pulse(t)), *(matrix(y[0]) @ y[1:])]

    at_rest = np.vstack([matrix(-65 * MV)[1:], np.ones(states)])
    start = np.linalg.solve(at_rest, np.eye(states)[-1]) if is_steady else np.eye(states)[0]
    return [samples(TIMES_MS, integrate(derivative, [-65 * MV, *start], TIMES_MS, breaks_ms=PULSE_EDGES_MS)[:, 0])]


@reference(
    "208-ks-forward-reverse",
    tests="gateKS with forwardTransition and reverseTransition: the rate of the latter flows from 'to' back to 'from'",
    rule=f"Channels.xml: gateKS, forwardTransition, reverseTransition. {START}",
    departures=JLEMS,
    mistakes={"a reverse transition flows from 'from' to 'to'": {"reversed_too": True}},
)
def ks_forward_reverse(reversed_too: bool = False) -> list:
    def flows(v: float) -> list[tuple[int, int, float]]:
        back = [(1, 0, exponential(v, 300, -50, -20)), (2, 1, exponential(v, 100, -50, -10))]
        if reversed_too:
            back = [(target, source, rate) for source, target, rate in back]
            back += [(1, 0, 1e-9), (2, 1, 1e-9)]
        return [(0, 1, exponential(v, 400, -50, 20)), (1, 2, exponential(v, 200, -50, 10)), *back]

    return scheme(flows, 3, [2])


@reference(
    "209-ks-vhalf",
    tests="vHalfTransition: 1/r = 1/r0 + tauMin with r0 of z, gamma and vHalf; kte is 25.3 mV at any temperature",
    rule="Channels.xml: vHalfTransition (kte is a constant)",
    departures=JLEMS,
    mistakes={
        "kte follows the temperature": {"kte": 8.314462618 * 309.15 / 96485.33212},
        "tauMin is left out": {"tau_min": 0.0},
        "gamma is applied the other way round": {"gamma": 0.3},
    },
)
def ks_vhalf(kte: float = 25.3e-3, tau_min: float = 1e-3, gamma: float = 0.7) -> list:
    def flows(v: float) -> list[tuple[int, int, float]]:
        x = 3 * (v - -50 * MV) / kte
        rf0, rr0 = math.exp(gamma * x) / 5e-3, math.exp(-(1 - gamma) * x) / 5e-3
        return [(0, 1, 1 / (1 / rf0 + tau_min)), (1, 0, 1 / (1 / rr0 + tau_min))]

    return scheme(flows, 2, [1])


def _tau_inf(q10: float, is_steady: bool = True) -> list:
    def flows(v: float) -> list[tuple[int, int, float]]:
        return [(0, 1, steady(v) / 6e-3 * q10), (1, 0, (1 - steady(v)) / 6e-3 * q10)]

    return scheme(flows, 2, [1], is_steady=is_steady)


@reference(
    "210-ks-tau-inf",
    tests="tauInfTransition: forward rate inf/tau, reverse rate (1 - inf)/tau",
    rule=f"Channels.xml: tauInfTransition. {START}",
    mistakes=FIRST_STATE,
    departures=JLEMS,
)
def ks_tau_inf(is_steady: bool = True) -> list:
    return _tau_inf(1.0, is_steady)


@reference(
    "211-ks-two-open-states",
    tests="gateKS: q is the sum over all open states (relativeConductance 1 each), fcond its power 'instances'",
    rule="Channels.xml: gateKS, openState",
    departures=JLEMS,
    mistakes={"only the last open state counts": {"is_open": (2,)}, "the power is not taken": {"power": 1}},
)
def ks_two_open(is_open: tuple[int, ...] = (1, 2), power: int = 2) -> list:
    def flows(v: float) -> list[tuple[int, int, float]]:
        first = [(0, 1, exponential(v, 400, -50, 20)), (1, 0, exponential(v, 300, -50, -20))]
        return [*first, (1, 2, exponential(v, 200, -50, 10)), (2, 1, exponential(v, 100, -50, -10))]

    return scheme(flows, 3, is_open, power)


@reference(
    "218-q10-on-kinetic-scheme",
    tests="a q10 on a gateKS is exposed as rateScale, but no transition of the core types takes it",
    rule="Channels.xml: gateKS (rateScale is not used by its KineticScheme)",
    mistakes={"the q10 scales the rates": {"q10": 3.0}, **FIRST_STATE},
    departures=JLEMS,
)
def ks_q10(q10: float = 1.0, is_steady: bool = True) -> list:
    return _tau_inf(q10, is_steady)
