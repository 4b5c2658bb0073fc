"""What the accuracy of adaptive steps means in numbers, and how many samples a run can have."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from nmlopt.backend import DEFAULT_DT_MS, Accuracy, Integrator, Settings
from nmlopt.codegen.input_conditions import edges, sorted_conditions
from nmlopt.experiment.model import Attached, Experiment, Played, VoltageClamp
from nmlopt.ir.model import Cell, Mechanism, MechanismKind

LONGEST_MS: Final = 1.6
FEW_COMPARTMENTS: Final = 30
"""Cells of so many compartments or fewer are small: their steps cost little, and of fixed ones those of eight
candidates go side by side; more fill the vectors by themselves."""
_LARGE: Final = MappingProxyType({
    Accuracy.FAST: (1.0, 0.4, 0.25),
    Accuracy.DEFAULT: (0.9, 0.25, 0.25),
    Accuracy.TIGHT: (0.5, 0.1, 0.1),
})  # fmt: skip
"""Step where v is steep, as a share of dt; the largest second difference of v (mV) that a step may leave, by the weight
of where it is; mV between rows of tables of rates, whose error goes as the square of it."""
_SMALL: Final = MappingProxyType({
    Accuracy.FAST: (1.0, 0.3, 0.25),
    Accuracy.DEFAULT: (0.5, 0.1, 0.1),
    Accuracy.TIGHT: (0.25, 0.02, 0.05),
})  # fmt: skip
"""The same for small cells. The largest of few second differences is smaller than that of many at the same error of
the whole: at the tolerances of large cells their spikes would be off several times as far, to save a millisecond."""
SMALL_SWING_MV: Final = 2.0
"""Where v of a small cell swings by less, the tolerance is less in proportion: what is too small to need short steps by
itself, such as an oscillation below threshold, may grow into a spike."""
STEEPEST: Final = 0.5
"""Where v of a small cell is so steep that its shortest step leaves several times the tolerance, it takes this share of
it: a spike so fast decides when the next one comes."""
_POINT_SHARES: Final = MappingProxyType({Accuracy.FAST: 1.0, Accuracy.DEFAULT: 0.5, Accuracy.TIGHT: 0.25})
"""The step of point cells as a share of dt."""


@dataclass(frozen=True, slots=True)
class Steps:
    """`tolerance_mV` 0: fixed steps of `dt_ms`; else adaptive ones from `dt_ms` to `longest_ms`.

    `shortest_ms`: the step that is taken where v is too steep for `dt_ms` by far, at least half; 0 of fixed steps.
    `swing_mV`: where v swings by less, the tolerance is less in proportion, down to a tenth of it; 0: it never is.
    """

    dt_ms: float
    tolerance_mV: float = 0.0
    swing_mV: float = 0.0
    shortest_ms: float = 0.0
    longest_ms: float = 0.0
    spacing_mV: float = 0.0


def complete(settings: Settings) -> Settings:
    """The settings with an accuracy where steps are adaptive."""
    if settings.integrator is not Integrator.ADAPTIVE:
        return settings
    return replace(settings, accuracy=settings.accuracy or Accuracy.DEFAULT)


def steps_of(cell: Cell, settings: Settings) -> Steps:
    """The steps that settings ask for on a cell.

    dt scales them all: with dt/2 each step is half as long, its error, which goes as its square, a quarter.
    Point cells find their events within fixed steps, which are the shortest of the accuracy.
    """
    if settings.integrator is not Integrator.ADAPTIVE or settings.accuracy is None:
        return Steps(settings.dt_ms)
    if cell.geometry is None:
        return Steps(settings.dt_ms * _POINT_SHARES[settings.accuracy])
    is_small = len(cell.geometry.compartments) <= FEW_COMPARTMENTS
    levels, swing_mV, steepest = (_SMALL, SMALL_SWING_MV, STEEPEST) if is_small else (_LARGE, 0.0, 1.0)
    share, tolerance_mV, spacing_mV = levels[settings.accuracy]
    scale = settings.dt_ms / DEFAULT_DT_MS
    longest = settings.dt_ms if any(map(_is_tested, cell.mechanisms)) else LONGEST_MS * scale
    dt_ms = settings.dt_ms * share
    return Steps(dt_ms, tolerance_mV * scale**2, swing_mV, steepest * dt_ms, longest, spacing_mV * scale)


def _is_tested(mechanism: Mechanism) -> bool:
    """Whether conditions are tested after each step, so that long steps would be late."""
    if mechanism.kind is MechanismKind.INPUT:
        return bool(sorted_conditions(mechanism.dynamics).steps)
    return bool(mechanism.dynamics.conditions) and mechanism.kind is not MechanismKind.POOL


def stride_of(cell: Cell, experiment: Experiment, steps: Steps) -> int:
    """Steps from one sample of a point cell to the next: more than one where samples fall on what is asked for."""
    if cell.geometry is not None or experiment.sampling_ms <= 0.0:
        return 1
    count = round(experiment.sampling_ms / steps.dt_ms)
    return count if count > 1 and math.isclose(count * steps.dt_ms, experiment.sampling_ms, rel_tol=1e-12) else 1


def most_samples(cell: Cell, experiment: Experiment, steps: Steps) -> int:
    """The most samples that a run can record: steps are shorter than the shortest only before a moment to stop at.

    With room for turns of v between steps, which are left out where it is used up.
    """
    stride = stride_of(cell, experiment, steps)
    if stride > 1:
        return int(experiment.duration_ms / steps.dt_ms + 1e-6) // stride + 2
    count = int(experiment.duration_ms / (steps.shortest_ms or steps.dt_ms) + 1e-6) + 2
    if steps.tolerance_mV == 0.0:
        return count
    stops = 1
    for stimulus in experiment.stimuli:
        match stimulus:
            case Attached():
                stops += len(stimulus.events_ms) + len(edges(cell.input_mechanism(stimulus.component).dynamics))
            case VoltageClamp():
                stops += len(stimulus.levels) + 1
            case Played():
                stops += len(stimulus.times_ms) + 2
            case _:
                stops += 4
    return count + count // 8 + 64 + 3 * stops
