"""Looking without fitting: the numbers of a document, one simulation, one score."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from nmlopt.api.accuracies import Accuracies, compare
from nmlopt.api.finishing import recordings_of
from nmlopt.api.problem import Loaded, Options, evaluate_present, load, read_model, require_supported
from nmlopt.backend import Integrator, Recordings, RunStatus
from nmlopt.document.paths import Address, listing
from nmlopt.errors import Issue, NmloptError, PathError, ResultsError
from nmlopt.evaluate.model import Evaluation
from nmlopt.experiment.model import Experiment, Output
from nmlopt.experiment.sites import output_units
from nmlopt.experiment.skeleton import skeleton
from nmlopt.exporters import registry
from nmlopt.ir.lower import classify, lower
from nmlopt.ir.model import Site
from nmlopt.results.files import require_empty
from nmlopt.results.traces import write_traces

REST_MS = 1000.0
REST_TEMPERATURE_K = 279.45
"""6.3 degC, what NEURON takes where nothing is said."""


@dataclass(frozen=True, slots=True)
class PathRow:
    """One number of a document. `kind` is bindable, structural, unused or, where no cell was found, unknown."""

    path: str
    value: float
    unit: str
    kind: str
    file: str
    line: int


def paths(
    model: Path, options: Options, pattern: str | None = None, component: str | None = None
) -> tuple[PathRow, ...]:
    """Every number of the document that matches `pattern`, in document order. Raises DocumentError, PathError P001."""
    document = read_model(model, options)
    found = listing(document, pattern)
    if not found:
        everything = len(listing(document))
        if not everything:
            hint = "give the file that holds the components, or include it"
            raise PathError(Issue("P001", "there are no numbers in this document", str(model), hint))
        message = f"no path matches '{pattern}' among the {everything} numbers of {model.name}"
        raise PathError(Issue("P001", message, hint=f"nmlopt paths {model.name} lists all"))
    try:
        kinds = dict(classify(document, found, component=component))
    except NmloptError:
        kinds = {}
    return tuple(_row(address, kinds.get(address.path, "unknown")) for address in found)


def _row(address: Address, kind: str) -> PathRow:
    quantity, element = address.quantity, address.element
    return PathRow(address.path, quantity.value, quantity.unit, kind, element.file, element.line)


def score(model: Path, targets: Path, options: Options) -> tuple[Loaded, Evaluation]:
    """Score a document with its own values: features, scores in sd, objectives. Raises what `load` raises."""
    loaded = load(model, targets, options)
    return loaded, evaluate_present(loaded)


def present_recordings(loaded: Loaded) -> Recordings:
    """Traces of the document's own values."""
    return recordings_of(loaded.problem, loaded.problem.parameters.present())


@dataclass(frozen=True, slots=True)
class Simulated:
    """The files that were written; how much each accuracy changes, where one was asked for by name."""

    loaded: Loaded
    files: tuple[Path, ...]
    accuracies: Accuracies | None = None


def simulate(model: Path, targets: Path, out: Path, options: Options) -> Simulated:
    """Run every protocol with the document's own values and write one CSV and one PNG per protocol.

    With an accuracy in the settings all accuracies are run, too, and compared. Raises what `load` raises, ResultsError
    R020 if the simulation fails, R001 if `out` is not empty.
    """
    loaded = load(model, targets, options)
    require_empty(out)
    recordings = present_recordings(loaded)
    if recordings.status is not RunStatus.OK:
        message = f"the simulation ended as '{recordings.status}': {recordings.detail}"
        raise ResultsError(Issue("R020", message, hint=recordings.status.advice))
    units = {o.variable: output_units(loaded.cell, o) for e in loaded.problem.experiments for o in e.outputs}
    files = write_traces(out, loaded.problem.experiments, recordings, units)
    has_steps = loaded.problem.program.settings.integrator is Integrator.ADAPTIVE
    return Simulated(loaded, files, compare(loaded) if options.settings.accuracy is not None and has_steps else None)


def export(
    model: Path, folder: Path, options: Options, targets: Path | None = None, component: str | None = None
) -> tuple[Path, ...]:
    """Write a folder that runs the cell with nothing but the simulator.

    Raises what `load` raises, ResultsError R001.
    """
    if targets is not None:
        problem = load(model, targets, options).problem
        return problem.backend.export(problem.program, problem.experiments, folder)
    cell = lower(read_model(model, options), component=component)
    backend = registry.load(options.backend)
    backend.version()
    experiments = (quiet_experiment(),)
    require_supported(backend, cell, experiments, options.settings)
    return backend.export(backend.compile(cell, options.settings), experiments, folder)


def quiet_experiment() -> Experiment:
    """One second without a stimulus, the soma's voltage recorded: what is exported where no targets are given."""
    site = Site(section=0, x=0.5, compartment=0)
    return Experiment("rest", REST_MS, REST_TEMPERATURE_K, (), (Output("soma", site),))


def init(model: Path, options: Options, component: str | None = None) -> str:
    """A targets.json to begin with, for this document, as text. Raises DocumentError, UnsupportedError."""
    document = read_model(model, options)
    cell = lower(document, component=component)
    addresses = listing(document)
    kinds = classify(document, addresses, component=component)
    bindable = tuple(a for a in addresses if kinds[a.path] == "bindable")
    return json.dumps(skeleton(document, cell, bindable), indent=2, ensure_ascii=False)
