"""A first targets.json out of a LEMS simulation, as text."""

from __future__ import annotations

import json
from pathlib import Path

from nmlopt.api.problem import Options, read_model
from nmlopt.document.paths import listing
from nmlopt.errors import Issue, ResultsError
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.importers.targets import choose_run, targets_of
from nmlopt.ir.lower import classify
from nmlopt.results.files import write_file


def targets_from(model: Path, options: Options, component: str | None = None) -> tuple[str, tuple[Issue, ...]]:
    """The text of a targets file for the cell of a LEMS simulation, and what could not be carried into it.

    Raises DocumentError, UnsupportedError, SimulationError (S030: choose a cell), TargetsError T037.
    """
    document = read_model(model, options)
    simulation = read_simulation(document)
    run = choose_run(simulation, component)
    addresses = listing(document)
    inputs = tuple(m.component for m in run.cell.mechanisms if m.component)
    kinds = classify(document, addresses, component=run.cell.id, inputs=inputs)
    bindable = tuple(a for a in addresses if kinds[a.path] == "bindable")
    made, issues = targets_of(simulation, run, bindable)
    text = json.dumps(made, indent=2, ensure_ascii=False)
    return text, (*simulation.issues, *dict.fromkeys(issues))


def write_new(path: Path, text: str) -> None:
    """Write a text into a file that must not exist. Raises ResultsError R001."""
    if path.exists() or path.is_symlink():
        raise ResultsError(Issue("R001", "a file of that name exists", str(path), "choose another name"))
    write_file(path, (text + "\n").encode("utf-8"))
