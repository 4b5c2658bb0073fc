"""Do the currents of a compartment add up? What is missing tells by its shape whose current it is.

C dv/dt minus all currents by the document's equations, at the voltages and states that the backend recorded, is zero
up to rounding where the backend does what the document says. A remainder that goes like the current of a mechanism is a
wrong conductance, like its conductance a wrong reversal potential, like dv/dt a wrong capacitance, like the current
from the neighbours a wrong axial resistance; one that goes like a current times or by a state of its mechanism is a
wrong form of the current.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from nmlopt.backend import Floats
from nmlopt.verify.axial import Axial
from nmlopt.verify.equations import Local, array
from nmlopt.verify.rates import Frame

BALANCE_TOLERANCE = 1e-3
"""Share of the currents of a compartment that may be missing: 1e-6 where all is right."""
SURE = 0.9
"""A shape that explains this share of the squares of a remainder names the culprit."""
_DELTA_V = 1e-3
_LEAST = 1e-12

Kind: TypeAlias = Literal["conductance", "reversal", "form", "capacitance", "axial", "stimulus"]


@dataclass(frozen=True)
class Missing:
    """A remainder: whose shape it has, how much of it that explains, and by how much the culprit is off.

    `amount`: factor of a conductance, capacitance, axial or stimulus current; shift of a reversal potential in V.
    `share`: of all currents. `at`: the sample where it is largest, `expected`, `found`: C dv/dt there, A.
    """

    kind: Kind
    local: Local | None
    amount: float
    explained: float
    share: float
    at: int
    expected: float
    found: float


@dataclass(frozen=True)
class Surroundings:
    """What acts on a compartment beside its mechanisms: capacitance, stimuli (A, half a step on), cables.

    `v`: voltages of its neighbours and its own, by compartment. `jumps_ms`: when stimuli jump.
    """

    k: int
    capacitance_F: float
    drive_A: Floats
    joined: Axial
    v: Mapping[int, Floats]
    jumps_ms: Floats


def missing(found: Frame, around: Surroundings) -> Missing | None:
    """What is missing at a compartment, None where nothing is or where it cannot be told."""
    k, joined, v = around.k, around.joined, around.v
    if not found.is_complete or len(found.t_s) < 4:
        return None
    if any(other not in v for other in joined.neighbours(k)):
        return None
    away = np.abs(1e3 * found.t_s[:-1, None] - around.jumps_ms[None, :]) > 1.5e3 * found.step_s
    kept = np.asarray(away.all(axis=1))
    charge = around.capacitance_F * np.diff(found.inputs["v"]) / found.step_s
    best: tuple[float, Floats, dict[tuple[Kind, int], Floats], Floats] | None = None
    for ahead in (0, 1):
        for states_ahead in (0, 1):
            shapes, total = _shapes(found, around, ahead, states_ahead)
            scale = np.abs(charge) + sum(
                (np.abs(s) for (kind, _), s in shapes.items() if kind != "reversal"), 0.0 * charge
            )
            rest = np.where(kept, charge - total, 0.0) / np.where(scale > 0, scale, 1.0)
            size = float(np.sqrt(np.mean(rest**2)))
            if best is None or size < best[0]:
                best = (size, rest, shapes, scale)
    assert best is not None  # there are four
    size, rest, shapes, scale = best
    if not size > BALANCE_TOLERANCE:
        return None
    shapes["capacitance", -1] = charge
    weight = 1.0 / np.where(scale > 0, scale, 1.0)
    ranked = sorted(
        ((_explained(rest, np.where(kept, shape * weight, 0.0)), key) for key, shape in shapes.items()),
        key=lambda x: x[0][0],
        reverse=True,
    )
    (share, amount), (kind, index) = ranked[0]
    if share < SURE:
        for position, local in enumerate(found.locals):
            if local.mechanism.current and found.states[position]:
                formed = _formed(rest, shapes["conductance", position] * weight, found.states[position], kept)
                if formed > max(share, SURE):
                    share, amount, kind, index = formed, np.nan, "form", position
    at = int(np.argmax(np.abs(rest)))
    return Missing(
        kind,
        found.locals[index] if index >= 0 else None,
        amount if kind == "reversal" else _factor(kind, amount),
        share,
        size,
        at,
        float(charge[at] - rest[at] * scale[at]),
        float(charge[at]),
    )


def _formed(rest: Floats, current: Floats, states: Mapping[str, Floats], kept: np.ndarray) -> float:
    """The share that the current, it times each of its states and it divided by each explain together."""
    n = len(rest)
    shapes = [current]
    for values in states.values():
        state = values[:n]
        shapes += [current * state, current / np.where(np.abs(state) > _LEAST, state, np.inf)]
    table = np.column_stack(shapes)[kept]
    norms = np.linalg.norm(table, axis=0)
    table = table[:, norms > 0] / norms[norms > 0]
    solution = np.linalg.lstsq(table, rest[kept], rcond=1e-9)[0]
    return 1.0 - float(((rest[kept] - table @ solution) ** 2).sum()) / float((rest**2).sum())


def _factor(kind: Kind, amount: float) -> float:
    return 1.0 - amount if kind == "capacitance" else 1.0 + amount


def _explained(rest: Floats, shape: Floats) -> tuple[float, float]:
    """Share of the squares of `rest` that a multiple of `shape` explains, and that multiple."""
    norm = float(shape @ shape)
    if not norm > 0:
        return 0.0, 0.0
    amount = float(rest @ shape) / norm
    return 1.0 - float(((rest - amount * shape) ** 2).sum()) / float((rest**2).sum()), amount


def _shapes(
    found: Frame, around: Surroundings, ahead: int, states_ahead: int
) -> tuple[dict[tuple[Kind, int], Floats], Floats]:
    """Every current (A) in each step by kind and mechanism, with voltages of its end or begin; their sum."""
    n = len(found.t_s) - 1
    shapes: dict[tuple[Kind, int], Floats] = {}
    total = np.zeros(n)
    for index, (local, states) in enumerate(zip(found.locals, found.states, strict=True)):
        if not local.mechanism.current:
            continue
        known = {
            name: values[ahead : ahead + n] if name == "v" else values[states_ahead : states_ahead + n]
            for name, values in found.inputs.items()
        }
        own = {name: values[states_ahead : states_ahead + n] for name, values in states.items()}
        current = array(local.current_into(local.solve({**known, **own})), n)
        moved = array(local.current_into(local.solve({**known, "v": known["v"] + _DELTA_V, **own})), n)
        shapes["conductance", index] = current
        shapes["reversal", index] = (current - moved) / _DELTA_V
        total += current
    voltages = {c: x[ahead : ahead + n] for c, x in around.v.items()}
    between = array(around.joined.current_into(around.k, voltages), n)
    shapes["axial", -1] = between
    shapes["stimulus", -1] = around.drive_A[:n]
    return shapes, total + between + around.drive_A[:n]
