"""Arbor and NEURON take the same steps: implicit in v, exact in gates. So their traces agree at one step already.

With Arbor's own quotient for the exponential, or with a current whose slope its compiler does not see, these differ by
millivolts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nmlopt.backend import Settings
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.exporters import registry
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

pytestmark = [pytest.mark.neuron, pytest.mark.arbor]

SITE = Site(section=0, x=0.5, compartment=0)
LIMIT_MV = {0.025: 1e-3, 0.1: 1e-2}


@pytest.mark.parametrize("dt_ms", LIMIT_MV)
@pytest.mark.parametrize("name", ["hh_soma", "ball_and_stick"])
def test_traces_at_one_step(name: str, dt_ms: float, root: Path) -> None:
    cell = lower(read(root / f"examples/{name}/model.nml"))
    temperature = cell.temperature_K or 293.15
    experiments = (Experiment("e", 40.0, temperature, (Pulse(SITE, 5.0, 30.0, 0.2),), (Output("v", SITE),)),)
    traces = []
    for backend in ("neuron", "arbor"):
        simulator = registry.load(backend)
        program = simulator.compile(cell, Settings(dt_ms=dt_ms))
        (run,) = simulator.simulate(program, experiments, np.empty((1, 0)))
        assert run.status == "ok", run.detail
        traces.append(run.traces["e", "v"])
    neuron, arbor = traces
    rows = min(len(neuron.y), len(arbor.y))
    assert np.allclose(neuron.t_ms[:rows], arbor.t_ms[:rows], atol=1e-9)
    assert neuron.y.max() > 0.0
    assert np.abs(neuron.y[:rows] - arbor.y[:rows]).max() < LIMIT_MV[dt_ms]
