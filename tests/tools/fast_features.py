"""Fast features held against eFEL, one by one: differences, absences, and what is left to eFEL."""

from __future__ import annotations

import numpy as np

from nmlopt.backend import Trace
from nmlopt.features.efel_features import extract_groups
from nmlopt.features.efel_settings import Setting, Settings, full_settings
from nmlopt.features.fast import NAMES, fast_values
from nmlopt.features.plan import EfelGroup, EfelTrace
from nmlopt.spec.models import FeatureTarget

KEY = ("step", "soma")
STIMULUS_NA = -0.1
RELATIVE, OF_THE_TRACE = 1e-9, 1e-12
"""Equal is: within 1e-9 of the value, or 1e-12 of the largest value of the trace, below which eFEL's own repeated
interpolation moves the trace."""


def efel_settings(**asked: Setting) -> Settings:
    """A whole set of settings; `Threshold` too is given as eFEL has it, in mV."""
    threshold = f"{asked.pop('Threshold', -20.0)} mV"
    target = {"type": "feature", "id": "a", "feature": "Spikecount", "mean": 0.0, "sd": 1.0, "threshold": threshold}
    target |= {"protocol": KEY[0], "recording": KEY[1], "efel_settings": asked}
    return full_settings(FeatureTarget.model_validate(target))


def answers(
    trace: Trace, start_ms: float, end_ms: float, settings: Settings
) -> dict[str, dict[str, tuple[float, ...]] | None]:
    """What the fast extraction says of each feature alone; None where it leaves it to eFEL."""
    wanted = {name: _wanted([name], start_ms, end_ms) for name in sorted(NAMES)}
    return {name: fast_values(w, settings, trace, {}) for name, w in wanted.items()}


def unanswered(trace: Trace, start_ms: float, end_ms: float, settings: Settings) -> frozenset[str]:
    """Features that are left to eFEL."""
    return frozenset(name for name, found in answers(trace, start_ms, end_ms, settings).items() if found is None)


def absent(trace: Trace, start_ms: float, end_ms: float, settings: Settings) -> set[str]:
    """Features that the trace does not have, by the fast extraction."""
    return {name for name, found in answers(trace, start_ms, end_ms, settings).items() if found == {}}


def differences(trace: Trace, start_ms: float, end_ms: float, settings: Settings) -> dict[str, tuple[object, object]]:
    """(fast, eFEL) of each feature that the fast extraction answers otherwise; {} is what should be."""
    said = {name: found for name, found in answers(trace, start_ms, end_ms, settings).items() if found is not None}
    if not said:
        return {}
    groups = [EfelGroup(settings, (_wanted(list(said), start_ms, end_ms),))]
    expected = extract_groups(groups, {KEY: trace})
    scale = float(np.abs(trace.y).max())
    pairs = {name: (found.get(name), expected.get(name)) for name, found in said.items()}
    return {name: pair for name, pair in pairs.items() if not _equal(*pair, scale)}


def _equal(found: tuple[float, ...] | None, expected: tuple[float, ...] | None, scale: float) -> bool:
    if found is None or expected is None:
        return found is expected
    return len(found) == len(expected) and np.allclose(found, expected, rtol=RELATIVE, atol=OF_THE_TRACE * scale)


def _wanted(names: list[str], start_ms: float, end_ms: float) -> EfelTrace:
    return EfelTrace(KEY, start_ms, end_ms, tuple(names), tuple((name, name) for name in names), STIMULUS_NA)
