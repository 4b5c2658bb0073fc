"""The fast features against eFEL on simulated traces: the examples, the simple cell, and the L5PC where its data is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fast_features import differences, unanswered

from nmlopt.api.problem import Loaded, Options, load
from nmlopt.backend import Integrator, Settings
from nmlopt.features.fast import NAMES

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "benchmarks" / "simplecell", *sorted(p.parent for p in ROOT.glob("examples/*/targets.json"))]
MOST_LEFT = 0.1
"""Share of all features of all traces that may be left to eFEL: traces at rest, whose minima are nowhere."""


CASES = [(folder, Integrator.FIXED) for folder in FOLDERS]
CASES += [(folder, Integrator.CVODE) for folder in FOLDERS if folder.name in ("simplecell", "hh_soma")]


@pytest.mark.neuron
@pytest.mark.parametrize(("folder", "integrator"), CASES, ids=[f"{folder.name}-{how}" for folder, how in CASES])
def test_every_feature_of_every_recording(folder, integrator):
    _compare(load(folder / "model.nml", folder / "targets.json", Options(settings=Settings(integrator=integrator))), 2)


@pytest.mark.neuron
@pytest.mark.slow
def test_every_feature_of_the_l5pc(root, shared_data, tmp_path):
    script, out = root / "benchmarks" / "l5pc" / "build.py", tmp_path / "cell"
    subprocess.run([sys.executable, str(script), str(shared_data / "l5pc"), str(out)], check=True)
    options = Options(settings=Settings(integrator=Integrator.CVODE))
    _compare(load(out / "model.nml", out / "targets.json", options), 3)


def _compare(loaded: Loaded, more: int) -> None:
    """Of the published values and `more` drawn from the bounds."""
    problem = loaded.problem
    parameters = problem.parameters
    u = np.random.default_rng(5).uniform(0.0, 1.0, (more, len(parameters.free)))
    x = np.vstack([[p.present for p in parameters.free], parameters.from_unit_interval(u)])
    recordings = problem.backend.simulate(problem.program, problem.experiments, parameters.values(x))
    wrong, left, asked = {}, 0, 0
    for row, found in enumerate(recordings):
        for wanted, settings in [(w, group.settings) for group in problem.plan.groups for w in group.traces]:
            case = (found.traces[wanted.key], wanted.start_ms, wanted.end_ms, settings)
            wrong |= {(row, wanted.key, name): pair for name, pair in differences(*case).items()}
            left += len(unanswered(*case))
            asked += len(NAMES)
    assert wrong == {}
    assert left <= MOST_LEFT * asked
