"""The verbs that start from a LEMS simulation."""

from __future__ import annotations

import argparse

from nmlopt.api import lems_running, lems_targets
from nmlopt.cli.options import options
from nmlopt.cli.output import issue_rows, say, show, show_issues, show_json

EXIT_DONE = 0


def simulate(args: argparse.Namespace) -> int:
    """Run a LEMS simulation and name the files it left."""
    files, issues = lems_running.simulate_lems(args.model, args.out, options(args), dt_ms=args.dt)
    if args.json:
        show_json({"files": [str(f) for f in files], "issues": issue_rows(issues)})
        return EXIT_DONE
    show_issues(issues)
    for file in files:
        show(str(file))
    return EXIT_DONE


def targets_from(args: argparse.Namespace) -> int:
    """Print or write a targets.json made from a LEMS simulation."""
    text, issues = lems_targets.targets_from(args.model, options(args), args.component)
    show_issues(issues)
    if args.out is None:
        show(text)
    else:
        lems_targets.write_new(args.out, text)
        say(f"wrote {args.out}; put means and sds into its targets, then: nmlopt check {args.model} {args.out}")
    return EXIT_DONE
