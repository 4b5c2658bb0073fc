"""What the command prints: tables, findings, JSON. Standard output is for results, standard error for talk."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nmlopt.errors import Issue, Severity

LEAST_PATH_WIDTH = 30
INDENT = "  "
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
    """A table with a title; cells are plain text. Where it is too wide, long paths are folded at their slashes."""
    console, given = out(), [tuple(row) for row in rows]
    cells = _fitted(columns, given, console.width)
    table = Table(title=escape(title), title_justify="left", title_style="bold", header_style="bold", box=None)
    for i, column in enumerate(columns):
        is_path = any("/" in row[i] for row in cells)
        table.add_column(escape(column), overflow="fold", no_wrap=is_path and cells is not given)
    for row in cells:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def show_list(title: str, rows: Iterable[tuple[str, str]]) -> None:
    """Names and what they are, one pair a line, under a title."""
    table = Table(title=escape(title), title_justify="left", title_style="bold", show_header=False, box=None)
    for name, what in rows:
        table.add_row(escape(name), escape(what))
    out().print(table)


def _fitted(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Sequence[Sequence[str]]:
    """The rows with the widest column that holds paths folded to what the others leave of the width."""
    needed = [
        max(len(line) for cell in (name, *(row[i] for row in rows)) for line in cell.split("\n"))
        for i, name in enumerate(columns)
    ]
    with_paths = [i for i in range(len(columns)) if any("/" in row[i] for row in rows)]
    excess = sum(needed) + 2 * len(columns) - width
    if excess <= 0 or not with_paths:
        return rows
    widest = max(with_paths, key=lambda i: needed[i])
    room = max(needed[widest] - excess, LEAST_PATH_WIDTH)
    return [tuple(folded(cell, room) if i == widest else cell for i, cell in enumerate(row)) for row in rows]


def folded(text: str, width: int) -> str:
    """Text broken after slashes into lines of at most that width, where its parts allow; later lines are indented."""
    lines: list[str] = []
    for line in text.split("\n"):
        now = ""
        for part in re.findall(r"[^/]*/|[^/]+", line):
            if now.strip() and len(now) + len(part) > width:
                lines.append(now)
                now = INDENT
            now += part
        lines.append(now)
    return "\n".join(lines)


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


def count(amount: int, what: str) -> str:
    """1 finding, 2 findings."""
    return f"{amount} {what}" if amount == 1 else f"{amount} {what}s"
