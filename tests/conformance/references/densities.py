"""Channel densities and populations, and how they overlap and vary along the cell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tests.conformance.references.cable import MV, Piece, axial, coupled, cylinder
from tests.conformance.references.passive import SOMA_AREA, TO_END, several
from tests.conformance.references.registry import LINEAR, reference, samples
from tests.conformance.references.solve import PULSE_EDGES_MS, SOMA, TIMES_MS, integrate, pulse

GAS = 8.3144621
FARADAY = 96485.3
"""As the core types write them."""
KELVIN = 303.15
OUTSIDE = 2.0
REST = 1e-4
LIMIT_MEANT = "evaluates 0/0 at 0 mV: nothing but NaN follows"


def calcium(values: np.ndarray, column: str = "ca") -> object:
    """A concentration (mol/m3, that is mM)."""
    reason = "1e-6 mM, a hundredth of the resting concentration"
    return samples(TIMES_MS, values, column, tolerance=1e-6, reason=reason)


def nernst(inside: float, outside: float = OUTSIDE, kelvin: float = KELVIN, valence: float = 2.0) -> float:
    """The reversal potential (V)."""
    return GAS * kelvin / (valence * FARADAY) * math.log(outside / inside)


def ghk(v: float, inside: float, permeability: float, kelvin: float = KELVIN) -> float:
    """Inward current density (A/m2) of calcium; at 0 V the limit."""
    x = max(2 * FARADAY / (GAS * kelvin) * v, -500.0)  # the integrator tries steps that are too long
    factor = x / -math.expm1(-x) if x else 1.0
    return -permeability * 2 * FARADAY * factor * (inside - OUTSIDE * math.exp(-x))


def with_pool(
    density: Callable[[float, float], float],
    *,
    feeds: Callable[[float, float], float] | None = None,
) -> list:
    """v and calcium: `density(v, ca)` is the current density (A/m2), `feeds` what of it goes to the pool (all)."""

    def derivative(t: float, y: np.ndarray) -> list[float]:
        v, ca = float(y[0]), float(y[1])
        inward = density(v, ca)
        fed = inward if feeds is None else feeds(v, ca)
        return [SOMA.dv(v, inward, pulse(t)), fed * 2.0 - (ca - REST) / 15e-3]

    found = integrate(derivative, [-65 * MV, REST], TIMES_MS, breaks_ms=PULSE_EDGES_MS)
    return [samples(TIMES_MS, found[:, 0]), calcium(found[:, 1])]


@reference(
    "301-density-nernst",
    tests="channelDensityNernst: erev = RT/(2F) ln(caConcExt/caConc) at every moment",
    rule="Cells.xml: channelDensityNernst (R, F and z = 2 are constants)",
    mistakes={"the valence is 1": {"valence": 1.0}, "the temperature is 6.3 degC": {"kelvin": 279.45}},
)
def density_nernst(valence: float = 2.0, kelvin: float = KELVIN) -> list:
    return with_pool(lambda v, ca: 0.3 * (nernst(ca, kelvin=kelvin, valence=valence) - v))


@reference(
    "302-density-nernst-ca2",
    tests="cell2CaPools: channelDensityNernstCa2 follows the second pool, which densities of ion ca2 feed",
    rule="Cells.xml: cell2CaPools, channelDensityNernstCa2",
    mistakes={"it follows the first pool": {"own_pool": False}, "the first current feeds both": {"own_current": False}},
)
def density_nernst_ca2(own_pool: bool = True, own_current: bool = True) -> list:
    def derivative(t: float, y: np.ndarray) -> list[float]:
        v, ca, ca2 = (float(x) for x in y)
        first = 0.3 * (nernst(ca) - v)
        second = 0.2 * (nernst(ca2, 1.0) - v) if own_pool else 0.2 * (nernst(ca) - v)
        dv = SOMA.dv(v, first + second, pulse(t))
        fed = second if own_current else first
        return [dv, first * 2 - (ca - REST) / 15e-3, fed * 6 - (ca2 - 2e-4) / 30e-3]

    found = integrate(derivative, [-65 * MV, REST, 2e-4], TIMES_MS, breaks_ms=PULSE_EDGES_MS)
    return [samples(TIMES_MS, found[:, 0]), calcium(found[:, 1]), calcium(found[:, 2], "ca2")]


@reference(
    "411-second-pool-of-core-type",
    tests="a core pool of ion ca2 is fed by iCa, which its type requires, and not by the current of ca2",
    rule="Cells.xml: fixedFactorConcentrationModel (Requirement iCa: 'currently hard coded to be calcium')",
    mistakes={"the current of ca2 feeds it": {"own_current": True}},
)
def second_core_pool(own_current: bool = False) -> list:
    return density_nernst_ca2(own_current=own_current)


@reference(
    "303-density-ghk",
    tests="channelDensityGHK: the Goldman-Hodgkin-Katz current of calcium with its permeability",
    rule="Cells.xml: channelDensityGHK",
    mistakes={"the temperature is 6.3 degC": {"kelvin": 279.45}, "cm per s taken for m per s": {"scale": 10.0}},
)
def density_ghk(kelvin: float = KELVIN, scale: float = 1.0) -> list:
    return with_pool(lambda v, ca: ghk(v, ca, scale * 2e-8, kelvin))


@reference(
    "304-density-ghk-at-zero",
    tests="channelDensityGHK at v = 0 is the limit of its formula",
    rule="Cells.xml: channelDensityGHK; the type has no case for 0 mV, where it is 0/0: the limit is meant",
    mistakes={"the density makes no current": {"permeability": 0.0}},
    departures={"jLEMS": LIMIT_MEANT},
)
def density_ghk_at_zero(permeability: float = 2e-8) -> list:
    def derivative(t: float, y: np.ndarray) -> list[float]:
        v = float(y[0])
        return [(SOMA.leak * -v + ghk(v, OUTSIDE, permeability) + pulse(t) / SOMA.area) / SOMA.capacitance]

    return [samples(TIMES_MS, integrate(derivative, [0.0], TIMES_MS, breaks_ms=PULSE_EDGES_MS)[:, 0])]


@reference(
    "305-density-ghk2",
    tests="channelDensityGHK2: conductance density times pOpen, with f = 25 mV T/(2 293.15 K)",
    rule="Cells.xml: channelDensityGHK2",
    mistakes={"the temperature is 6.3 degC": {"kelvin": 279.45}},
)
def density_ghk2(kelvin: float = KELVIN) -> list:
    f = 25 * kelvin / (293.15 * 2)

    def current(v: float, ca: float) -> float:
        nu = v / MV / f
        return 0.5 * f * 1e-3 * (1 - ca / OUTSIDE * math.exp(nu)) * nu / math.expm1(nu)

    return with_pool(current)


@reference(
    "306-population",
    tests="channelPopulation: number times conductance is absolute, whatever the membrane area",
    rule="Cells.xml: channelPopulation",
    method="closed form: exponentials towards the steady states of the pulse",
    mistakes={"the conductance of the channel is left out": {"conductance": 125 * 10e-12}},
)
def population(conductance: float = 125 * 20e-12) -> list:
    return several([Piece(SOMA_AREA, ((1.0, -65 * MV), (conductance / SOMA_AREA, 0.0)))], [], current_nA=0.02)


@reference(
    "307-population-nernst",
    tests="channelPopulationNernst: an absolute current at the Nernst potential; iCa/surfaceArea feeds the pool",
    rule="Cells.xml: channelPopulationNernst, membraneProperties (iCa)",
    mistakes={"it does not feed the pool": {"fed": 0.0}},
    departures={"jLEMS": "finds no current of the population: it stops"},
)
def population_nernst(fed: float = 1.0) -> list:
    def current(v: float, ca: float) -> float:
        return 40 * 10e-12 / SOMA.area * (nernst(ca) - v)

    return with_pool(current, feeds=lambda v, ca: fed * current(v, ca))


LEAKY = (1.0, -65 * MV)


def two_pieces(soma: Sequence[tuple[float, float]], dend: Sequence[tuple[float, float]]) -> list:
    """The ball and stick of two compartments with further conductances."""
    pieces = [Piece(SOMA_AREA, (LEAKY, *soma)), Piece(cylinder(100, 2), (LEAKY, *dend))]
    return several(pieces, [(0, 1, TO_END)])


@reference(
    "308-erev-of-each-density",
    tests="two densities of one ion channel with an ion each have their own reversal potential",
    rule="Cells.xml: channelDensity (erev)",
    method=LINEAR,
    mistakes={"that of the first holds for both": {"dend_mV": -77}},
    departures={"jNeuroML_NEURON": "writes the first reversal potential into the mechanism of the channel"},
)
def erev_of_each(dend_mV: float = -95) -> list:
    return two_pieces([(0.5, -77 * MV)], [(2.0, dend_mV * MV)])


@reference(
    "309-densities-overlap",
    tests="densities of one channel that overlap add, each with its own reversal potential",
    rule="Cells.xml: membraneProperties (a sum over all densities)",
    method=LINEAR,
    mistakes={
        "the later one replaces the earlier": {"dend": ((2.0, -95 * MV),)},
        "the later one replaces the earlier, but for its reversal potential": {"dend": ((2.0, -77 * MV),)},
        "they add at the first reversal potential": {"dend": ((2.5, -77 * MV),)},
    },
    departures={"jNeuroML_NEURON": "the later density replaces the earlier one where both are"},
)
def overlap(dend: Sequence[tuple[float, float]] = ((0.5, -77 * MV), (2.0, -95 * MV))) -> list:
    return two_pieces([(0.5, -77 * MV)], dend)


# ------------------------------------------------------------------------------------------------ non-uniform


def varying(conductance: Callable[[float], float], origin: float, unit: float = 1.0) -> list:
    """A soma of 20 um and a stick of 400 um in five compartments with a conductance (S/m2) of the path length."""
    centres = [20 + 40 + 80 * k for k in range(5)]
    extra = [(conductance((x - origin) / unit), -40 * MV) for x in centres]
    pieces = [Piece(SOMA_AREA), *[Piece(cylinder(80, 2), (LEAKY, e)) for e in extra]]
    joints = [(0, 1, axial(10, 20) + axial(40, 2)), *[(k, k + 1, axial(80, 2)) for k in range(1, 5)]]
    return several(pieces, joints, shown=[0, 3])


NOT_LEMS = "NeuroML: a multicompartment notion; the core type itself makes no current"


@reference(
    "310-nonuniform-path-length",
    tests="channelDensityNonUniform: p is the path length (um) from the root's start; the expression gives S/m2",
    rule=NOT_LEMS,
    method=LINEAR,
    mistakes={"p starts with the group": {"origin": 20.0}},
)
def nonuniform(origin: float = 0.0) -> list:
    return varying(lambda p: 0.5 + 0.004 * p, origin)


@reference(
    "311-nonuniform-translation",
    tests="translationStart 0: p is 0 where the group starts",
    rule=NOT_LEMS,
    method=LINEAR,
    mistakes={"p starts at the root": {"origin": 0.0}},
)
def nonuniform_translated(origin: float = 20.0) -> list:
    return varying(lambda p: 0.5 + 2 * (1 - math.exp(-p / 100)), origin)


@reference(
    "312-nonuniform-normalised",
    tests="normalizationEnd 1: p is 1 where the group ends",
    rule=NOT_LEMS,
    method=LINEAR,
    mistakes={"p is 1 at the centre of the last compartment": {"unit": 360.0}},
)
def nonuniform_normalised(unit: float = 400.0) -> list:
    return varying(lambda p: 4 * p**2, 20.0, unit)


def two_and_soma(density: Callable[[float, int], float]) -> list:
    """A soma and a stick of 200 um in two compartments; `density(v, k)` is the current density of compartment k."""
    pieces = [Piece(SOMA_AREA), *[Piece(cylinder(100, 2))] * 2]
    joints = [(0, 1, axial(10, 20) + axial(50, 2)), (1, 2, axial(100, 2))]

    def derivative(t: float, y: np.ndarray) -> np.ndarray:
        more = [pulse(t, amplitude_nA=0.05), *[pieces[k].area * density(y[k], k) for k in (1, 2)]]
        return coupled(pieces, joints, y, np.array(more))

    found = integrate(derivative, [-65 * MV] * 3, TIMES_MS, breaks_ms=PULSE_EDGES_MS)
    # segment 1 is 200 um long: its middle is the border of its compartments, which belongs to the distal one
    return [samples(TIMES_MS, found[:, 0]), samples(TIMES_MS, found[:, 2], "v1")]


@reference(
    "313-nonuniform-nernst",
    tests="channelDensityNonUniformNernst: a varying conductance density at the Nernst potential",
    rule=NOT_LEMS,
    mistakes={"the conductance does not vary": {"slope": 0.0}},
    departures={"jNeuroML_NEURON": "converts the unit of the first term of the expression only"},
)
def nonuniform_nernst(slope: float = 0.002) -> list:
    p = {1: 50.0, 2: 150.0}
    return two_and_soma(lambda v, k: (0.1 + slope * p[k]) * (nernst(REST) - v))


@reference(
    "314-nonuniform-ghk",
    tests="channelDensityNonUniformGHK: a varying permeability, its expression in m/s",
    rule=NOT_LEMS,
    mistakes={"the permeability does not vary": {"slope": 0.0}},
    departures={"jNeuroML_NEURON": "converts the unit of the first term of the expression only"},
)
def nonuniform_ghk(slope: float = 2e-10) -> list:
    p = {1: 50.0, 2: 150.0}
    return two_and_soma(lambda v, k: ghk(v, REST, 1e-8 + slope * p[k]))


@reference(
    "315-nernst-without-outside",
    tests="channelDensityNernst without calcium outside makes no current, and no NaN",
    rule="Cells.xml: channelDensityNernst (case caConcExt .leq. 0)",
)
def without_outside() -> list:
    return with_pool(lambda v, ca: 0.0)
