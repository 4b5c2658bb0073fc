"""All faults of a document, or of a document and its targets, and what a fit would do with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nmlopt.api.backends import support
from nmlopt.api.problem import (
    Files,
    Loaded,
    Options,
    build,
    evaluate_present,
    read_files,
    read_model,
    require_supported,
)
from nmlopt.backend import RunStatus, refused_settings
from nmlopt.document.model import Document
from nmlopt.errors import DocumentError, Issue, Severity, SimulationError, TargetsError, UnsupportedError
from nmlopt.evaluate.model import Evaluation
from nmlopt.experiment.inputs import input_components
from nmlopt.experiment.parameter_resolve import addresses, parameters
from nmlopt.experiment.parameters import Parameters
from nmlopt.experiment.resolve import resolve
from nmlopt.exporters import registry
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.ir.lower import lower
from nmlopt.lint.check import check as lint
from nmlopt.lint.check import findings, ordered
from nmlopt.objectives.combine import make_scoring
from nmlopt.spec.models import Targets

_SET_IN_TARGETS = frozenset({"I215"})
"""What a document leaves open and targets state."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a fit would do: its targets and search space; how one evaluation went, if there was one."""

    targets: Targets
    parameters: Parameters
    objective_ids: tuple[str, ...]
    loaded: Loaded | None = None
    evaluation: Evaluation | None = None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found.

    The files that the issues name are relative to `root`; a place `$...` stands in `targets`. `resolved` is None where
    an error or the lack of targets stops the way to a problem.
    """

    issues: tuple[Issue, ...]
    root: Path
    targets: Path | None = None
    resolved: Resolved | None = None

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(issue.severity is Severity.ERROR for issue in self.issues)

    def strict(self) -> CheckReport:
        """The same with every warning an error."""
        raised = (replace(i, severity=Severity.ERROR) if i.severity is Severity.WARNING else i for i in self.issues)
        return replace(self, issues=tuple(raised))


def check(
    model: Path, targets: Path | None, options: Options, *, runs: bool = True, asks_backend: bool = False
) -> CheckReport:
    """All findings of a document, or of a document and its targets; if none is an error, one timed evaluation.

    `asks_backend`: without targets, too, what the backend of the options refuses is a finding. Without `runs` nothing
    is compiled. Raises BackendError where the simulator or its compiler is missing.
    """
    report = CheckReport((), model.parent, targets)
    try:
        if targets is None:
            return _of_model(model, options, asks_backend, report)
        return _of_both(model, targets, options, runs, report)
    except (DocumentError, TargetsError) as error:  # a file that cannot be read at all
        return replace(report, issues=error.issues)


def _of_model(model: Path, options: Options, asks_backend: bool, report: CheckReport) -> CheckReport:
    document = read_model(model, options)
    issues = lint(document)
    if _holds_simulation(document):
        issues = ordered(document, (*issues, *_of_simulation(document)))
    if asks_backend and not any(i.severity is Severity.ERROR for i in issues):
        issues = ordered(document, (*issues, *_of_backend(model, document, options)))
    return replace(report, issues=issues, root=document.root)


def _of_backend(model: Path, document: Document, options: Options) -> tuple[Issue, ...]:
    """What the backend refuses of a simulation, or of every cell and input of the document."""
    backend = registry.load(options.backend)
    refused = refused_settings(backend, options.settings)
    if _holds_simulation(document):
        runs = read_simulation(document).runs
        return (*refused, *(i for run in runs for i in backend.unsupported(run.cell, run.experiments)))
    try:
        rows = support(model, options)
    except UnsupportedError as error:  # the document holds no cell: there is nothing to refuse
        return (*refused, *(i for i in error.issues if i.code != "I001"))
    return (*refused, *dict.fromkeys(i for row in rows for i in row.refusals[options.backend]))


def _holds_simulation(document: Document) -> bool:
    """Whether the main file is a LEMS simulation (and not a part that one includes)."""
    return any(e.tag == "Simulation" for e in document.files[0].root.children)


def _of_simulation(document: Document) -> tuple[Issue, ...]:
    """What keeps a LEMS simulation from being run, and what of it is left out."""
    try:
        return read_simulation(document).issues
    except (UnsupportedError, SimulationError) as error:
        return error.issues


def _of_both(model: Path, targets: Path, options: Options, runs: bool, report: CheckReport) -> CheckReport:
    files = read_files(model, targets, options)
    spare = (i for i in findings(files.document) if i.code not in _SET_IN_TARGETS)
    in_document = [i for i in files.issues if not i.where.startswith("$")]
    in_targets = [i for i in files.issues if i.where.startswith("$")]
    issues = (*ordered(files.document, (*in_document, *spare)), *in_targets)
    report = replace(report, issues=issues, root=files.document.root)
    if report.has_errors:
        return report
    try:
        resolved = _run(files, options) if runs else _resolved(files, options)
        return replace(report, issues=(*issues, *_of_run(resolved.evaluation)), resolved=resolved)
    except UnsupportedError as error:
        return replace(report, issues=(*issues, *error.issues))


def _of_run(evaluation: Evaluation | None) -> Iterator[Issue]:
    """A document may be broken where a fit begins, but its owner should know."""
    if evaluation is not None and evaluation.status is not RunStatus.OK:
        message = f"with the document's own values the run ends early: {evaluation.status}: {evaluation.detail}"
        hint = "mend the document, or let the bounds lie where it runs; a smaller --dt may help"
        yield Issue("B131", message, "", hint, Severity.WARNING)


def _run(files: Files, options: Options) -> Resolved:
    loaded = build(files, options)
    evaluate_present(loaded)  # the first one pays for loading the simulator
    problem = loaded.problem
    return Resolved(problem.targets, problem.parameters, problem.objective_ids, loaded, evaluate_present(loaded))


def _resolved(files: Files, options: Options) -> Resolved:
    """What can be said without a simulator. Raises UnsupportedError with what the backend refuses."""
    backend = registry.load(options.backend)
    spec, document = files.targets, files.document
    free, inputs = addresses(spec, document), input_components(spec)
    cell = lower(document, free, component=spec.component, inputs=inputs)
    experiments = resolve(spec, document, cell, folder=files.folder)
    require_supported(backend, cell, experiments, options.settings, spec)
    objectives = tuple(group.id for group in make_scoring(spec).groups)
    return Resolved(spec, parameters(spec, document, cell), objectives)
