"""From two files to a problem that can be evaluated: the one place where document, targets and backend meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from nmlopt.api.steps import refused_steps
from nmlopt.backend import Backend, Settings, refused_settings
from nmlopt.document.checks import check as check_document
from nmlopt.document.model import Document
from nmlopt.document.paths import Address
from nmlopt.document.read import read
from nmlopt.errors import Issue, Severity, TargetsError, UnsupportedError, raise_errors
from nmlopt.evaluate.evaluate import evaluate_batch
from nmlopt.evaluate.model import Evaluation, Problem
from nmlopt.experiment.checks import check as check_targets
from nmlopt.experiment.inputs import input_components
from nmlopt.experiment.model import Experiment
from nmlopt.experiment.parameter_resolve import addresses, parameters
from nmlopt.experiment.resolve import resolve
from nmlopt.exporters import registry
from nmlopt.features.extract import feature_units, make_plan
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell
from nmlopt.optimise.model import Json
from nmlopt.spec.load import load as load_targets
from nmlopt.spec.models import Targets

DEFAULT_BACKEND = "neuron"
"""What runs a cell where no backend is named: the reference, and all that a document can hold."""
FIT_BACKEND = "native"
"""What a fit searches on, and `check` times, where no backend is named."""


@dataclass(frozen=True, slots=True)
class Options:
    """How documents are found and cells are run: the settings that every verb shares."""

    backend: str = DEFAULT_BACKEND
    settings: Settings = field(default_factory=Settings)
    root: Path | None = None
    search_paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Files:
    """Document and targets as read, with everything that was found wrong with them."""

    document: Document
    targets: Targets
    targets_path: Path
    issues: tuple[Issue, ...]

    @property
    def folder(self) -> Path:
        """Where the files named in targets.json lie."""
        return self.targets_path.parent

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(issue.severity is Severity.ERROR for issue in self.issues)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A problem that is ready to evaluate, and what it was made of."""

    files: Files
    addresses: tuple[Address, ...]
    cell: Cell
    problem: Problem


def read_model(model: Path, options: Options) -> Document:
    """The document behind `model`. Raises DocumentError."""
    return read(model, root=options.root, search_paths=options.search_paths)


def read_files(model: Path, targets: Path, options: Options) -> Files:
    """Read and check both files; faults are collected, not raised, unless a file cannot be read at all."""
    document = read_model(model, options)
    found = check_document(document)
    try:
        spec = load_targets(targets)
    except TargetsError as error:  # the faults of both files at once
        raise TargetsError((*(i for i in found if i.severity is Severity.ERROR), *error.issues)) from error
    issues = (
        *found,
        *check_targets(spec, document, folder=targets.parent, feature_units=feature_units()),
    )
    return Files(document, spec, targets, issues)


def load(model: Path, targets: Path, options: Options) -> Loaded:
    """Read, check, lower and compile. Raises TargetsError with all faults, UnsupportedError, BackendError."""
    files = read_files(model, targets, options)
    raise_errors(files.issues, TargetsError)
    return build(files, options)


def build(files: Files, options: Options) -> Loaded:
    """Lower and compile files that were found good."""
    spec, document = files.targets, files.document
    backend = registry.load(options.backend)
    backend.version()
    free = addresses(spec, document)
    cell = lower(document, free, component=spec.component, inputs=input_components(spec))
    experiments = resolve(spec, document, cell, folder=files.folder)
    require_supported(backend, cell, experiments, options.settings, spec)
    program = backend.compile(cell, options.settings)
    plan = make_plan(spec, cell, experiments, files.folder)
    problem = Problem(backend, program, experiments, parameters(spec, document, cell), spec, plan)
    return Loaded(replace(files, issues=(*files.issues, *program.issues)), free, cell, problem)


def require_supported(
    backend: Backend, cell: Cell, experiments: Sequence[Experiment], settings: Settings, targets: Targets | None = None
) -> None:
    """Raise UnsupportedError with all that a backend refuses; where the reference can do it, the hint says so.

    `targets`: where the protocols stand.
    """
    places = {p.id: f"$.protocols[{i}].duration" for i, p in enumerate(targets.protocols if targets else ())}
    steps = tuple(refused_steps(experiments, settings, places))
    refused = _refused(backend, cell, experiments, settings)
    reference = registry.load(DEFAULT_BACKEND)
    if refused and backend.name != reference.name and not _refused(reference, cell, experiments, settings):
        way = f"--backend {reference.name} can do it"
        refused = tuple(replace(i, hint=f"{i.hint}; {way}" if i.hint else way) for i in refused)
    raise_errors((*steps, *refused), UnsupportedError)


def _refused(backend: Backend, cell: Cell, experiments: Sequence[Experiment], settings: Settings) -> tuple[Issue, ...]:
    return (*refused_settings(backend, settings), *backend.unsupported(cell, experiments))


def settings_record(settings: Settings) -> dict[str, Json]:
    """Backend settings as plain values; GPU and threads where they are used."""
    usual = Settings()
    return {
        key: str(value) if isinstance(value, StrEnum) else value
        for key, value in asdict(settings).items()
        if key not in ("gpu", "threads") or value != getattr(usual, key)
    }


def evaluate_present(loaded: Loaded) -> Evaluation:
    """Score the document as it is: one candidate, its own values."""
    x = loaded.problem.parameters.present()
    return evaluate_batch(loaded.problem, x[np.newaxis, :])[0]
