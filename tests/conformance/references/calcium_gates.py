"""Gates and conductances that depend on calcium."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.conformance.references.gates import steady
from tests.conformance.references.registry import gate, reference, samples
from tests.conformance.references.solve import MV, PULSE_EDGES_MS, SOMA, TIMES_MS, integrate, pulse

RHO = 2.0
REST = 1e-4


def _with_calcium(moves: Callable[[float, float, float], tuple[float, float]], start: float) -> list:
    """v, q and calcium; `moves(v, q, ca)` gives the test channel's current density and dq/dt."""

    def derivative(t: float, y: np.ndarray) -> list[float]:
        v, q, ca = (float(x) for x in y)
        i_ca = 0.5 * (40 * MV - v)
        current, dq = moves(v, q, ca)
        return [SOMA.dv(v, i_ca + current, pulse(t)), dq, i_ca * RHO - (ca - REST) / 15e-3]

    found = integrate(derivative, [-65 * MV, start, REST], TIMES_MS, breaks_ms=PULSE_EDGES_MS)
    calcium = samples(
        TIMES_MS, found[:, 2], "ca", tolerance=1e-6, reason="1e-6 mM, a hundredth of the resting concentration"
    )  # fmt: skip
    return [samples(TIMES_MS, found[:, 0]), gate(TIMES_MS, found[:, 1]), calcium]


@reference(
    "224-calcium-dependent-gate",
    tests="a steady state that requires caConc gets the concentration of the cell's pool",
    rule="Channels.xml: baseVoltageConcDepVariable; Cells.xml: cell (caConc)",
    mistakes={"the gate sees the initial concentration": {"is_live": False}},
)
def calcium_gate(is_live: bool = True) -> list:
    def inf(ca: float) -> float:
        x = (ca if is_live else REST) / 1e-3
        return x**2 / (x**2 + 0.25)

    return _with_calcium(lambda v, q, ca: (5.0 * q * (-90 * MV - v), (inf(ca) - q) / 4e-3), inf(REST))


@reference(
    "229-calcium-conductance-scaling",
    tests="a conductance scaling that requires caConc is evaluated at every moment",
    rule="Channels.xml: baseConductanceScalingCaDependent",
    mistakes={"it is evaluated once, at the start": {"is_live": False}},
)
def calcium_scaling(is_live: bool = True) -> list:
    def factor(ca: float) -> float:
        return 1 / (1 + (ca if is_live else REST) / 1e-3)

    return _with_calcium(
        lambda v, q, ca: (-2.0 * q * factor(ca) * v, (steady(v) - q) / 4e-3), steady(-65 * MV)
    )  # fmt: skip
