"""eFEL on the traces of a candidate: settings brought over, one call per trace with all its features.

`efel.get_feature_values` copies every trace item by item, which costs as much as the features of a simple cell. The
functions here talk to the core of eFEL in the same order (clear, settings, trace, features) without these copies; a
test asserts that every feature is the one `get_feature_values` gives.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import ClassVar

import numpy as np
from efel import cppcore, get_settings, pyfeatures
from efel.pyfeatures.cppfeature_access import get_cpp_feature

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
    _initialise()
    values: dict[str, tuple[float, ...]] = {}
    voltages: dict[Key, list[float]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old names, of means of nothing: what comes out says enough
        for group in groups:
            for wanted in group.traces:
                trace = traces[wanted.key]
                if wanted.key not in voltages:
                    voltages[wanted.key] = trace.y.tolist()
                _set_up(group.settings)
                values |= _extract(wanted, _times(trace.t_ms), voltages[wanted.key])
    return values


@lru_cache(maxsize=1)
def _initialise() -> None:
    """Let eFEL's core read its table of features, once in a process."""
    cppcore.Initialize(get_settings().dependencyfile_path, "log")


def _extract(wanted: EfelTrace, t_ms: list[float], y: list[float]) -> dict[str, tuple[float, ...]]:
    cppcore.setFeatureDouble("T", t_ms)
    cppcore.setFeatureDouble("V", y)
    cppcore.setFeatureDouble("stim_start", [wanted.start_ms])
    cppcore.setFeatureDouble("stim_end", [wanted.end_ms])
    if wanted.stimulus_nA is not None:
        cppcore.setFeatureDouble("stimulus_current", [wanted.stimulus_nA])
    found = {feature: _feature(feature) for feature in wanted.features}
    values: dict[str, tuple[float, ...]] = {}
    for target, feature in wanted.wanted:
        numbers = found[feature]
        if numbers is not None and len(numbers) and np.isfinite(numbers).all():
            values[target] = tuple(float(number) for number in numbers)
    return values


def _feature(name: str) -> Floats | None:
    """The values of a feature of the trace that eFEL's core holds: some it computes itself, some in Python."""
    if name in pyfeatures.all_pyfeatures:
        found: Floats | None = getattr(pyfeatures, name)()
        return found
    computed: Floats | None = get_cpp_feature(name, raise_warnings=False)
    return computed


def _times(t_ms: Floats) -> list[float]:
    if not np.array_equal(t_ms, _Grid.t_ms):
        _Grid.t_ms, _Grid.items = t_ms.copy(), t_ms.tolist()
    return _Grid.items


def _set_up(settings: Settings) -> None:
    """Empty eFEL's core and give it `settings`, all of them: nothing of another call is left behind."""
    cppcore.Clear()
    for name, value in settings:
        if isinstance(value, bool | int):
            cppcore.setFeatureInt(name, [int(value)])
        elif isinstance(value, float):
            cppcore.setFeatureDouble(name, [value])
        else:
            cppcore.setFeatureString(name, value)
