"""The command `nmlopt`: parses, calls the api, prints, and turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from nmlopt import __version__
from nmlopt.cli import commands
from nmlopt.cli.output import issue_rows, show_issues, show_json
from nmlopt.cli.parser import build_parser
from nmlopt.errors import Issue, NmloptError

__all__ = ["main"]

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code (0, 1, 2, 3 or 4; see `nmlopt --help`)."""
    given = sys.argv[1:] if arguments is None else arguments
    wants_json = "--json" in given
    try:
        args = build_parser(__version__).parse_args(given)
        code = commands.VERBS[args.verb](args)
        sys.stdout.flush()
    except NmloptError as error:
        return _report(error.issues, wants_json, error.exit_code)
    except BrokenPipeError:  # `nmlopt paths model.nml | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        hint = "go on with what a run has stored by `nmlopt resume DIR`; without a run folder nothing was begun"
        return _report((Issue("C002", "interrupted", hint=hint),), wants_json, EXIT_INTERRUPTED)
    except OSError as error:
        return _report((_of_os(error),), wants_json, EXIT_BAD_INPUT)
    return code


def _report(issues: Sequence[Issue], wants_json: bool, code: int) -> int:
    if wants_json:
        show_json({"issues": issue_rows(issues)})
    show_issues(issues)
    return code


def _of_os(error: OSError) -> Issue:
    """What the operating system refused, as a finding: missing files, rights, a full disk."""
    where = str(error.filename or "")
    return Issue(
        "C001", error.strerror or str(error), where=where, hint="check the path, your rights and the free space"
    )
