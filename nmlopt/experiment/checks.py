"""Everything that can be wrong between targets.json and the document, all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path

from nmlopt.document.model import Document
from nmlopt.errors import Issue, NmloptError
from nmlopt.experiment.parameter_checks import check_parameters
from nmlopt.experiment.resolve import resolve_all
from nmlopt.experiment.samples import read_samples
from nmlopt.spec.checks import check as check_spec
from nmlopt.spec.models import FeatureTarget, Targets, TraceTarget


def check(targets: Targets, document: Document, *, folder: Path, feature_names: Collection[str]) -> tuple[Issue, ...]:
    """All findings (T..., and those of `lower`), errors and warnings: the file itself, parameters, protocols, targets.

    `folder` holds the files that targets.json names; `feature_names` are those of the feature library. Raises nothing
    for a user's mistake.
    """
    issues = list(check_spec(targets))
    try:
        cell, found = check_parameters(targets, document)
    except NmloptError as error:
        cell, found = None, error.issues
    issues += found
    if cell is not None:
        issues += resolve_all(targets, document, cell, folder=folder)[1]
    issues += _features(targets, feature_names)
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


def _files(targets: Targets, folder: Path) -> Iterator[Issue]:
    """Traces that cannot be read; currents to play are read where their protocol is resolved."""
    for i, target in enumerate(targets.targets):
        if isinstance(target, TraceTarget):
            try:
                read_samples(folder, target.file, f"$.targets[{i}].file")
            except NmloptError as error:
                yield from error.issues
