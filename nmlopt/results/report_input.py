"""What the report is made of: everything is given, nothing is simulated or read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nmlopt.backend import Recordings, RunStatus, Trace
from nmlopt.evaluate.model import Evaluation
from nmlopt.experiment.model import Experiment
from nmlopt.experiment.parameters import Parameters
from nmlopt.results.model import Table
from nmlopt.results.run_toml import Record
from nmlopt.results.store import RunStore
from nmlopt.results.summary import Summary, summarise
from nmlopt.results.writeback import Written
from nmlopt.spec.models import Targets


@dataclass(frozen=True, slots=True)
class ReportInput:
    """All that a report shows.

    `original`: evaluation of the document's own values. `best_traces` and `original_traces`: recordings of solution 01
    and of the original model. `wanted`: traces to be met, by (protocol id, recording id). `failures`: the most frequent
    texts of each kind. `citation`: the reference of the simulator. All of these may be absent.
    """

    folder: str
    record: Record
    summary: Summary
    table: Table
    targets: Targets
    parameters: Parameters
    experiments: Sequence[Experiment]
    solutions: Sequence[Written]
    original: Evaluation | None = None
    best_traces: Recordings | None = None
    original_traces: Recordings | None = None
    wanted: Mapping[tuple[str, str], Trace] = field(default_factory=dict)
    failures: Mapping[RunStatus, Sequence[tuple[str, int]]] = field(default_factory=dict)
    citation: str = ""


def gather(
    store: RunStore,
    record: Record,
    targets: Targets,
    parameters: Parameters,
    *,
    experiments: Sequence[Experiment],
    solutions: Sequence[Written],
    original: Evaluation | None = None,
    best_traces: Recordings | None = None,
    original_traces: Recordings | None = None,
    wanted: Mapping[tuple[str, str], Trace] | None = None,
    citation: str = "",
) -> ReportInput:
    """The input of a report, with what the store knows filled in."""
    return ReportInput(
        folder=str(store.folder),
        record=record,
        summary=summarise(store),
        table=store.table(),
        targets=targets,
        parameters=parameters,
        experiments=experiments,
        solutions=solutions,
        original=original,
        best_traces=best_traces,
        original_traces=original_traces,
        wanted=wanted or {},
        failures={status: store.failure_details(status) for status in store.failures()},
        citation=citation,
    )
