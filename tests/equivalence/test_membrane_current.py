"""The membrane current of a point cell holds the currents of its inputs: it is what moves v."""

from __future__ import annotations

import numpy as np
import pytest

from nmlopt.backend import Integrator, Numerics, Settings
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.exporters import registry
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

SITE = Site(0, 0.5, 0)
FARAD = 1e-10
"""The example's capacitance."""


@pytest.mark.parametrize("backend", [pytest.param("neuron", marks=pytest.mark.neuron), "native"])
def test_it_is_the_capacitance_times_the_slope_of_v(backend, root):
    """Below threshold, and away from the edges of the pulse."""
    cell = lower(read(root / "examples" / "izhikevich" / "model.nml"))
    outputs = (Output("v", SITE), Output("i", SITE, f"{cell.id}/iMemb"))
    made = Experiment("e", 14.0, 279.45, (Pulse(SITE, 5.0, 20.0, 0.1),), outputs)
    simulator = registry.load(backend)
    program = simulator.compile(cell, Settings(0.005, Numerics.CNEXP, Integrator.FIXED))
    (found,) = simulator.simulate(program, (made,), np.zeros((1, 0)))
    v, i = (found.traces["e", name] for name in ("v", "i"))
    assert v.y.max() < -50.0
    slope = FARAD * np.gradient(1e-3 * v.y, 1e-3 * v.t_ms)
    later = v.t_ms > 5.1
    assert i.y[later] == pytest.approx(slope[later], abs=2e-3 * np.ptp(i.y))
    assert i.y[later].max() > 8e-11
