"""A fit on Arbor and one on NEURON, of one seed: each one's solutions score on the other as they do at home."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.neuron
@pytest.mark.arbor
def test_solutions_of_each_score_alike_on_the_other(root: Path) -> None:
    script = root / "benchmarks" / "fit_on_both.py"
    command = [sys.executable, str(script), "--generations", "5", "--solutions", "2", "--workers", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fitted on neuron" in done.stdout
    assert "fitted on arbor" in done.stdout
