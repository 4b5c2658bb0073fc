"""Concentration models: what feeds them, their volumes, where they start."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tests.conformance.references.cable import MV, Piece, coupled, cylinder
from tests.conformance.references.densities import FARADAY, REST, calcium, nernst, with_pool
from tests.conformance.references.passive import SOMA_AREA, TO_END
from tests.conformance.references.registry import reference, samples
from tests.conformance.references.solve import PULSE_EDGES_MS, SOMA, TIMES_MS, integrate, pulse

PI = 3.14159
"""As decayingPoolConcentrationModel writes it."""


def ohmic(v: float, ca: float = 0.0) -> float:
    """The calcium current density (A/m2) of most cases."""
    return 0.5 * (40 * MV - v)


def pool(move: Callable[[float, float], float], start: float = REST, density: Callable = ohmic) -> list:
    """v and calcium; `move(inward, ca)` is dc/dt."""

    def derivative(t: float, y: np.ndarray) -> list[float]:
        inward = density(float(y[0]))
        return [SOMA.dv(float(y[0]), inward, pulse(t)), move(inward, float(y[1]))]

    found = integrate(derivative, [-65 * MV, start], TIMES_MS, breaks_ms=PULSE_EDGES_MS)
    return [samples(TIMES_MS, found[:, 0]), calcium(found[:, 1])]


def shell(area: float, thickness: float) -> float:
    """Volume (m3) of the shell under a sphere of that area."""
    radius = math.sqrt(area / (4 * PI))
    return 4 * PI / 3 * (radius**3 - (radius - thickness) ** 3)


@reference(
    "401-pool-fixed-factor",
    tests="fixedFactorConcentrationModel: an inward current over the area, times rho, raises the concentration",
    rule="Cells.xml: fixedFactorConcentrationModel; currents are inward positive",
    mistakes={"the sign of the current is turned": {"rho": -2.0}},
)
def fixed_factor(rho: float = 2.0) -> list:
    return pool(lambda i, ca: i * rho - (ca - REST) / 15e-3)


@reference(
    "402-pool-decaying",
    tests="decayingPoolConcentrationModel: the volume is a shell of a sphere of equal area, two charges per ion",
    rule="Cells.xml: decayingPoolConcentrationModel",
    mistakes={
        "the volume is area times thickness": {"volume": SOMA.area * 1e-6},
        "one charge per ion": {"charges": 1.0},
    },
)
def decaying(volume: float = shell(SOMA.area, 1e-6), charges: float = 2.0) -> list:
    return pool(lambda i, ca: i * SOMA.area / (charges * FARADAY * volume) - (ca - REST) / 15e-3)


@reference(
    "403-pool-traub",
    tests="fixedFactorConcentrationModelTraub: 1e-9 phi times current density, decay by the rate beta",
    rule="Cells.xml: fixedFactorConcentrationModelTraub",
)
def traub() -> list:
    return pool(lambda i, ca: i * 1e-9 * 2e9 - (ca - REST) * 60.0)


@reference(
    "404-pool-of-user-code",
    tests="a concentration model defined in the document, with a second state and its own OnStart",
    rule="LEMS: a ComponentType that extends concentrationModel",
    mistakes={"its own start is ignored": {"bound": 0.0}},
)
def user_pool(bound: float = 2 * REST) -> list:
    def derivative(t: float, y: np.ndarray) -> list[float]:
        v, ca, other = (float(x) for x in y)
        inward = ohmic(v)
        exchange = (ca - other) / 30e-3
        into = inward / (2 * FARADAY * 2e-6)
        return [SOMA.dv(v, inward, pulse(t)), into - (ca - REST) / 15e-3 - exchange, exchange]

    found = integrate(derivative, [-65 * MV, REST, bound], TIMES_MS, breaks_ms=PULSE_EDGES_MS)
    return [samples(TIMES_MS, found[:, 0]), calcium(found[:, 1])]


@reference(
    "405-pool-clipped",
    tests="a concentration that would fall below 0 stays at 0 (OnCondition after each step)",
    rule="Cells.xml: fixedFactorConcentrationModel (OnCondition)",
    mistakes={"it becomes negative": {"floor": -1.0}},
)
def clipped(floor: float = 0.0) -> list:
    def move(inward: float, ca: float) -> float:
        change = inward * 2 - (ca - REST) / 15e-3
        return max(change, 0.0) if ca <= floor else change

    return pool(move, density=lambda v: 0.5 * (-90 * MV - v))


@reference(
    "406-pool-initial-and-resting",
    tests="a pool starts at the species' initialConcentration and decays to its own restingConc",
    rule="Cells.xml: species, fixedFactorConcentrationModel (OnStart)",
    mistakes={"it starts at restingConc": {"start": 5e-4}},
)
def initial_and_resting(start: float = 2e-3) -> list:
    return pool(lambda i, ca: i * 2 - (ca - 5e-4) / 15e-3, start)


def two_pools(moves: Sequence[Callable[[float, float], float]], starts: Sequence[float]) -> list:
    """v of the ball and stick with a Nernst density of 0.3 S/m2 and a pool in each compartment."""
    pieces = [Piece(SOMA_AREA), Piece(cylinder(100, 2))]

    def derivative(t: float, y: np.ndarray) -> list[float]:
        v, ca = y[:2], y[2:]
        inward = [0.3 * (nernst(float(c), kelvin=279.45) - float(x)) for x, c in zip(v, ca, strict=True)]
        currents = [piece.area * i for piece, i in zip(pieces, inward, strict=True)]
        currents[0] += pulse(t, amplitude_nA=0.05)
        dv = coupled(pieces, [(0, 1, TO_END)], v, np.array(currents))
        return [*dv, *[move(i, float(c)) for move, i, c in zip(moves, inward, ca, strict=True)]]

    found = integrate(derivative, [-65 * MV, -65 * MV, *starts], TIMES_MS, breaks_ms=PULSE_EDGES_MS)
    return [samples(TIMES_MS, found[:, 0]), samples(TIMES_MS, found[:, 1], "v1")]


@reference(
    "407-pool-initial-by-group",
    tests="each group's species has its own initialConcentration",
    rule="Cells.xml: species (segmentGroup)",
    mistakes={"the first holds everywhere": {"dend": REST}, "the last holds everywhere": {"soma": 1e-2}},
    departures={"jNeuroML_NEURON": "starts all pools from one global concentration"},
)
def initial_by_group(dend: float = 1e-2, soma: float = REST) -> list:
    move = lambda i, ca: i * 2 - (ca - REST) / 15e-3  # noqa: E731
    return two_pools([move, move], [soma, dend])


@reference(
    "408-pool-of-each-compartment",
    tests="a decaying pool has the shell of its own compartment's area",
    rule="NeuroML: pools are per compartment; Cells.xml: decayingPoolConcentrationModel (surfaceArea)",
    mistakes={"the shell is that of the whole cell": {"is_whole": True}},
)
def of_each_compartment(is_whole: bool = False) -> list:
    areas = [SOMA_AREA, cylinder(100, 2)]

    def move(area: float) -> Callable[[float, float], float]:
        volume = shell(sum(areas) if is_whole else area, 0.5e-6)
        return lambda i, ca: i * area / (2 * FARADAY * volume) - (ca - REST) / 15e-3

    return two_pools([move(area) for area in areas], [REST, REST])


@reference(
    "409-pool-fed-by-all",
    tests="all densities and populations of the ion feed its pool",
    rule="Cells.xml: membraneProperties (iCa)",
    mistakes={"the population is left out": {"population": 0.0}, "the second density is left out": {"second": 0.0}},
)
def fed_by_all(population: float = 1.0, second: float = 1.0) -> list:
    def parts(v: float) -> tuple[float, float, float]:
        return ohmic(v), 0.2 * (60 * MV - v), 30 * 10e-12 / SOMA.area * (50 * MV - v)

    def feeds(v: float, ca: float) -> float:
        first, other, number = parts(v)
        return first + second * other + population * number

    return with_pool(lambda v, ca: sum(parts(v)), feeds=feeds)


@reference(
    "410-ion-of-the-density",
    tests="the attribute ion of a density decides whether it feeds the pool, not the species of its channel",
    rule="Cells.xml: membraneProperties (channelDensities[ion='ca'])",
    mistakes={"the species of the channel decides": {"by_species": True}},
)
def ion_of_density(by_species: bool = False) -> list:
    def feeds(v: float, ca: float) -> float:
        return 0.4 * (-80 * MV - v) if by_species else ohmic(v)

    return with_pool(lambda v, ca: ohmic(v) + 0.4 * (-80 * MV - v), feeds=feeds)
