"""Non-uniform densities of all three kinds against jNeuroML's export to NEURON, to the digits that it prints."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jneuroml_runner import Run, voltage

from nmlopt.backend import Numerics, Settings
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

pytestmark = [pytest.mark.neuron, pytest.mark.java, pytest.mark.slow]

SITES = {0: Site(0, 0.5, 0), 2: Site(1, 0.75, 4)}
DT_MS, DURATION_MS = 0.01, 40.0


def test_all_three_kinds(root: Path, tmp_path: Path) -> None:
    model = Path(shutil.copy(root / "tests" / "data" / "elements" / "varying.nml", tmp_path / "model.nml"))
    cell = lower(read(model), component="varying")
    backend = NeuronBackend()
    program = backend.compile(cell, Settings(dt_ms=DT_MS, numerics=Numerics.JNEUROML))
    outputs = tuple(Output(str(segment), site) for segment, site in SITES.items())
    experiment = Experiment("e", DURATION_MS, 293.15, (), outputs)
    (ours,) = backend.simulate(program, (experiment,), np.zeros((1, 0)))
    wanted = Run(model, "varying", DURATION_MS, DT_MS, temperature="293.15 K")
    for segment in SITES:
        times, theirs = voltage(replace(wanted, segment=segment), tmp_path, engine="neuron")
        trace = ours.traces["e", str(segment)]
        assert np.abs(np.interp(times, trace.t_ms, trace.y) - theirs).max() < 2e-5  # seven digits of -60 mV
