"""One document on several backends: the files of a problem made a subject, the names of backends made entrants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nmlopt.api.problem import Files, Options, read_files
from nmlopt.api.steps import refused_steps
from nmlopt.backend import Integrator, Settings
from nmlopt.errors import Issue, TargetsError, UnsupportedError, UsageError, raise_errors
from nmlopt.experiment.inputs import input_components
from nmlopt.experiment.parameter_resolve import addresses, parameters
from nmlopt.experiment.resolve import resolve
from nmlopt.exporters import registry
from nmlopt.features.extract import make_plan
from nmlopt.ir.lower import lower
from nmlopt.objectives.combine import make_scoring
from nmlopt.verify.explain import explained
from nmlopt.verify.model import Entrant, SideStatus, Subject, Verification
from nmlopt.verify.run import OnStep, compare_backends


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The outcome and the files it is about."""

    files: Files
    verification: Verification

    @property
    def is_missing(self) -> bool:
        """Whether a simulator that was asked for is not installed."""
        return any(side.status is SideStatus.MISSING for side in self.verification.sides)


def entrants(names: Sequence[str], settings: Settings) -> tuple[Entrant, ...]:
    """The backends of those names, each with its own numerics, at fixed steps; all there are where none is named.

    Fixed steps, unless `settings` ask for others: halving a step says how large the error is. Raises UsageError B000
    for an unknown name, V001 for fewer than two different ones.
    """
    wanted = tuple(dict.fromkeys(names or registry.names()))
    if len(wanted) < 2:
        message = "two backends at least are needed to compare"
        raise UsageError(Issue("V001", message, "--backends", f"such as {','.join(registry.names()[:2])}"))
    asked = settings if settings.integrator is not None else replace(settings, integrator=Integrator.FIXED)
    return tuple(Entrant(backend, asked.on(backend.offer)) for backend in map(registry.load, wanted))


def verify(
    model: Path, targets: Path, backends: Sequence[str], options: Options, on_step: OnStep = lambda _: None
) -> VerifyResult:
    """Run every protocol with the document's own values on each backend at three steps, and compare.

    A backend that is missing or refuses is reported; the others are compared. Raises what `read_files` and `lower`
    raise, TargetsError with all faults of both files.
    """
    asked = entrants(backends, options.settings)
    files = read_files(model, targets, options)
    raise_errors(files.issues, TargetsError)
    subject = subject_of(files)
    places = {p.id: f"$.protocols[{i}].duration" for i, p in enumerate(files.targets.protocols)}
    raise_errors(refused_steps(subject.experiments, asked[0].settings, places), UnsupportedError)
    return VerifyResult(files, outcome(subject, asked, on_step))


def outcome(subject: Subject, asked: Sequence[Entrant], on_step: OnStep = lambda _: None) -> Verification:
    """Compared, and what differs explained."""
    return explained(compare_backends(subject, asked, on_step), asked, on_step)


def subject_of(files: Files) -> Subject:
    """The cell with the document's own values."""
    spec, document = files.targets, files.document
    free = addresses(spec, document)
    cell = lower(document, free, component=spec.component, inputs=input_components(spec))
    experiments = resolve(spec, document, cell, folder=files.folder)
    axes = parameters(spec, document, cell)
    values = axes.values(axes.present()[np.newaxis, :])
    plan = make_plan(spec, cell, experiments, files.folder)
    return Subject(cell, experiments, spec, plan, make_scoring(spec), values)
