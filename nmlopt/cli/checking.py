"""The verb check: findings for people, as JSON, as annotations of a pull request; what a code means."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from nmlopt.api.checking import CheckReport
from nmlopt.api.checking import check as check_files
from nmlopt.cli import tables
from nmlopt.cli.options import options
from nmlopt.cli.output import count, say, show, show_issues, show_json
from nmlopt.codes.catalogue import CODES
from nmlopt.errors import Issue, Severity, UsageError
from nmlopt.importers.codes import CODES as SIMULATION_CODES
from nmlopt.importers.morphology_codes import CODES as MORPHOLOGY_CODES
from nmlopt.spec.codes import CODES as TARGET_CODES

EXIT_DONE: Final = 0
EXIT_BAD_INPUT: Final = 2
_PLACE: Final = re.compile(r"(?P<file>[^$].*?)(?::(?P<line>\d+)(?::(?P<column>\d+))?)?\Z")
_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def check(args: argparse.Namespace) -> int:
    """`nmlopt check`: show all findings; the exit code tells whether one is an error."""
    if args.explain is not None:
        show(explanation(args.explain))
        return EXIT_DONE
    if args.model is None:
        raise UsageError(Issue("C000", "no MODEL is given", "nmlopt check", "such as nmlopt check model.nml"))
    report = check_files(
        args.model, args.targets, options(args), runs=not args.no_run, asks_backend=args.backend is not None
    )
    report = report.strict() if args.strict else report
    if args.json:
        show_json({"issues": [row(i, report) for i in report.issues], "resolved": tables.resolved(report)})
    elif args.github:
        for issue in report.issues:
            show(annotation(issue, report))
    else:
        show_issues(replace(i, where=_shown(i, report)) for i in report.issues)
        if report.resolved is not None and not report.has_errors:
            tables.show_resolved(report.resolved)
            loaded = report.resolved.loaded
            show_issues(loaded.problem.program.issues if loaded is not None else ())
    if not args.json:
        say(_summary(report))
    return EXIT_BAD_INPUT if report.has_errors else EXIT_DONE


def _summary(report: CheckReport) -> str:
    errors = sum(i.severity is Severity.ERROR for i in report.issues)
    warnings = sum(i.severity is Severity.WARNING for i in report.issues)
    if errors:
        return f"{count(errors, 'error')}, {count(warnings, 'warning')}; nmlopt check --explain CODE says more"
    return f"no errors, {count(warnings, 'warning')}" if warnings else "no faults found"


def row(issue: Issue, report: CheckReport) -> dict[str, Any]:
    """A finding for programs; `file` is seen from the current folder, `line` and `column` are None if unknown."""
    file, line, column = location(issue, report)
    return {
        "code": issue.code,
        "severity": str(issue.severity),
        "message": issue.message,
        "file": file,
        "line": line,
        "column": column,
        "hint": issue.hint,
        "where": issue.where,
    }


def location(issue: Issue, report: CheckReport) -> tuple[str | None, int | None, int | None]:
    """File (seen from the current folder), line and column of a finding, as far as it has them."""
    if issue.where.startswith("$"):
        return (_seen(report.targets) if report.targets else None), None, None
    if report.targets is not None and issue.where == str(report.targets):
        return _seen(report.targets), None, None
    match = _PLACE.match(issue.where)
    if match is None:
        return None, None, None
    line, column = match["line"], match["column"]
    return _seen(report.root / match["file"]), int(line) if line else None, int(column) if column else None


def _shown(issue: Issue, report: CheckReport) -> str:
    """The place of a finding as an editor can open it from the current folder; one in JSON as it is."""
    file, line, column = location(issue, report)
    if issue.where.startswith("$") or file is None:
        return issue.where
    return ":".join(str(part) for part in (file, line, column) if part is not None)


def _seen(path: Path) -> str:
    """A path from the current folder if it lies below, else whole."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are written
    here = Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix()


def annotation(issue: Issue, report: CheckReport) -> str:
    """A finding as a workflow command of GitHub Actions, its properties and message escaped as those ask for."""
    file, line, column = location(issue, report)
    known: Mapping[str, object | None] = {"file": file, "line": line, "col": column, "title": issue.code}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in known.items() if value is not None)
    place = f"{issue.where}: " if issue.where and line is None and issue.where != file else ""
    text = f"{place}{issue.message}" + (f"\n{issue.hint}" if issue.hint else "")
    return f"::{_COMMANDS[issue.severity]} {properties}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def explanation(code: str) -> str:
    """What a code means and what to do. Raises UsageError C013 for one that does not exist."""
    wanted = code.strip().upper()
    meaning = CODES.get(wanted)
    if meaning is not None:
        kind = "warning" if meaning.is_warning else "error"
        width = min(shutil.get_terminal_size().columns, 100)
        return "\n".join(
            textwrap.wrap(f"{wanted} ({kind}): {meaning.title}.", width) + textwrap.wrap(meaning.remedy, width)
        )
    others = {**TARGET_CODES, **SIMULATION_CODES, **MORPHOLOGY_CODES}
    title = others.get(wanted)
    if title is not None:
        return f"{wanted}: {title}."
    near = get_close_matches(wanted, [*CODES, *others], n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "codes are a letter and three digits, such as D034"
    raise UsageError(Issue("C013", f"there is no code '{code}'", "--explain", hint))
