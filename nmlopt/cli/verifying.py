"""The verb verify: one document on several backends, as tables, as JSON, as a page."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from nmlopt.api.verifying import VerifyResult, verify
from nmlopt.cli.options import options
from nmlopt.cli.output import say, show, show_issues, show_json, show_table
from nmlopt.errors import Issue, UsageError
from nmlopt.exporters import registry
from nmlopt.results import verification_view as view
from nmlopt.results.files import require_empty
from nmlopt.results.verification import VerificationDocument, document, sentence
from nmlopt.results.verification_files import require_absent, write_verification
from nmlopt.verify.model import SideStatus, Verdict
from nmlopt.verify.run import Step

EXIT_DONE = 0
EXIT_DIFFERS = 1
EXIT_BAD_INPUT = 2
EXIT_MISSING = 3


def run(args: argparse.Namespace) -> int:
    """`nmlopt verify`: exit code 0 all the same, 1 not, 2 nothing to compare, 3 a simulator is missing."""
    names = backend_names(args.backends)
    if args.backends is not None and not names:
        hint = f"such as --backends {','.join(registry.names()[:2])}; without it all are compared"
        raise UsageError(Issue("C015", f"--backends '{args.backends}' names no backend", "--backends", hint))
    if args.html is not None:
        require_absent(args.html)
    if args.out is not None:
        require_empty(args.out)
    with Progress() as progress:
        result = verify(args.model, args.targets, names, options(args), progress)
    found = document(result.verification, args.model.name)
    files = write_verification(result.verification, found, args.html, args.out)
    if args.json:
        show_json(found.model_dump(mode="json"))
    else:
        ran = (side for side in result.verification.sides if side.status is SideStatus.OK)
        show_issues((*result.files.issues, *(issue for side in ran for issue in side.issues)))
        show_verification(found)
        for file in files:
            show(str(file))
    return exit_code(result, asked=bool(names))


def backend_names(text: str | None) -> tuple[str, ...]:
    """The names in 'a,b'; none where nothing was given."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def exit_code(result: VerifyResult, *, asked: bool) -> int:
    """What the outcome means to a script; a simulator that is missing counts where it was asked for by name."""
    found = result.verification
    if found.verdict in (Verdict.UNDECIDED, Verdict.DIFFERS):
        return EXIT_DIFFERS
    ran = sum(side.status is SideStatus.OK for side in found.sides)
    if result.is_missing and (asked or ran < 2):
        return EXIT_MISSING
    return EXIT_DONE if ran > 1 else EXIT_BAD_INPUT


class Progress:
    """One line per run on standard error: redrawn on a terminal, printed elsewhere."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._status = self._console.status("reading, checking, compiling") if sys.stderr.isatty() else None

    def __enter__(self) -> Progress:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, step: Step) -> None:
        """Show what is being done."""
        text = f"{step.done + 1}/{step.asked} {step.text}"
        if self._status is not None:
            self._status.update(text)
        else:
            self._console.print(text, markup=False)


def show_verification(found: VerificationDocument) -> None:
    """Backends, targets, spikes and traces as tables, then what makes the difference, then the verdict."""
    rows = [
        (
            b.name,
            b.version or "not installed",
            f"{b.numerics}, dt {', '.join(f'{dt:g}' for dt in b.dt_ms)} ms" if b.status == "ok" else b.status,
            "" if b.order is None else f"{b.order:.2g}",
            ""
            if b.status == "ok"
            else b.detail or "; ".join(dict.fromkeys(f"{i.code}: {i.message}" for i in b.issues)),
        )
        for b in found.backends
    ]
    show_table("Backends", ("name", "version", "runs", "order", "why not"), rows)
    if len(view.ran(found)) > 1:
        show_table(
            "Targets: scores in sd at the smallest step; difference and numerical error at a step of zero",
            ("target", *view.ran(found), "difference", "error", "verdict"),
            [(r.id, *r.scores, r.difference, r.error, _with(r.verdict, r.reason)) for r in view.target_rows(found)],
        )
        show_table(
            "Recordings",
            ("recording", "spikes", "largest shift / ms", "error / ms", "largest difference", "allowed", "verdict"),
            [
                (r.place, r.counts, r.shift, r.error, r.difference, r.allowed, _with(r.verdict, r.reason))
                for r in view.recording_rows(found)
            ],
        )
    for finding in found.findings:
        show(finding.text)
    for note in found.notes:
        say(note)
    say(sentence(found))


def _with(verdict: str, reason: str) -> str:
    return f"{verdict} ({reason})" if reason else verdict
