"""report.html: a run in one file that needs nothing else, neither a network nor a script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from jinja2 import Environment, PackageLoader, StrictUndefined

from nmlopt.backend import Recordings, Trace
from nmlopt.results import plots
from nmlopt.results import report_view as view
from nmlopt.results.again_view import again_rows, again_titles, published
from nmlopt.results.faults import reported
from nmlopt.results.files import write_file
from nmlopt.results.references import references
from nmlopt.results.report_input import ReportInput
from nmlopt.results.wording import duration, number
from nmlopt.spec.models import SpikeTimesTarget
from nmlopt.units import Quantity

NAME = "report.html"


def write_report(run: Path, data: ReportInput) -> Path:
    """Write report.html into the run folder, replacing an older one. Raises ResultsError R002, R003."""
    path = run / NAME
    page = render(data)
    with reported(run):
        write_file(path, page.encode())
    return path


def render(data: ReportInput) -> str:
    """The report as HTML; all text is escaped."""
    environment = Environment(
        loader=PackageLoader("nmlopt.results"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    level, sentence = view.verdict(data)
    summary, record = data.summary, data.record
    return environment.get_template("report.html.j2").render(
        title=f"Fit of {PurePosixPath(record.model).name} to {data.targets.id}",
        targets=data.targets,
        record=record,
        created=record.created.replace("T", " ").replace("+00:00", " UTC"),
        summary=summary,
        level=level,
        sentence=sentence,
        cards=_cards(data),
        seeds=view.seed_rows(summary.seeds),
        convergence=plots.convergence(data.table, [s.seed for s in summary.seeds]) if len(data.table.seeds) else "",
        solutions=view.solution_rows(data),
        traces=_traces(data),
        parameters=view.parameter_rows(data),
        failures=view.failure_rows(data),
        verified=view.verified_rows(data),
        again=again_rows(data),
        again_titles=again_titles(data),
        warnings=summary.warnings,
        estimate=summary.error_estimate,
        settings=_settings(data),
        commands=view.commands(data),
        references=references(data.citation, str(record.algorithm.get("name", ""))),
    )


def _cards(data: ReportInput) -> tuple[tuple[str, str, str], ...]:
    """(value, what it is, small print) of the summary."""
    summary = data.summary
    failed = sum(summary.failures.values())
    original = f"original model: {number(data.original.total)}" if data.original else ""
    return (
        (number(summary.best_sum), "best sum of objectives (sd)", original),
        (_within(data), "objectives within 1 sd", "of solution 01"),
        (str(len(data.solutions)), "solutions", ""),
        (f"{summary.evaluations:,}".replace(",", "\u202f"), "evaluations", f"{failed} failed"),
        (str(summary.generations), "generations", f"{len(summary.seeds)} seed" + "s" * (len(summary.seeds) != 1)),
        (duration(summary.cpu_seconds), "CPU time", f"{duration(summary.wall_seconds)} by the clock"),
    )


def _within(data: ReportInput) -> str:
    if not data.solutions:
        return "–"
    found, _ = published(data.solutions[0].solution)
    return f"{sum(value <= 1.0 for value in found)} of {len(found)}"


def _traces(data: ReportInput) -> list[tuple[str, str, str]]:
    """(protocol id, role, figure) of each protocol of which there are traces."""
    best, original = _of(data.best_traces), _of(data.original_traces)
    if not best and not original:
        return []
    roles = {protocol.id: protocol.role for protocol in data.targets.protocols}
    spikes = {
        (t.protocol, t.recording): [Quantity.parse(text).to("ms").value for text in t.times]
        for t in data.targets.targets
        if isinstance(t, SpikeTimesTarget)
    }
    return [
        (experiment.id, roles.get(experiment.id, "fit"), plots.traces(experiment, best, original, data.wanted, spikes))
        for experiment in data.experiments
    ]


def _of(recordings: Recordings | None) -> Mapping[tuple[str, str], Trace]:
    return recordings.traces if recordings else {}


def _settings(data: ReportInput) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """(heading, rows) of how the run was made."""
    record = data.record
    digests = {
        "document": record.model_digest,
        "targets": record.targets_digest,
        **{name: digest for name, digest in record.files.items() if name not in (record.model, record.targets)},
    }
    return (
        ("Search", view.settings_table({"seeds": ", ".join(map(str, record.seeds)), **record.algorithm})),
        ("Stopping", view.settings_table(record.stopping)),
        ("Simulation", view.settings_table({"backend": record.backend, **record.settings})),
        ("Evaluation", view.settings_table(record.evaluation)),
        ("Versions", tuple(record.versions.items())),
        ("Digests (SHA-256)", tuple(digests.items())),
    )
