"""eFEL on the traces of a candidate: settings brought over, one call per trace with all its features."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Mapping
from typing import ClassVar

import efel
import numpy as np

from nmlopt.backend import Floats, Trace
from nmlopt.features.efel_settings import Settings
from nmlopt.features.plan import EfelGroup, EfelTrace, Key

logging.getLogger("efel").addHandler(logging.NullHandler())  # not to the terminal where nobody has set up logging


class _Grid:
    """The time points given last, also as a list: candidates share them, and the list costs as much as a feature."""

    t_ms: ClassVar[Floats] = np.empty(0)
    items: ClassVar[list[float]] = []


def extract_groups(groups: Iterable[EfelGroup], traces: Mapping[Key, Trace]) -> dict[str, tuple[float, ...]]:
    """Values by target id; a feature that eFEL does not find, or that is not finite, has no entry."""
    values: dict[str, tuple[float, ...]] = {}
    voltages: dict[Key, list[float]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old names, of means of nothing: what comes out says enough
        for group in groups:
            _set_up(group.settings)
            for wanted in group.traces:
                trace = traces[wanted.key]
                if wanted.key not in voltages:
                    voltages[wanted.key] = trace.y.tolist()
                values |= _extract(wanted, _times(trace.t_ms), voltages[wanted.key])
    return values


def _extract(wanted: EfelTrace, t_ms: list[float], y: list[float]) -> dict[str, tuple[float, ...]]:
    # eFEL goes through its input item by item: lists are four times faster than arrays
    given = {"T": t_ms, "V": y, "stim_start": [wanted.start_ms], "stim_end": [wanted.end_ms]}
    if wanted.stimulus_nA is not None:
        given["stimulus_current"] = [wanted.stimulus_nA]
    found = efel.get_feature_values([given], list(wanted.features), raise_warnings=False)[0]
    values: dict[str, tuple[float, ...]] = {}
    for target, feature in wanted.wanted:
        numbers = found[feature]
        if numbers is not None and len(numbers) and np.isfinite(numbers).all():
            values[target] = tuple(float(number) for number in numbers)
    return values


def _times(t_ms: Floats) -> list[float]:
    if not np.array_equal(t_ms, _Grid.t_ms):
        _Grid.t_ms, _Grid.items = t_ms.copy(), t_ms.tolist()
    return _Grid.items


def _set_up(settings: Settings) -> None:
    """Bring eFEL's process-wide settings to `settings`, all of them: nothing of another call is left behind."""
    present = efel.get_settings()
    for name, value in settings:
        if getattr(present, name) != value:
            efel.set_setting(name, value)
