"""Numerics 'jneuroml' against jNeuroML's own NEURON export: equal to the step; 'cnexp' tends to the same as dt does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from os import environ

import numpy as np
import pytest

from nmlopt.backend import Numerics, Settings
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Pulse, Stimulus
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site
from nmlopt.resources import jneuroml_jar

pytestmark = [pytest.mark.neuron, pytest.mark.java, pytest.mark.slow]
SITE = Site(0, 0.5, 0)


@dataclass(frozen=True)
class Case:
    """A LEMS simulation of the shared data, and the same thing for us."""

    lems: str
    model: str
    cell: str
    dt_ms: float
    duration_ms: float
    output: str
    stimuli: tuple[Stimulus, ...] = ()
    column: int = 1
    temperature_K: float = 279.45
    threshold_mV: float = 0.0
    tolerance_steps: int = 0


# izhikevich: the export rounds a = 30 /s to a 32-bit float, which moves one of its spikes by one step
CASES = {
    "hh soma": Case(
        "NeuroML2/LEMSexamples/LEMS_NML2_Ex5_DetCell.xml", "NeuroML2/examples/NML2_SingleCompHHCell.nml", "hhcell",
        0.01, 300.0, "results/ex5_v.dat", (Pulse(SITE, 100.0, 100.0, 0.08),),
    ),
    "multicompartment": Case(
        "NeuroML2/LEMSexamples/LEMS_NML2_Ex25_MultiComp.xml", "NeuroML2/examples/NML2_MultiCompCellNetwork.nml",
        "MultiCompCell", 0.005, 140.0, "results/ex25_0.dat", (Pulse(SITE, 20.0, 100.0, 0.2),),
    ),
    "custom rates": Case(
        "PospischilEtAl2008/NeuroML2/cells/RS/LEMS_RS.xml", "PospischilEtAl2008/NeuroML2/cells/RS/RS.cell.nml", "RS",
        0.001, 1000.0, "RS.dat", (Pulse(SITE, 300.0, 400.0, 0.75),), temperature_K=309.15,
    ),
    "kinetic scheme and calcium": Case(
        "AllenInstituteNeuroML/CellTypesDatabase/models/NeuroML2/LEMS_SomaTest.xml",
        "AllenInstituteNeuroML/CellTypesDatabase/models/NeuroML2/Soma_Test.cell.nml", "Soma_Test",
        0.0025, 600.0, "TestSoma.v.dat", (Pulse(SITE, 300.0, 100.0, 0.05), Pulse(SITE, 100.0, 100.0, -0.01)),
        temperature_K=307.15,
    ),
    "izhikevich 2007": Case(
        "IzhikevichModel/NeuroML2/LEMS_2007One.xml", "IzhikevichModel/NeuroML2/LEMS_2007One.xml", "RS",
        0.0025, 520.0, "results/RS_One.dat", (Pulse(SITE, 0.0, 520.0, 0.1),), tolerance_steps=1,
    ),
    **{
        name: Case(
            "NeuroML2/LEMSexamples/LEMS_NML2_Ex0_IaF.xml", "NeuroML2/LEMSexamples/LEMS_NML2_Ex0_IaF.xml", name,
            0.005, 300.0, "results/iaf_v.dat", column=column, threshold_mV=-55.0,
        )
        for column, name in enumerate(("iafTau", "iafTauRef", "iaf", "iafRef"), start=1)
    },
}  # fmt: skip


def crossings(v, threshold):
    """Indices of the first samples above a threshold."""
    return np.flatnonzero((v[1:] > threshold) & (v[:-1] <= threshold)) + 1


def interpolated(trace, threshold):
    """Times of the crossings, linear between samples."""
    k = crossings(trace.y, threshold)
    t, y = trace.t_ms, trace.y
    return t[k - 1] + (threshold - y[k - 1]) / (y[k] - y[k - 1]) * (t[k] - t[k - 1])


@pytest.fixture(scope="module")
def exported(shared_data, tmp_path_factory):
    """`run(case)`: the voltage of jNeuroML's own NEURON export of a case, in mV."""
    folder = tmp_path_factory.mktemp("peer")

    def run(case):
        project, _, inside = case.lems.partition("/")
        if not (folder / project).exists():
            shutil.copytree(shared_data / "osb" / project, folder / project)
        lems = folder / project / inside
        output = lems.parent / case.output
        output.parent.mkdir(exist_ok=True)
        command = ["java", "-Xmx1G", "-jar", str(jneuroml_jar()), lems.name, "-neuron", "-run", "-nogui", "-compile"]
        env = {**environ, "NEURON_HOME": sys.prefix, "PATH": f"{sys.prefix}/bin:{environ['PATH']}"}
        shutil.rmtree(lems.parent / "x86_64", ignore_errors=True)
        done = subprocess.run(command, cwd=lems.parent, env=env, capture_output=True, text=True, check=False)
        assert output.exists(), done.stdout[-2000:] + done.stderr[-2000:]
        for mod in lems.parent.glob("*.mod"):
            mod.unlink()
        return 1e3 * np.loadtxt(output)[:, case.column]

    return run


def simulated(case, shared_data, numerics, dt_ms):
    """Our trace of a case."""
    backend = NeuronBackend()
    cell = lower(read(shared_data / "osb" / case.model), component=case.cell)
    experiment = Experiment("e", case.duration_ms, case.temperature_K, case.stimuli, (Output("v", SITE),))
    program = backend.compile(cell, Settings(dt_ms=dt_ms, numerics=numerics))
    run = backend.simulate(program, [experiment], np.zeros((1, 0)))[0]
    assert run.traces, run.detail
    return run.traces["e", "v"]


@pytest.mark.parametrize("name", CASES)
def test_spikes_equal_to_the_step(name, exported, shared_data):
    case = CASES[name]
    theirs = crossings(exported(case), case.threshold_mV)
    ours = crossings(simulated(case, shared_data, Numerics.JNEUROML, case.dt_ms).y, case.threshold_mV)
    assert len(theirs) >= 4
    assert len(ours) == len(theirs)
    assert np.abs(ours - theirs).max() <= case.tolerance_steps


@pytest.mark.parametrize("name", ["hh soma", "multicompartment", "izhikevich 2007", "iafRef"])
def test_both_numerics_have_one_limit(name, shared_data):
    """First order in dt: the difference of the two halves with it."""
    case = CASES[name]
    threshold = case.threshold_mV - 0.5 if name.startswith("iaf") else case.threshold_mV
    gaps = []
    for dt_ms in (0.01, 0.005, 0.0025):
        found = [interpolated(simulated(case, shared_data, n, dt_ms), threshold) for n in Numerics]
        assert len(found[0]) == len(found[1])
        gaps.append(np.abs(found[0] - found[1]).max())
    assert gaps[1] < 0.65 * gaps[0], gaps
    assert gaps[2] < 0.65 * gaps[1], gaps
