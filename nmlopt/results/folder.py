"""A new run folder: inputs, run.toml and an empty store appear together or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nmlopt.results import run_toml
from nmlopt.results.faults import reported
from nmlopt.results.files import new_folder, write_tree
from nmlopt.results.inputs import Copies
from nmlopt.results.model import RunInfo
from nmlopt.results.run_toml import Record
from nmlopt.results.store import RunStore


def create_run(folder: Path, info: RunInfo, record: Record, inputs: Copies) -> RunStore:
    """Make a run folder and open its store for writing. Where the inputs lie is put into `record` here.

    Raises ResultsError R001 (exists and is not empty), R002 (cannot be written), R003 (disk full).
    """
    complete = replace(
        record, model=inputs.model, targets=inputs.targets, search_paths=inputs.search_paths, files=inputs.digests
    )
    with reported(folder), new_folder(folder) as part:
        RunStore.create(part, info).close()
        write_tree(part, inputs.files)
        run_toml.write(part, complete)
    return RunStore.resume(folder)
