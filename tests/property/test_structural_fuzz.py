"""Broken documents, read, checked, lowered, generated: no traceback, no hang, no dangling reference unsaid."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from fuzzing import fuzz, seeds, shared_seeds

QUICK = 100
OWN = 1600
SHARED = 800
FIRST_OF_SHARED = 100_000


def _run(paths: list[Path], numbers: range, folder: Path, root: Path | None) -> Counter[str]:
    """Break `paths` in turn, one mutant per number; fails with everything that must not be."""
    outcomes: Counter[str] = Counter()
    faults = []
    for number in numbers:
        path = paths[number % len(paths)]
        mutant, verdict = fuzz(path, number, folder / "fuzz", root)
        outcomes[verdict.outcome] += 1
        if verdict.is_fault:
            faults.append(f"{number} {path.name}, {mutant.how}: {verdict.outcome}\n{verdict.detail}")
    assert not faults, "\n\n".join(faults[:10])
    return outcomes


def test_a_hundred_broken_documents(root, tmp_path):
    outcomes = _run(seeds(root), range(QUICK), tmp_path, None)
    assert min(outcomes["reported"], outcomes["accepted"]) > QUICK / 10  # neither everything nor nothing gets through


@pytest.mark.slow
def test_many_broken_documents(root, tmp_path):
    outcomes = _run(seeds(root), range(QUICK, QUICK + OWN), tmp_path, None)
    assert min(outcomes["reported"], outcomes["accepted"]) > OWN / 10


@pytest.mark.slow
def test_many_broken_published_documents(root, tmp_path):
    data = root.parent / "shared" / "data"
    if not (data / "osb").is_dir():
        pytest.skip("optional data: ../shared/data/osb is not here")
    numbers = range(FIRST_OF_SHARED, FIRST_OF_SHARED + SHARED)
    outcomes = _run(shared_seeds(data), numbers, tmp_path, data / "osb")
    assert min(outcomes["reported"], outcomes["accepted"]) > SHARED / 20
