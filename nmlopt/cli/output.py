"""What the command prints: tables, findings, JSON. Standard output is for results, standard error for talk."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nmlopt.errors import Issue, Severity

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def out() -> Console:
    """Standard output; wide when it is not a terminal, so that tables can be searched."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """A line for the person at the terminal."""
    err().print(escape(text))


def show(text: str) -> None:
    """Text that is the result itself, unchanged."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def show_json(document: Any) -> None:
    """One JSON document on standard output."""
    show(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table with a title; cells are plain text."""
    table = Table(title=escape(title), title_justify="left", title_style="bold", header_style="bold", box=None)
    for column in columns:
        table.add_column(escape(column), overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    out().print(table)


def show_issues(issues: Iterable[Issue]) -> None:
    """Findings on standard error, one line each, errors first."""
    console = err()
    order = list(Severity)
    for issue in sorted(issues, key=lambda i: order.index(i.severity)):
        place = f"{escape(issue.where)}: " if issue.where else ""
        hint = f"\n    [dim]{escape(issue.hint)}[/dim]" if issue.hint else ""
        colour = _COLOURS[issue.severity]
        console.print(f"{place}[{colour}]{issue.severity} {issue.code}[/{colour}]: {escape(issue.message)}{hint}")


def issue_rows(issues: Iterable[Issue]) -> list[dict[str, str]]:
    """Findings as plain dictionaries for JSON."""
    return [
        {"code": i.code, "severity": str(i.severity), "where": i.where, "message": i.message, "hint": i.hint}
        for i in issues
    ]


def number(value: float) -> str:
    """A number for people: six significant digits."""
    return f"{value:.6g}"
