"""Synapses and spike sources on a passive cell of one compartment."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tests.conformance.references.registry import reference, samples
from tests.conformance.references.solve import MS, MV, SOMA, TIMES_MS, integrate

SPIKES_MS = (2.9999, 9.9999, 12.9999)
"""A little before a step of 0.005 ms: rounding must not decide in which step a spike falls."""
Law = Callable[[np.ndarray, float], Sequence[float]]


def synapse(
    states: int | Sequence[float],
    law: Law,
    event: Callable[[float, np.ndarray], Sequence[float]],
    current: Callable[[np.ndarray, float], float],
    spikes_ms: Sequence[float] = SPIKES_MS,
) -> list:
    """v of a soma with a synapse: `law(s, v)` is ds/dt, `event(t_ms, s)` what a spike makes of s, `current` in A."""
    start = [0.0] * states if isinstance(states, int) else list(states)

    def derivative(t: float, y: np.ndarray) -> list[float]:
        v = float(y[0])
        return [SOMA.dv(v, 0.0, current(y[1:], v)), *law(y[1:], v)]

    def jump(t_ms: float, y: np.ndarray) -> list[float]:
        return [y[0], *event(t_ms, y[1:])]

    found = integrate(derivative, [-65 * MV, *start], TIMES_MS, breaks_ms=sorted(spikes_ms), jump=jump)
    return [samples(TIMES_MS, found[:, 0])]


def exp_one(weights: dict[float, float], gbase: float = 1e-9, tau: float = 4 * MS) -> list:
    """An expOneSynapse to 0 mV that gets spikes at times (ms) with weights."""
    return synapse(
        1, lambda s, v: -s / tau, lambda t, s: s + weights[t] * gbase, lambda s, v: s[0] * -v, tuple(weights)
    )  # fmt: skip


def factor(rise: float, decay: float) -> float:
    """The waveformFactor of expTwoSynapse: it makes the peak 1."""
    peak = math.log(decay / rise) * rise * decay / (decay - rise)
    return 1 / (math.exp(-peak / decay) - math.exp(-peak / rise))


EACH = dict.fromkeys(SPIKES_MS, 1.0)


@reference(
    "701-exp-one",
    tests="expOneSynapse: each spike adds gbase to g, which decays with tauDecay; spikes of a timedSynapticInput",
    rule="Synapses.xml: expOneSynapse; Inputs.xml: timedSynapticInput",
    mistakes={"a spike sets g to gbase": {"adds": False}},
)
def exp_one_case(adds: bool = True) -> list:
    if adds:
        return exp_one(EACH)
    return synapse(1, lambda s, v: -s / (4 * MS), lambda t, s: [1e-9], lambda s, v: s[0] * -v)


@reference(
    "702-exp-two",
    tests="expTwoSynapse: difference of exponentials, scaled so that its peak is gbase",
    rule="Synapses.xml: expTwoSynapse (peakTime, waveformFactor)",
    mistakes={"it is not scaled": {"scale": 1.0}},
)
def exp_two(scale: float = factor(1.5, 6.0)) -> list:
    law = lambda s, v: [-s[0] / (1.5 * MS), -s[1] / (6 * MS)]  # noqa: E731
    return synapse(2, law, lambda t, s: s + scale, lambda s, v: 1e-9 * (s[1] - s[0]) * -v)


@reference(
    "703-alpha",
    tests="alphaSynapse: rise and decay with tau, peak gbase",
    rule="Synapses.xml: alphaSynapse",
    mistakes={"without the factor e": {"e": 1.0}},
)
def alpha(e: float = math.e) -> list:
    law = lambda s, v: [(e * s[1] - s[0]) / (3 * MS), -s[1] / (3 * MS)]  # noqa: E731
    return synapse(2, law, lambda t, s: [s[0], s[1] + 1e-9], lambda s, v: s[0] * -v)


@reference(
    "704-exp-three",
    tests="expThreeSynapse: two decays with one rise",
    rule="Synapses.xml: expThreeSynapse",
    mistakes={"the second conductance is left out": {"second": 0.0}},
)
def exp_three(second: float = 0.4e-9) -> list:
    first, f1, f2 = 0.7e-9, factor(1, 3), factor(1, 12)
    shared = (first * f1 + 0.4e-9 * f2) / (first + 0.4e-9)
    law = lambda s, v: [-s[0] / MS, -s[1] / (3 * MS), -s[2] / (12 * MS)]  # noqa: E731
    return synapse(
        3, law, lambda t, s: s + np.array([shared, f1, f2]),
        lambda s, v: (first * (s[1] - s[0]) + second * (s[2] - s[0])) * -v,
    )  # fmt: skip


@reference(
    "705-voltage-block",
    tests="blockingPlasticSynapse with voltageConcDepBlockMechanism: the voltage lifts the block",
    rule="Synapses.xml: voltageConcDepBlockMechanism",
    mistakes={"there is no block": {"concentration": 0.0}},
)
def block(concentration: float = 1.2) -> list:
    law = lambda s, v: [-s[0] / (1.5 * MS), -s[1] / (8 * MS)]  # noqa: E731

    def current(s: np.ndarray, v: float) -> float:
        free = 1 / (1 + concentration / 1.9205 * math.exp(-v / (16.129 * MV)))
        return free * 1.5e-9 * (s[1] - s[0]) * -v

    return synapse(2, law, lambda t, s: s + factor(1.5, 8), current)


@reference(
    "706-depression-facilitation",
    tests="tsodyksMarkramDepFacMechanism: the synapse takes R U before the spike, then R and U change in that order",
    rule="Synapses.xml: blockingPlasticSynapse (OnEvent, relay), tsodyksMarkramDepFacMechanism",
    mistakes={
        "R and U change before the synapse takes them": {"late": True},
        "U changes before R": {"u_first": True},
        "there is no plasticity": {"plastic": False},
    },
)
def depression_facilitation(late: bool = False, u_first: bool = False, plastic: bool = True) -> list:
    law = lambda s, v: [  # noqa: E731
        -s[0] / (1.5 * MS), -s[1] / (4 * MS), (1 - s[2]) / (20 * MS), (0.4 - s[3]) / (30 * MS)
    ]  # fmt: skip

    def event(t: float, s: np.ndarray) -> list[float]:
        r, u = s[2], s[3]
        later_u = u + 0.4 * (1 - u)
        later_r = r * (1 - (later_u if u_first else u))
        share = (later_r * later_u if late else r * u) if plastic else 1.0
        return [s[0] + share * factor(1.5, 4), s[1] + share * factor(1.5, 4), later_r, later_u]

    return synapse([0, 0, 1, 0.4], law, event, lambda s, v: 2e-9 * (s[1] - s[0]) * -v)


@reference(
    "707-spike-array",
    tests="a connection from a spikeArray: its spikes reach the synapse at their times",
    rule="Inputs.xml: spikeArray, spike; Networks.xml: projection, connection",
    mistakes={"the last spike is lost": {"times": SPIKES_MS[:2]}},
)
def spike_array(times: Sequence[float] = SPIKES_MS) -> list:
    return exp_one(dict.fromkeys(times, 1.0))


@reference(
    "708-connection-weight-delay",
    tests="connectionWD: the weight multiplies what a spike adds, the delay postpones it",
    rule="Networks.xml: connectionWD",
    mistakes={"the delay is ignored": {"delay": 0.0}, "the weight is ignored": {"weight": 1.0}},
)
def weight_delay(weight: float = 0.6, delay: float = 2.5) -> list:
    return exp_one({t + delay: weight for t in SPIKES_MS})


@reference(
    "709-spike-generator",
    tests="spikeGenerator: the first spike comes after one period",
    rule="Inputs.xml: spikeGenerator (tsince starts at 0)",
    mistakes={"the first spike comes at once": {"first": 0.001}},
)
def generator(first: float = 6.9999) -> list:
    return exp_one({first + 6.9999 * k: 1.0 for k in range(int((39.9 - first) / 7) + 1)})


@reference(
    "710-current-synapse",
    tests="alphaCurrentSynapse: a current, independent of v, with its peak at ibase",
    rule="Synapses.xml: alphaCurrentSynapse",
)
def current_synapse() -> list:
    law = lambda s, v: [(math.e * s[1] - s[0]) / (3 * MS), -s[1] / (3 * MS)]  # noqa: E731
    return synapse(2, law, lambda t, s: [s[0], s[1] + 20e-12], lambda s, v: s[0])


@reference(
    "711-synapse-of-user-code",
    tests="a synapse defined in LEMS: what a spike does depends on the state",
    rule="LEMS: OnEvent; Synapses.xml: baseConductanceBasedSynapse",
    mistakes={"each spike opens a half of all": {"saturates": False}},
)
def user_synapse(saturates: bool = True) -> list:
    def event(t: float, s: np.ndarray) -> list[float]:
        return [s[0] + (1 - s[0] if saturates else 1) / 2]

    return synapse(1, lambda s, v: -s / (5 * MS), event, lambda s, v: 2e-9 * s[0] * -v)


@reference(
    "712-double-synapse",
    tests="doubleSynapse: both synapses get each spike, their currents add",
    rule="Synapses.xml: doubleSynapse (relay, weightFactor)",
    mistakes={"only the first acts": {"second": 0.0}},
)
def double(second: float = 0.5e-9) -> list:
    f = factor(2, 10)
    law = lambda s, v: [-s[0] / (4 * MS), -s[1] / (2 * MS), -s[2] / (10 * MS)]  # noqa: E731
    return synapse(
        3, law, lambda t, s: s + np.array([1e-9, f, f]),
        lambda s, v: s[0] * -v + second * (s[2] - s[1]) * (-30 * MV - v),
    )  # fmt: skip


@reference(
    "713-two-connections",
    tests="two connections make two synapses, each with a state, a weight and a delay of its own",
    rule="Networks.xml: connectionWD (an instance of the synapse for each); Synapses.xml: tsodyksMarkramDepMechanism",
    mistakes={"they share one synapse": {"shared": True}},
)
def two_connections(shared: bool = False) -> list:
    arrivals = dict.fromkeys(SPIKES_MS, (0, 1.0)) | {t + 4: (1, 0.5) for t in SPIKES_MS}
    law = lambda s, v: np.concatenate(  # noqa: E731
        [[-a / (1.5 * MS), -b / (4 * MS), (1 - r) / (20 * MS)] for a, b, r in s.reshape(2, 3)]
    )

    def event(t: float, s: np.ndarray) -> np.ndarray:
        which, weight = arrivals[t]
        made = s.reshape(2, 3).copy()
        own = made[0 if shared else which]
        own[:2] += weight * own[2] * 0.4 * factor(1.5, 4)
        own[2] *= 0.6
        return made.ravel()

    def current(s: np.ndarray, v: float) -> float:
        return 1e-9 * (s[1] - s[0] + s[4] - s[3]) * -v

    return synapse([0, 0, 1, 0, 0, 1], law, event, current, tuple(arrivals))
