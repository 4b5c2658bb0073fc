"""One function per verb: from parsed arguments through the api to what is shown; returns the exit code."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from nmlopt.api import inspecting
from nmlopt.api.doctor import doctor
from nmlopt.cli import backends, checking, fitting, importing, lems, tables, verifying
from nmlopt.cli.accuracies import accuracies_document, show_accuracies
from nmlopt.cli.options import options
from nmlopt.cli.output import count, number, say, show, show_issues, show_json, show_table
from nmlopt.errors import Issue, UsageError
from nmlopt.spec.schema import schema_text

EXIT_DONE = 0
EXIT_NOT_ACCEPTABLE = 1
EXIT_BAD_INPUT = 2
EXIT_MISSING = 3


def _paths(args: argparse.Namespace) -> int:
    rows = inspecting.paths(args.model, options(args), args.pattern, args.component)
    if args.json:
        show_json({"paths": [tables.as_dict(row) for row in rows]})
        return EXIT_DONE
    cells = [(r.path, number(r.value), r.unit, r.kind, f"{r.file}:{r.line}") for r in rows]
    show_table(count(len(rows), "number"), ("path", "value", "unit", "kind", "place"), cells)
    return EXIT_DONE


def _init(args: argparse.Namespace) -> int:
    show(inspecting.init(args.model, options(args), args.component))
    return EXIT_DONE


def _simulate(args: argparse.Namespace) -> int:
    if args.targets is None:
        return lems.simulate(args)
    if args.out is None:
        raise UsageError(Issue("C000", "the folder for the traces is not given", "nmlopt simulate", "add --out DIR"))
    found = inspecting.simulate(args.model, args.targets, args.out, options(args))
    show_issues(found.loaded.problem.program.issues)
    if args.json:
        levels = {"accuracies": accuracies_document(found.accuracies)} if found.accuracies is not None else {}
        show_json({"files": [str(f) for f in found.files], **levels})
        return EXIT_DONE
    for file in found.files:
        show(str(file))
    if found.accuracies is not None:
        show_accuracies(found.accuracies, found.loaded.problem.targets, args.accuracy)
    return EXIT_DONE


def _score(args: argparse.Namespace) -> int:
    loaded, evaluation = inspecting.score(args.model, args.targets, options(args))
    show_issues(loaded.files.issues)
    if args.json:
        show_json(tables.evaluation_document(loaded, evaluation))
    else:
        tables.show_evaluation(loaded, evaluation)
    return EXIT_DONE


def _export(args: argparse.Namespace) -> int:
    files = inspecting.export(args.model, args.folder, options(args), args.targets, args.component)
    for file in files:
        show(str(file))
    say(f"see {args.folder / 'README.md'}")
    return EXIT_DONE


def _schema(_: argparse.Namespace) -> int:
    show(schema_text())
    return EXIT_DONE


def _doctor(args: argparse.Namespace) -> int:
    findings = doctor()
    missing = [f for f in findings if f.is_needed and not f.is_present]
    if args.json:
        show_json({"findings": [tables.as_dict(f) for f in findings], "complete": not missing})
        return EXIT_MISSING if missing else EXIT_DONE
    rows = [
        (
            f.name,
            "ok" if f.is_present else "MISSING" if f.is_needed else "not installed",
            f.found.split(" (")[0],
            f.purpose,
        )
        for f in findings
    ]
    show_table("What nmlopt needs", ("what", "state", "version", "for"), rows)
    for finding in findings:
        if not finding.is_present:
            say(f"{finding.name} ({'needed' if finding.is_needed else 'optional'}): {finding.remedy}")
    say("everything that a fit needs is here" if not missing else f"missing: {', '.join(f.name for f in missing)}")
    return EXIT_MISSING if missing else EXIT_DONE


VERBS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "fit": fitting.fit,
    "resume": fitting.resume,
    "status": fitting.status,
    "report": fitting.report,
    "check": checking.check,
    "paths": _paths,
    "init": _init,
    "simulate": _simulate,
    "import-morphology": importing.import_morphology,
    "targets-from": lems.targets_from,
    "score": _score,
    "export": _export,
    "backends": backends.backends,
    "verify": verifying.run,
    "schema": _schema,
    "doctor": _doctor,
}
