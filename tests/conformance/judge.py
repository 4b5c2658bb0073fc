"""Compares what a simulator gave with what a case expects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tests.conformance.suite import Case, Quantity

Floats = npt.NDArray[np.float64]
Status = Literal["pass", "fail", "refused", "error"]


@dataclass(frozen=True)
class Trace:
    """One column: times in s and values in SI, both (n,)."""

    times_s: Floats
    values: Floats


@dataclass(frozen=True)
class Outcome:
    """How one case went.

    `errors` gives the largest distance of each judged quantity (by id) as a fraction of its tolerance: at most 1 is
    within. `message` says why it did not pass, and which known misreading the numbers look like.
    """

    case: str
    status: Status
    errors: dict[str, float]
    message: str = ""


def measure(quantity: Quantity, columns: Mapping[str, Trace]) -> Floats:
    """The numbers of a quantity in the columns of a run: values at its times, or times of its crossings.

    Raises KeyError if the column is missing, ValueError if it does not cover the times.
    """
    trace = columns[quantity.column]
    if quantity.kind == "crossings":
        return crossings(trace, quantity.threshold)
    times = np.asarray(quantity.times_s)
    slack = 1e-9 + 1e-6 * abs(float(trace.times_s[-1]))
    if times.max() > trace.times_s[-1] + slack or times.min() < trace.times_s[0] - slack:
        raise ValueError(f"column '{quantity.column}' ends at {trace.times_s[-1]:g} s")
    return np.interp(times, trace.times_s, trace.values)


def crossings(trace: Trace, threshold: float) -> Floats:
    """Times (s) at which a trace crosses `threshold` upwards, linear between samples."""
    t, y = trace.times_s, trace.values
    after = np.flatnonzero((y[:-1] <= threshold) & (y[1:] > threshold)) + 1
    found: Floats = t[after - 1] + (threshold - y[after - 1]) / (y[after] - y[after - 1]) * (t[after] - t[after - 1])
    return found


def extrapolated(coarse: Mapping[str, Floats], fine: Mapping[str, Floats]) -> dict[str, Floats]:
    """What quantities measured at a step and at half of it tend to, if the error goes with the step.

    Richardson (1911). The finer ones where the number of crossings differs.
    """
    return {key: 2 * fine[key] - coarse[key] if coarse[key].shape == fine[key].shape else fine[key] for key in fine}


def judge(case: Case, measured: Mapping[str, Floats]) -> Outcome:
    """Whether the quantities (by id) of a run are those that the case expects."""
    errors = {}
    said = []
    for quantity in case.quantities:
        if quantity.id not in measured:
            errors[quantity.id] = math.inf
            said.append(f"no '{quantity.id}' was given")
            continue
        distance = _distance(measured[quantity.id], quantity.reference)
        errors[quantity.id] = distance / quantity.tolerance
        if not errors[quantity.id] <= 1:
            said.append(_said(quantity, measured[quantity.id], distance))
    if not said:
        return Outcome(case.id, "pass", errors)
    return Outcome(case.id, "fail", errors, "; ".join((*said, *_looks_like(case, measured))))


def _distance(got: Floats, wanted: tuple[float, ...]) -> float:
    if len(got) != len(wanted):
        return math.inf
    distance = float(np.abs(got - np.asarray(wanted)).max(initial=0.0))
    return math.inf if math.isnan(distance) else distance


def _said(quantity: Quantity, got: Floats, distance: float) -> str:
    if len(got) != len(quantity.reference):
        return f"{quantity.id}: {len(got)} crossings, not {len(quantity.reference)}"
    worst = int(np.argmax(np.abs(np.nan_to_num(got, nan=math.inf) - np.asarray(quantity.reference))))
    what = f"at {quantity.times_s[worst]:g} s" if quantity.kind == "samples" else f"crossing {worst + 1}"
    wanted = quantity.reference[worst]
    return (
        f"{quantity.id}: {what} {got[worst]:.8g}, not {wanted:.8g} (off by {distance:.2g}, "
        f"allowed {quantity.tolerance:.2g})"
    )


def _looks_like(case: Case, measured: Mapping[str, Floats]) -> list[str]:
    """The known misreadings whose numbers a run has."""
    tolerances = {quantity.id: quantity.tolerance for quantity in case.quantities}
    found = []
    for mistake in case.mistakes:
        gaps = [_distance(measured[key], values) / tolerances[key] for key, values in mistake.quantities.items()]
        if all(gap <= 1 for gap in gaps):
            found.append(f"this is what follows from: {mistake.what}")
    return found
