"""Gates, rates and channels, seen in a cell of one compartment under a current pulse."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tests.conformance.references.rates import exponential, linoid, sigmoid
from tests.conformance.references.registry import gate, reference, samples
from tests.conformance.references.solve import MS, MV, PULSE_EDGES_MS, SOMA, TIMES_MS, integrate, pulse

Rate = Callable[[float], float]
G_S_PER_M2 = 2.0


def forward(v: float) -> float:
    """The forward rate of most cases, 1/s."""
    return linoid(v, 100.0, -50, 10)


def backward(v: float) -> float:
    """The reverse rate of most cases, 1/s."""
    return exponential(v, 500.0, -60, -15)


def steady(v: float) -> float:
    """The steady state of most cases."""
    return sigmoid(v, 1.0, -50, 8)


def from_rates(a: Rate, b: Rate) -> tuple[Rate, Rate]:
    """inf and tau (s) of two rates (1/s)."""
    return (lambda v: a(v) / (a(v) + b(v))), (lambda v: 1 / (a(v) + b(v)))


def gated(
    gates: Sequence[tuple[Rate, Rate]],
    opening: Callable[[np.ndarray], float],
    *,
    reversal_mV: float = 0.0,
    density: float = G_S_PER_M2,
    starts: Sequence[float] | None = None,
) -> np.ndarray:
    """v and the gates (inf, tau in s) at TIMES_MS; `opening` makes the open fraction of them."""

    def derivative(t: float, y: np.ndarray) -> list[float]:
        v, states = float(y[0]), y[1:]
        current = density * opening(states) * (reversal_mV * MV - v)
        moves = [(inf(v) - q) / tau(v) for (inf, tau), q in zip(gates, states, strict=True)]
        return [SOMA.dv(v, current, pulse(t)), *moves]

    v0 = -65 * MV
    begin = [inf(v0) for inf, _ in gates] if starts is None else starts
    return integrate(derivative, [v0, *begin], TIMES_MS, breaks_ms=PULSE_EDGES_MS)


def one_gate(inf: Rate, tau: Rate, power: float = 1, **more: float) -> list:
    """Quantities v and q of a channel with one gate."""
    found = gated([(inf, tau)], lambda q: q[0] ** power, **more)
    return [samples(TIMES_MS, found[:, 0]), gate(TIMES_MS, found[:, 1])]


def _fixed(tau_ms: float) -> Rate:
    return lambda v: tau_ms * MS


@reference(
    "201-gate-rates",
    tests="gateHHrates: steady state and time constant from two rates, q to the power 'instances', start at rest",
    rule="Channels.xml: gateHHrates, HHExpLinearRate, HHExpRate",
    mistakes={"the power is not taken": {"power": 1}},
)
def gate_rates(power: float = 3) -> list:
    return one_gate(*from_rates(forward, backward), power=power)


@reference(
    "202-gate-tau-inf",
    tests="gateHHtauInf: time course and steady state given directly",
    rule="Channels.xml: gateHHtauInf, fixedTimeCourse, HHSigmoidVariable",
    mistakes={"the gate starts closed": {"start": 0.0}},
)
def gate_tau_inf(start: float | None = None) -> list:
    starts = None if start is None else [start]
    found = gated([(steady, _fixed(4))], lambda q: q[0], starts=starts)
    return [samples(TIMES_MS, found[:, 0]), gate(TIMES_MS, found[:, 1])]


@reference(
    "203-gate-rates-tau",
    tests="gateHHratesTau: steady state from the rates, time constant from timeCourse",
    rule="Channels.xml: gateHHratesTau",
    mistakes={"the time constant is taken from the rates": {"own_tau": False}},
)
def gate_rates_tau(own_tau: bool = True) -> list:
    inf, tau = from_rates(forward, backward)
    return one_gate(inf, _fixed(4) if own_tau else tau)


@reference(
    "204-gate-rates-inf",
    tests="gateHHratesInf: time constant from the rates, steady state from steadyState",
    rule="Channels.xml: gateHHratesInf",
    mistakes={"the steady state is taken from the rates": {"own_inf": False}},
)
def gate_rates_inf(own_inf: bool = True) -> list:
    inf, tau = from_rates(forward, backward)
    return one_gate(steady if own_inf else inf, tau)


@reference(
    "205-gate-rates-tau-inf",
    tests="gateHHratesTauInf: timeCourse and steadyState move the gate, the rates do not",
    rule="Channels.xml: gateHHratesTauInf",
    mistakes={"the rates move the gate": {"by_rates": True}},
)
def gate_rates_tau_inf(by_rates: bool = False) -> list:
    return one_gate(*(from_rates(forward, backward) if by_rates else (steady, _fixed(4))))


@reference(
    "206-gate-instantaneous",
    tests="gateHHInstantaneous: no state; q is the steady state at every moment",
    rule="Channels.xml: gateHHInstantaneous",
    mistakes={"the power is not taken": {"power": 1}},
)
def gate_instantaneous(power: int = 2) -> list:
    def derivative(t: float, y: np.ndarray) -> list[float]:
        return [SOMA.dv(y[0], -G_S_PER_M2 * steady(y[0]) ** power * y[0], pulse(t))]

    return [samples(TIMES_MS, integrate(derivative, [-65 * MV], TIMES_MS, breaks_ms=PULSE_EDGES_MS)[:, 0])]


@reference(
    "207-gate-fractional",
    tests="gateFractional: q is the sum of fractionalConductance times sub-gate; the gate's q10 scales each of them",
    rule="Channels.xml: gateFractional, subGate (rateScale is a requirement met by the gate)",
    mistakes={
        "the q10 does not reach the sub-gates": {"q10": 1.0},
        "the power is taken of each sub-gate": {"power_inside": True},
    },
)
def gate_fractional(q10: float = 2.0, power_inside: bool = False) -> list:
    def opening(q: np.ndarray) -> float:
        return 0.3 * q[0] ** 2 + 0.7 * q[1] ** 2 if power_inside else (0.3 * q[0] + 0.7 * q[1]) ** 2

    slow = (lambda v: sigmoid(v, 1.0, -55, 6)), _fixed(20 / q10)
    return [samples(TIMES_MS, gated([(steady, _fixed(3 / q10)), slow], opening)[:, 0])]


# ------------------------------------------------------------------------------------------------ rates


@reference(
    "212-two-gates",
    tests="the gates of a channel multiply, each to its own power",
    rule="Channels.xml: ionChannelHH (fopen, reduce multiply)",
    mistakes={"the second gate is left out": {"with_h": False}},
)
def two_gates(with_h: bool = True) -> list:
    h = (lambda v: sigmoid(v, 1.0, -60, -7)), _fixed(8)
    found = gated([from_rates(forward, backward), h], lambda q: q[0] ** 3 * (q[1] if with_h else 1.0))
    return [
        samples(TIMES_MS, found[:, 0]), gate(TIMES_MS, found[:, 1], "m"), gate(TIMES_MS, found[:, 2], "h")
    ]  # fmt: skip


@reference(
    "213-linear-rate-at-midpoint",
    tests="HHExpLinearRate at v = midpoint is 'rate', the limit of the formula that is 0/0 there",
    rule="Channels.xml: HHExpLinearRate",
    mistakes={"the rate is 0 at the midpoint": {"at_midpoint": 0.0}},
)
def linear_rate(at_midpoint: float = 1.0) -> list:
    def rate(v: float) -> float:
        return linoid(v, 300.0, -65, 10) if v != -65 * MV else 300.0 * at_midpoint

    inf, tau = from_rates(rate, lambda v: exponential(v, 500.0, -65, -15))
    return one_gate(inf, tau, 2, reversal_mV=-65.0)


@reference(
    "214-linear-variable-at-midpoint",
    tests="HHExpLinearVariable at v = midpoint is its limit 'rate'",
    rule="Channels.xml: HHExpLinearVariable; the type has no case for the midpoint, 0/0: the limit is meant",
    departures={"jLEMS": "evaluates 0/0: nothing but NaN follows"},
)
def linear_variable() -> list:
    return one_gate(lambda v: linoid(v, 0.2, -65, 10), _fixed(4), reversal_mV=-65.0)


@reference(
    "215-sigmoid-rates",
    tests="HHSigmoidRate with scales of both signs",
    rule="Channels.xml: HHSigmoidRate",
    mistakes={"the sign of the scale is lost": {"scale": 9}},
)
def sigmoid_rates(scale: float = -9) -> list:
    return one_gate(*from_rates(lambda v: sigmoid(v, 800, -45, 6), lambda v: sigmoid(v, 400, -55, scale)))


@reference(
    "216-q10-fixed",
    tests="q10Fixed divides the time constant of a gate; the steady state stays",
    rule="Channels.xml: q10Fixed, gateHHrates (rateScale)",
    mistakes={"the q10 is left out": {"q10": 1.0}, "the time constant is multiplied": {"q10": 1 / 3}},
)
def q10_fixed(q10: float = 3.0) -> list:
    inf, tau = from_rates(forward, backward)
    return one_gate(inf, lambda v: tau(v) / q10)


@reference(
    "217-q10-of-temperature",
    tests="q10ExpTemp: rateScale = q10Factor^((temperature - experimentalTemp)/10 K), with the network's temperature",
    rule="Channels.xml: q10ExpTemp; Networks.xml: networkWithTemperature",
    mistakes={"the temperature of the network is ignored (6.3 degC)": {"celsius": 6.3}},
)
def q10_temperature(celsius: float = 31.0) -> list:
    return one_gate(steady, _fixed(4 / 2.5 ** ((celsius - 23) / 10)))


@reference(
    "219-conductance-scaling",
    tests="q10ConductanceScaling multiplies the open fraction of the channel and leaves the rates",
    rule="Channels.xml: q10ConductanceScaling, ionChannelHH (conductanceScale)",
    mistakes={"the conductance is not scaled": {"celsius": 21.0}},
)
def conductance_scaling(celsius: float = 34.0) -> list:
    return one_gate(steady, _fixed(4), density=G_S_PER_M2 * 1.8 ** ((celsius - 21) / 10))


@reference(
    "220-user-rate",
    tests="a rate defined in the document: constants with units, a power that is no whole number",
    rule="LEMS: ComponentType, Constant, DerivedVariable; Channels.xml: baseVoltageDepRate",
)
def user_rate() -> list:
    def rate(v: float) -> float:
        return 1e3 * 0.02 * (v / MV + 80) ** 1.5 / (100 + v / MV)

    return one_gate(*from_rates(rate, backward))


@reference(
    "221-conditional-order",
    tests="ConditionalDerivedVariable: the first case that holds counts, a case without condition is the default",
    rule="LEMS: ConditionalDerivedVariable",
    mistakes={"the last case that holds counts": {"last": True}},
)
def conditional_order(last: bool = False) -> list:
    def rate(v: float) -> float:
        x = v / MV
        if x < -60 and not last:
            return 400 * math.exp((x + 60) / 5)
        return 400.0 if x < -45 else 400 + 30 * (x + 45)

    inf, tau = from_rates(rate, backward)
    return one_gate(inf, tau)


@reference(
    "222-dynamics-replaced",
    tests="Dynamics of a derived ComponentType replace all of the parent's: no state is left over",
    rule="LEMS (jLEMS): Dynamics are inherited only by a type that has none",
    mistakes={"the parent's time derivative is kept": {"is_prompt": False}},
)
def dynamics_replaced(is_prompt: bool = True) -> list:
    if not is_prompt:
        return [samples(TIMES_MS, gated([(steady, _fixed(4))], lambda q: q[0])[:, 0])]
    return gate_instantaneous(power=1)


@reference(
    "223-dynamics-inherited",
    tests="a derived ComponentType without Dynamics has its parent's; Fixed gives a parameter its value",
    rule="LEMS: extends, Fixed",
)
def dynamics_inherited() -> list:
    return one_gate(*from_rates(lambda v: sigmoid(v, 500, -52, 3), backward))


@reference(
    "225-type-attribute",
    tests="<ionChannel type='ionChannelHH'> and <gate type='gateHHrates'> mean the elements of those names",
    rule="LEMS: the attribute 'type' of an element names its ComponentType",
)
def type_attribute() -> list:
    return one_gate(*from_rates(forward, backward), power=3)


@reference(
    "226-channel-without-gates",
    tests="an ionChannelHH without gates is open",
    rule="Channels.xml: ionChannelHH (an empty product is 1)",
    method="closed form: exponentials towards the steady states of the pulse",
    mistakes={"it is closed": {"density": 0.0}},
)
def without_gates(density: float = G_S_PER_M2) -> list:
    total = SOMA.leak + density
    tau_ms = SOMA.capacitance / total / MS

    def value(t_ms: float) -> float:
        rest = SOMA.leak * SOMA.leak_reversal / total
        rise = pulse(0.01) / SOMA.area / total
        v = rest + (-65 * MV - rest) * math.exp(-t_ms / tau_ms)
        for edge, sign in zip(PULSE_EDGES_MS, (1, -1), strict=True):
            v += sign * rise * (1 - math.exp(-max(t_ms - edge, 0.0) / tau_ms))
        return v

    return [samples(TIMES_MS, [value(t) for t in TIMES_MS])]


@reference(
    "227-units-of-rates",
    tests="per_s, Hz and V beside per_ms and mV; blanks before the unit; numbers with exponents",
    rule="NeuroMLCoreDimensions.xml; the numbers of case 201",
    mistakes={"a rate in per_s is divided by 1000 once more": {"scale": 1e-3}},
)
def units_of_rates(scale: float = 1.0) -> list:
    return one_gate(*from_rates(lambda v: scale * forward(v), backward), power=3)


@reference(
    "228-vshift",
    tests="channelDensityVShift: its vShift is what a rate of its channel requires",
    rule="Cells.xml: channelDensityVShift; LEMS: a Requirement is met by an ancestor",
    mistakes={"no shift": {"shift_mV": 0}, "the shift has the other sign": {"shift_mV": 9}},
)
def vshift(shift_mV: float = -9) -> list:
    return one_gate(lambda v: sigmoid(v - shift_mV * MV, 1, -45, 8), _fixed(4))


@reference(
    "230-vshift-of-the-channel",
    tests="ionChannelVShift: its own vShift, not that of the density, is what a rate of the channel requires",
    rule="Channels.xml: ionChannelVShift; LEMS (jLEMS): a Requirement is met by the nearest ancestor that has the name",
    mistakes={"the shift of the density is taken": {"shift_mV": 4}, "they add": {"shift_mV": -5}},
)
def vshift_of_channel(shift_mV: float = -9) -> list:
    return vshift(shift_mV)
