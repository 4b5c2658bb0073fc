"""Passive compartments joined by resistors, solved exactly: closed forms for geometry and cable properties."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from tests.conformance.references.solve import MS, MV

UM = 1e-6


@dataclass(frozen=True)
class Piece:
    """A compartment, SI: membrane area, leaks (conductance density, reversal), capacitance per area, start."""

    area: float
    leaks: Sequence[tuple[float, float]] = ((1.0, -0.065),)
    capacitance: float = 0.01
    v0: float = -0.065


def voltages(
    pieces: Sequence[Piece],
    resistances: Sequence[tuple[int, int, float]],
    times_ms: Sequence[float],
    currents_nA: Mapping[int, float],
    window_ms: tuple[float, float] = (5.0, 25.0),
) -> np.ndarray:
    """Voltages (times, pieces) under constant currents within a window; `resistances` are (piece, piece, ohm).

    C v' = -G v + b is linear, so v moves by a matrix exponential between the edges of the window.
    """
    count = len(pieces)
    conductance = np.zeros((count, count))
    source = np.zeros(count)
    for k, piece in enumerate(pieces):
        conductance[k, k] += piece.area * sum(g for g, _ in piece.leaks)
        source[k] += piece.area * sum(g * e for g, e in piece.leaks)
    for i, j, ohm in resistances:
        conductance[[i, j], [i, j]] += 1 / ohm
        conductance[i, j] -= 1 / ohm
        conductance[j, i] -= 1 / ohm
    capacitance = np.array([piece.area * piece.capacitance for piece in pieces])
    drive = np.zeros(count)
    for k, amplitude in currents_nA.items():
        drive[k] = 1e-9 * amplitude
    matrix = -conductance / capacitance[:, None]

    def moved(v: np.ndarray, ms: float, is_on: bool) -> np.ndarray:
        steady = np.linalg.solve(conductance, source + (drive if is_on else 0.0))
        return steady + expm(matrix * ms * MS) @ (v - steady)

    v, now = np.array([piece.v0 for piece in pieces]), 0.0
    found = []
    for t in times_ms:
        for edge in (*[e for e in window_ms if now < e < t], t):
            v = moved(v, edge - now, window_ms[0] <= now < window_ms[1])
            now = edge
        found.append(v)
    return np.array(found)


def coupled(
    pieces: Sequence[Piece], resistances: Sequence[tuple[int, int, float]], v: np.ndarray, inward_A: np.ndarray
) -> np.ndarray:
    """dv/dt (V/s) of the pieces with further inward currents (A): for membranes that are not linear."""
    current = np.array(inward_A, dtype=float)
    for k, piece in enumerate(pieces):
        current[k] += piece.area * sum(g * (e - v[k]) for g, e in piece.leaks)
    for i, j, ohm in resistances:
        current[i] += (v[j] - v[i]) / ohm
        current[j] += (v[i] - v[j]) / ohm
    return current / np.array([piece.area * piece.capacitance for piece in pieces])


def cylinder(length_um: float, diameter_um: float) -> float:
    """Area (m2) of a cylinder's side."""
    return math.pi * diameter_um * length_um * UM**2


def frustum(length_um: float, from_um: float, to_um: float) -> float:
    """Area (m2) of the side of a frustum between two diameters."""
    r, s = from_um / 2, to_um / 2
    return math.pi * (r + s) * math.hypot(length_um, r - s) * UM**2


def axial(length_um: float, from_um: float, to_um: float | None = None, ohm_m: float = 1.0) -> float:
    """Resistance (ohm) along a frustum (a cylinder if one diameter is given): rho L / (pi r s)."""
    r, s = from_um / 2, (from_um if to_um is None else to_um) / 2
    return ohm_m * length_um / (math.pi * r * s * UM)


__all__ = ["MV", "UM", "Piece", "axial", "coupled", "cylinder", "frustum", "voltages"]
