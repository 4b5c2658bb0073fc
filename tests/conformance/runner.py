"""Judges a simulator by the cases.

python -m tests.conformance.runner [--cases PATTERN] [--json]                  runs nmlopt on its NEURON backend
python -m tests.conformance.runner --results FILE_OR_FOLDER [--cases ...]      judges what another tool wrote
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.conformance import results
from tests.conformance.judge import Outcome
from tests.conformance.results import Result
from tests.conformance.suite import Case, case_ids, load

Simulator = Callable[[Case], Result]


def main(arguments: list[str]) -> int:
    """0: all passed; 1: some did not; 2: there is no such case."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.runner", description=__doc__)
    parser.add_argument("--backend", default="neuron", help="the backend of nmlopt to judge")
    parser.add_argument("--numerics", choices=("cnexp", "jneuroml"), help="how nmlopt steps gates (default: its own)")
    parser.add_argument("--cases", default="*", metavar="PATTERN", help="which cases (shell pattern)")
    parser.add_argument("--results", type=Path, help="judge these results instead of running nmlopt (README.md)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    chosen = case_ids(options.cases)
    if not chosen:
        print(f"no case matches {options.cases!r}", file=sys.stderr)
        return 2
    simulator = _simulator(options)
    outcomes = []
    for case in map(load, chosen):
        outcomes.append(simulator(case).outcome(case))
        if not options.json:
            print(line(outcomes[-1], case), flush=True)
    counts = Counter(outcome.status for outcome in outcomes)
    print(json.dumps(as_json(outcomes), indent=1) if options.json else _sum(counts))
    return 0 if counts["pass"] == len(outcomes) else 1


def line(outcome: Outcome, case: Case) -> str:
    """One line of the table: status, case, largest error as a fraction of its tolerance, message."""
    worst = max(outcome.errors.values(), default=math.nan)
    shown = f"{worst:8.3f}" if math.isfinite(worst) else "       -"
    known = "".join(f" [{tool}: {what}]" for tool, what in case.departures.items()) if outcome.status != "pass" else ""
    return f"{outcome.status:8}{shown}  {outcome.case}  {outcome.message}{known}".rstrip()


def as_json(outcomes: list[Outcome]) -> dict[str, object]:
    """The outcomes as the README describes them; an error that is not finite is null."""
    return {
        "format": "conformance-outcomes/1",
        "cases": [
            {
                "case": o.case,
                "status": o.status,
                "errors": {key: x if math.isfinite(x) else None for key, x in o.errors.items()},
                "message": o.message,
            }
            for o in outcomes
        ],
    }


def _simulator(options: argparse.Namespace) -> Simulator:
    if options.results is not None:
        return lambda case: results.read(options.results, case)
    from tests.conformance.nmlopt_runs import run

    return lambda case: run(case, backend=options.backend, numerics=options.numerics)


def _sum(counts: Counter[str]) -> str:
    return f"{sum(counts.values())} cases: " + ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
