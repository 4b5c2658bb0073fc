"""Native kernels under the sanitizers: `python -m tests.conformance.sanitized` does so with all cases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def _sanitized(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.conformance.sanitized", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_a_sample_of_kernels_neither_leaves_its_memory_nor_the_rules_of_c(root):
    done = _sanitized(root, "--sample")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "refused" not in done.stdout


@pytest.mark.parametrize("case", ["101-passive-decay", "501-iaf-tau"])
def test_a_fault_would_be_found(root, case):
    done = _sanitized(root, "--planted", case)
    assert done.returncode != 0
    assert "ERROR: AddressSanitizer: " in done.stderr  # how far from an array its memory ends decides on the words
