"""Writes the numbers of every case's expected.json anew from its reference, or checks that they are up to date.

python -m tests.conformance.make_expected [--check] [PATTERN]
"""

from __future__ import annotations

import argparse
import importlib
import sys
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from tests.conformance.references.registry import REFERENCES
from tests.conformance.suite import CASES, Case, dump, load

SMALLEST_MISTAKE = 10.0
"""A mistake must be this many tolerances away in one quantity, else the case does not find it."""


def main(arguments: list[str]) -> int:
    """0: written, or up to date; 1: some case is not."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.make_expected", description=__doc__)
    parser.add_argument("pattern", nargs="?", default="*", help="which cases (shell pattern)")
    parser.add_argument("--check", action="store_true", help="write nothing; compare with what is there")
    options = parser.parse_args(arguments)
    import_references()
    faults = []
    for name in sorted(n for n in REFERENCES if fnmatch(n, options.pattern)):
        case = REFERENCES[name].expected()
        faults += invisible_mistakes(case)
        if options.check:
            faults += [] if is_current(case) else [f"{name}: expected.json is not what its reference gives"]
        else:
            (CASES / name).mkdir(parents=True, exist_ok=True)
            (CASES / name / "expected.json").write_text(dump(case), encoding="utf-8")
    print("\n".join(faults) if faults else "ok")
    return 1 if faults else 0


def import_references() -> None:
    """Fill REFERENCES from all modules of the package."""
    for path in sorted((Path(__file__).parent / "references").glob("*.py")):
        importlib.import_module(f"tests.conformance.references.{path.stem}")


def invisible_mistakes(case: Case) -> list[str]:
    """Mistakes whose numbers are too close to the right ones for the case to find them."""
    faults = []
    for mistake in case.mistakes:
        largest = 0.0
        for quantity in case.quantities:
            wrong, right = (np.asarray(x) for x in (mistake.quantities[quantity.id], quantity.reference))
            apart = np.inf if wrong.shape != right.shape else np.abs(wrong - right).max() / quantity.tolerance
            largest = max(largest, float(apart))
        if largest < SMALLEST_MISTAKE:
            faults.append(f"{case.id}: '{mistake.what}' is only {largest:.2g} tolerances away")
    return faults


def is_current(case: Case) -> bool:
    """Whether the expected.json of a case says what its reference gives, to a hundredth of the tolerance."""
    there = load(case.id)
    same_words = (there.tests, there.rule, there.method, there.script, there.departures) == (
        case.tests, case.rule, case.method, case.script, case.departures,
    )  # fmt: skip
    close = len(there.quantities) == len(case.quantities) and all(
        (a.id, a.kind, a.column, a.threshold, a.tolerance, a.reason)
        == (b.id, b.kind, b.column, b.threshold, b.tolerance, b.reason)
        and np.shape(a.reference) == np.shape(b.reference)
        and np.allclose(a.reference, b.reference, rtol=1e-9, atol=a.tolerance / 100)
        and np.allclose(a.times_s, b.times_s, rtol=1e-9, atol=a.tolerance if a.kind == "crossings" else 0)
        for a, b in zip(there.quantities, case.quantities, strict=True)
    )
    return same_words and close and [m.what for m in there.mistakes] == [m.what for m in case.mistakes]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
