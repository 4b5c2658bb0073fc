"""The settings and feature names of eFEL: what it knows, what a target may say, and the whole set one call needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

import efel
from efel.units import get_unit

from nmlopt.errors import Issue
from nmlopt.spec.models import FeatureTarget
from nmlopt.spec.quantities import number

Setting: TypeAlias = bool | float | int | str
Settings: TypeAlias = tuple[tuple[str, Setting], ...]
"""All settings of eFEL by name, in the order of the names: what one call needs, whatever the call before it set."""

THRESHOLD = "Threshold"
INTERP_STEP = "interp_step"
STIMULUS_CURRENT = "stimulus_current"
"""The current (nA) that resistances are computed with: no setting of eFEL, but given with each trace."""

_NEED_CURRENT = frozenset({"ohmic_input_resistance", "ohmic_input_resistance_vb_ssse"})
_NOT_OURS = frozenset({"dependencyfile_path"})
"""Where eFEL's own table of features lies: never a target's business."""


@lru_cache(maxsize=1)
def feature_names() -> frozenset[str]:
    """All features that eFEL knows."""
    return frozenset(efel.get_feature_names())


@lru_cache(maxsize=1)
def feature_units() -> Mapping[str, str]:
    """The unit of each feature of a voltage in mV by its name; '' where eFEL states none."""
    return MappingProxyType({name: _unit(name) for name in feature_names()})


def _unit(name: str) -> str:
    try:
        return str(get_unit(name))
    except KeyError:
        return ""


@lru_cache(maxsize=1)
def setting_names() -> frozenset[str]:
    """All settings that eFEL knows and a target may change."""
    return frozenset(_defaults()) | {STIMULUS_CURRENT}


def full_settings(target: FeatureTarget) -> Settings:
    """The settings of `target`: its own, its threshold in mV, and eFEL's defaults for all others; in eFEL's types."""
    asked = {THRESHOLD: number(target.threshold, "mV"), **target.efel_settings}
    return tuple((name, type(default)(asked.get(name, default))) for name, default in sorted(_defaults().items()))


def stimulus_current(target: FeatureTarget) -> float | None:
    """The current in nA that goes with the trace of `target`, if it gives one."""
    value = target.efel_settings.get(STIMULUS_CURRENT)
    return None if value is None else float(value)


def setting_issues(target: FeatureTarget, where: str) -> Iterator[Issue]:
    """T006 for a feature that needs a current, T007 for a setting that eFEL does not know (it would accept and ignore
    it), T009 for a value it cannot use."""
    if target.feature in _NEED_CURRENT and STIMULUS_CURRENT not in target.efel_settings:
        hint = f'add "efel_settings": {{"{STIMULUS_CURRENT}": <nA>}}'
        yield Issue("T006", f"'{target.feature}' needs the current of the stimulus", where, hint)
    for name, value in target.efel_settings.items():
        place = f"{where}.efel_settings.{name}"
        default = 0.0 if name == STIMULUS_CURRENT else _defaults().get(name)
        if default is None:
            near = get_close_matches(name, setting_names(), n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else "eFEL's documentation lists them"
            yield Issue("T007", f"eFEL has no setting '{name}'", place, hint)
        elif not _fits(value, default):
            kind = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[type(default)]
            yield Issue("T009", f"eFEL cannot use {value!r} as '{name}'", place, f"give {kind}, such as {default!r}")


@lru_cache(maxsize=1)
def _defaults() -> Mapping[str, Setting]:
    """eFEL's own settings, as it is installed: those of a fresh object, whatever was set before in this process."""
    fresh = efel.Settings()
    return {name: value for name, value in vars(fresh).items() if name not in _NOT_OURS}


def _fits(value: Setting, default: Setting) -> bool:
    if isinstance(default, str) or isinstance(value, str):
        return isinstance(default, str) and isinstance(value, str)
    if isinstance(default, bool):
        return value in (0, 1)
    return not isinstance(default, int) or float(value).is_integer()
