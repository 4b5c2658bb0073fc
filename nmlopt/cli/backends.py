"""The verb backends: which simulators there are, and what each can do with a document."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, Final

from nmlopt.api.backends import Installed, Support, find_program, installed, stand_in, support
from nmlopt.cli.options import options
from nmlopt.cli.output import issue_rows, say, show_json, show_table

EXIT_DONE: Final = 0


def backends(args: argparse.Namespace) -> int:
    """`nmlopt backends`: one table, or with a document two."""
    here = installed()
    rows = None
    if args.model is not None:
        rows = support(args.model, options(args), args.targets, args.component)
    if args.json:
        document: dict[str, Any] = {"backends": [_installed_row(backend) for backend in here]}
        if rows is not None:
            document["elements"] = [_support_row(row) for row in rows]
        show_json(document)
        return EXIT_DONE
    _show_installed(here)
    if rows is not None:
        _show_support([b.name for b in here], rows)
    return EXIT_DONE


def _installed_row(backend: Installed) -> dict[str, Any]:
    offer = backend.offer
    return {
        "name": backend.name,
        "title": offer.title,
        "is_ready": backend.is_ready,
        "version": backend.version,
        "install": offer.install,
        "programs": {name: find_program(name) or stand_in(name) for name in offer.programs},
        "numerics": [str(n) for n in offer.numerics],
        "integrators": [str(i) for i in offer.integrators],
        "tables": offer.tables,
        "gpu": offer.gpu,
        "threads": offer.threads,
        "batch": offer.batch,
    }


def _support_row(row: Support) -> dict[str, Any]:
    return {
        "cell": row.cell,
        "kind": row.kind,
        "name": row.name,
        "where": row.where,
        "backends": {
            name: {"is_supported": not issues, "issues": issue_rows(issues)} for name, issues in row.refusals.items()
        },
    }


def _show_installed(here: Sequence[Installed]) -> None:
    columns = ("backend", "state", "version", "numerics", "integrators", "tables", "GPU", "threads", "programs")
    show_table("Backends (the first of numerics and integrators is the default)", columns, map(_installed_cells, here))
    for backend in here:
        for issue in backend.issues:
            say(f"{backend.name}: {issue.message}; {issue.hint}")
        if backend.missing_programs:
            say(f"{backend.name}: {', '.join(backend.missing_programs)} missing; nmlopt doctor says what brings it")


def _installed_cells(backend: Installed) -> tuple[str, ...]:
    offer = backend.offer
    state = "ready" if backend.is_ready else "not installed" if backend.version is None else "incomplete"
    return (
        backend.name,
        state,
        backend.version or "",
        ", ".join(offer.numerics),
        ", ".join(offer.integrators),
        _yes(offer.tables),
        _yes(offer.gpu),
        _yes(offer.threads),
        ", ".join(offer.programs),
    )


def _yes(has: bool) -> str:
    return "yes" if has else "no"


def _show_support(names: Sequence[str], rows: Sequence[Support]) -> None:
    several = len({row.cell for row in rows if row.cell}) > 1
    shown = [
        (row.kind, f"{row.cell}: {row.name}" if several and row.kind not in ("cell", "input") else row.name, row.where)
        for row in rows
    ]
    answers = [tuple(_answer(row, name) for name in names) for row in rows]
    columns = ("element", "name", "place", *names)
    show_table("What they can do with this document", columns, [s + a for s, a in zip(shown, answers, strict=True)])
    why = dict.fromkeys(
        (name, issue.code, issue.where, issue.message, issue.hint)
        for row in rows
        for name in names
        for issue in row.refusals[name]
    )
    if why:
        show_table("Why not", ("backend", "code", "place", "why", "what to do"), why)


def _answer(row: Support, name: str) -> str:
    codes = dict.fromkeys(issue.code for issue in row.refusals[name])
    return f"no ({', '.join(codes)})" if codes else "yes"
