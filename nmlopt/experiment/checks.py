"""Everything that can be wrong between targets.json and the document, all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from nmlopt.document.model import Document
from nmlopt.errors import Issue, NmloptError
from nmlopt.experiment.parameter_checks import check_parameters
from nmlopt.experiment.resolve import resolve_all
from nmlopt.experiment.samples import read_samples
from nmlopt.experiment.sites import VOLTAGE
from nmlopt.spec.checks import check as check_spec
from nmlopt.spec.models import FeatureTarget, Targets, TraceTarget
from nmlopt.units import core_units


def check(targets: Targets, document: Document, *, folder: Path, feature_units: Mapping[str, str]) -> tuple[Issue, ...]:
    """All findings (T..., and those of `lower`), errors and warnings: the file itself, parameters, protocols, targets.

    `folder` holds the files that targets.json names; `feature_units` are the features of the library and the unit of
    each for a voltage in mV ('' where it has none, or cannot be told). Raises nothing for a user's mistake.
    """
    issues = list(check_spec(targets))
    try:
        cell, found = check_parameters(targets, document)
    except NmloptError as error:
        cell, found = None, error.issues
    issues += found
    if cell is not None:
        issues += resolve_all(targets, document, cell, folder=folder)[1]
    issues += _features(targets, feature_units)
    issues += _units(targets, feature_units)
    issues += _files(targets, folder)
    return tuple(dict.fromkeys(issues))


def _features(targets: Targets, feature_names: Collection[str]) -> Iterator[Issue]:
    by_lower = {name.lower(): name for name in feature_names}
    for i, target in enumerate(targets.targets):
        if not isinstance(target, FeatureTarget) or target.feature in feature_names:
            continue
        near = get_close_matches(target.feature.lower(), by_lower, n=3, cutoff=0.6)
        names = " or ".join(f"'{by_lower[name]}'" for name in near)
        hint = f"did you mean {names}?" if near else "eFEL's documentation lists its features"
        yield Issue("T051", f"eFEL has no feature '{target.feature}'", f"$.targets[{i}].feature", hint)


def _units(targets: Targets, feature_units: Mapping[str, str]) -> Iterator[Issue]:
    """Means are in the library's unit: another one is a mistake by its scale or by its kind."""
    known = core_units().units
    recorded = {(p.id, r.id): r.quantity for p in targets.protocols for r in p.recordings}
    for i, target in enumerate(targets.targets):
        if not isinstance(target, FeatureTarget) or recorded.get((target.protocol, target.recording)) != VOLTAGE:
            continue
        its, given = known.get(feature_units.get(target.feature, "")), known.get(target.unit)
        if its is not None and given is not None and replace(its, symbol="") != replace(given, symbol=""):
            message = f"'{target.feature}' is in {its.symbol}, its mean and sd here in {given.symbol}"
            hint = f"give mean and sd in {its.symbol}; they are not converted"
            yield Issue("T058", message, f"$.targets[{i}].unit", hint)


def _files(targets: Targets, folder: Path) -> Iterator[Issue]:
    """Traces that cannot be read; currents to play are read where their protocol is resolved."""
    for i, target in enumerate(targets.targets):
        if isinstance(target, TraceTarget):
            try:
                read_samples(folder, target.file, f"$.targets[{i}].file")
            except NmloptError as error:
                yield from error.issues
