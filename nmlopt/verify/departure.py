"""The first quantity in which two backends part along a protocol, beyond what their steps explain."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from nmlopt.experiment.model import Experiment
from nmlopt.verify.findings import place_of
from nmlopt.verify.model import Finding, Verification
from nmlopt.verify.probes import Probe, Probed

_FLOOR = 1e-4
"""Of the range of a quantity."""


def first_departure(
    found: Verification, experiment: Experiment, seen: Mapping[str, tuple[Probed, Probed]]
) -> tuple[Finding, ...]:
    """The earliest departure of every two backends that recorded their states; at equal times the largest.

    `seen`: two runs of each, the coarser first. The error of a run is what halving its step changes.
    """
    made = []
    for one, other in combinations(seen, 2):
        parted = [
            (at, -size, probe, values)
            for probe in seen[one][1].values
            if probe in seen[other][1].values
            for at, size, values in _parted(probe, seen[one], seen[other])
        ]
        if parted:
            at_ms, _, probe, values = min(parted, key=lambda p: p[:2])
            made.append(_finding(found, experiment, (one, other), at_ms, probe, values))
    return tuple(made)


def _parted(
    probe: Probe, one: tuple[Probed, Probed], other: tuple[Probed, Probed]
) -> list[tuple[float, float, tuple[float, float]]]:
    t_ms = one[0].t_ms
    a, b = ([np.interp(t_ms, run.t_ms, run.values[probe]) for run in side] for side in (one, other))
    allowed = np.abs(a[0] - a[1]) + np.abs(b[0] - b[1])
    scale = max(float(np.ptp(a[1])), float(np.ptp(b[1])), 1e-12)
    difference = np.abs((2.0 * a[1] - a[0]) - (2.0 * b[1] - b[0]))
    beyond = np.flatnonzero(difference > np.maximum.accumulate(allowed) + _FLOOR * scale)
    if not len(beyond):
        return []
    at = int(beyond[0])
    return [(float(t_ms[at]), float(difference[at]) / scale, (float(a[1][at]), float(b[1][at])))]


def _finding(
    found: Verification,
    experiment: Experiment,
    pair: tuple[str, str],
    at_ms: float,
    probe: Probe,
    values: tuple[float, float],
) -> Finding:
    place = place_of(found.subject.cell, "", experiment.id, probe[0])
    placement, _, _ = probe[1].partition("/")
    mechanism = next((p.mechanism for p in found.subject.cell.placements if p.id == placement), "")
    shown = [1e3 * x if probe[1] == "v" else x for x in values]
    unit = " mV" if probe[1] == "v" else ""
    text = (
        f"{pair[0]} and {pair[1]} part first in '{probe[1]}'{place}, at {at_ms:g} ms of {experiment.id}: "
        f"{shown[0]:.7g}{unit} and {shown[1]:.7g}{unit}"
    )
    return Finding(
        kind="departure",
        backend="",
        mechanism="" if probe[1] == "v" else mechanism,
        placement="" if probe[1] == "v" else placement,
        quantity=probe[1],
        protocol=experiment.id,
        compartment=probe[0],
        segment=place.segment,
        regions=place.regions,
        at_ms=at_ms,
        v_mV=None,
        expected=None,
        found=dict(zip(pair, values, strict=True)),
        factor=None,
        weight=0.0,
        text=text,
    )
