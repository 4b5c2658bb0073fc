"""An exported folder runs with NEURON alone and gives the traces of `simulate`, bit for bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nmlopt.backend import Settings
from nmlopt.document.read import read
from nmlopt.errors import ResultsError
from nmlopt.experiment.model import Experiment, Output, Played, Pulse, Ramp, Sine, VoltageClamp
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

pytestmark = pytest.mark.neuron
SITE = Site(0, 0.5, 0)
V = Output("v", SITE)
SOMA = (
    Experiment(
        "step 1",
        40.0,
        279.45,
        (Pulse(SITE, 5.0, 20.0, 0.3), Ramp(SITE, 5.0, 9.0, 0.0, 0.1)),
        (V, Output("m", SITE, "na/m/q")),
    ),
    Experiment(
        "sine", 40.0, 285.0, (Sine(SITE, 5.0, 30.0, 0.3, 8.0, 0.1),), (V, Output("i", SITE, "na/iDensity")), -70.0
    ),
    Experiment("played", 40.0, 279.45, (Played(SITE, (3.0, 9.0, 9.5, 20.0), (0.0, 0.3, 0.0, 0.3)),), (V,)),
    Experiment(
        "clamp",
        20.0,
        279.45,
        (VoltageClamp(SITE, 0.01, ((5.0, -65.0), (10.0, 0.0))),),
        (V, Output("ic", SITE, "i_clamp")),
    ),
)
DENDRITE = (Experiment("e", 40.0, 300.0, (Pulse(SITE, 5.0, 20.0, 0.5),), (V, Output("far", Site(1, 0.95, 11)))),)
POINT = (Experiment("e", 200.0, 300.0, (Pulse(SITE, 5.0, 150.0, 0.2),), (V, Output("u", SITE, "regular_spiking/u"))),)


@pytest.mark.parametrize(
    ("example", "experiments", "missing"),
    [("hh_soma", SOMA, {("sine", "i")}), ("ball_and_stick", DENDRITE, set()), ("izhikevich", POINT, set())],
    ids=["hh_soma", "ball_and_stick", "izhikevich"],
)
def test_traces_are_the_same(example, experiments, missing, root, tmp_path):
    backend = NeuronBackend()
    program = backend.compile(lower(read(root / "examples" / example / "model.nml")), Settings())
    found = backend.simulate(program, experiments, np.zeros((1, 0)))[0]
    folder = tmp_path / "export"
    written = backend.export(program, experiments, folder)
    assert {p.name for p in written} >= {"cell.hoc", "init.hoc", "run.py", "README.md"}
    done = subprocess.run([sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    again = subprocess.run([sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert again.stdout == ""  # hoc prints what a call returns unless it is told not to
    for (experiment, output), trace in found.traces.items():
        file = folder / f"{experiment.replace(' ', '_')}.{output}.dat"
        assert file.exists() is ((experiment, output) not in missing)
        if file.exists():
            table = np.loadtxt(file)
            assert np.array_equal(table[:, 0], trace.t_ms)
            assert np.array_equal(table[:, 1], trace.y)
    for experiment, output in missing:
        assert found.traces[experiment, output].y.size
    assert ("not written" in (folder / "README.md").read_text()) is bool(missing)
    with pytest.raises(ResultsError):
        backend.export(program, experiments, folder)


def test_nrniv_runs_the_folder_too(root, tmp_path):
    backend = NeuronBackend()
    program = backend.compile(lower(read(root / "examples" / "hh_soma" / "model.nml")), Settings())
    backend.export(program, SOMA[:1], tmp_path / "export")
    tools = Path(sys.executable).parent
    for command in (["nrnivmodl", "mod"], ["nrniv", "-nogui", "init.hoc"]):
        done = subprocess.run(
            [str(tools / command[0]), *command[1:]],
            cwd=tmp_path / "export",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert np.loadtxt(tmp_path / "export" / "step_1.v.dat")[:, 1].max() > 0.0
