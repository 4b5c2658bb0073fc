"""What the command prints: tables, findings, JSON. Standard output is for results, standard error for talk."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nmlopt.errors import Issue, Severity

LEAST_PATH_WIDTH = 30
INDENT = " "
_GAP = 2
_UNFOLDED = 10_000
_STYLE: Final[Mapping[str, Any]] = {"title_justify": "left", "title_style": "bold", "box": None, "pad_edge": False}
_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the caller; the base class would end the process with an exit code of its own."""
        raise BrokenPipeError


def out() -> Console:
    """Standard output; where it is no terminal nothing is folded, so that tables can be searched."""
    return _Console(
        width=None if sys.stdout.isatty() else _UNFOLDED, highlight=False, soft_wrap=not sys.stdout.isatty()
    )


def err() -> Console:
    """Standard error."""
    return _Console(stderr=True, highlight=False, soft_wrap=True)


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
    """A table with a title; cells are plain text. On a narrow terminal long paths are folded at their slashes."""
    console, cells = out(), [tuple(row) for row in rows]
    table = Table(title=escape(title), header_style="bold", **_STYLE)
    at = _path_column(columns, cells)
    if at is not None:
        room = _room(columns, cells, at, console.width)
        cells = [(*row[:at], folded(row[at], max(room, LEAST_PATH_WIDTH)), *row[at + 1 :]) for row in cells]
    for i, column in enumerate(columns):
        keeps = i == at and _fits(columns, cells, i, console.width)
        table.add_column(escape(column), overflow="fold", no_wrap=keeps)
    for row in cells:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def show_list(title: str, rows: Iterable[tuple[str, str]]) -> None:
    """Names and what they are, one pair a line, under a title."""
    table = Table(title=escape(title), show_header=False, **_STYLE)
    for name, what in rows:
        table.add_row(escape(name), escape(what))
    out().print(table)


def _path_column(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int | None:
    """The widest column that holds paths."""
    with_paths = [i for i in range(len(columns)) if any("/" in row[i] for row in rows)]
    return max(with_paths, key=lambda i: _widths(columns, rows)[i], default=None)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """What each column needs to stay unfolded."""
    return [
        max(len(line) for cell in (name, *(row[i] for row in rows)) for line in cell.split("\n"))
        for i, name in enumerate(columns)
    ]


def _room(columns: Sequence[str], rows: Sequence[Sequence[str]], at: int, width: int) -> int:
    """What the other columns leave for one if none of them is folded."""
    return width - _GAP * (len(columns) - 1) - sum(w for i, w in enumerate(_widths(columns, rows)) if i != at)


def _fits(columns: Sequence[str], rows: Sequence[Sequence[str]], at: int, width: int) -> bool:
    """Whether a column can stay unfolded if the others are folded between words."""
    words = [
        max((len(word) for cell in (name, *(row[i] for row in rows)) for word in cell.split()), default=0)
        for i, name in enumerate(columns)
        if i != at
    ]
    return _widths(columns, rows)[at] + sum(words) + _GAP * (len(columns) - 1) <= width


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
