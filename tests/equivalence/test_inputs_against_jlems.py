"""Inputs of the core types on a cell, beside jLEMS on the same LEMS file: what events do, to whom, in which order."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from input_documents import BALL

from nmlopt.backend import Numerics, RunStatus, Settings, Trace
from nmlopt.document.read import read
from nmlopt.experiment.model import Attached, Experiment, Output
from nmlopt.experiment.spike_sources import spike_times
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site
from nmlopt.lems.resolve import components
from nmlopt.resources import jneuroml_jar

pytestmark = [pytest.mark.neuron, pytest.mark.java, pytest.mark.slow]
SITE = Site(0, 0.5, 0)
DT_MS, LENGTH_MS = 0.005, 60.0
SYNAPSES = {
    "one": '<expOneSynapse id="one" gbase="0.5 nS" erev="0 mV" tauDecay="3 ms"/>',
    "two": '<expTwoSynapse id="two" gbase="0.5 nS" erev="0 mV" tauRise="0.5 ms" tauDecay="3 ms"/>',
    "three": '<expThreeSynapse id="three" gbase1="0.5 nS" gbase2="0.2 nS" erev="0 mV" tauRise="0.5 ms" '
    'tauDecay1="2 ms" tauDecay2="7 ms"/>',
    "alpha": '<alphaSynapse id="alpha" gbase="0.5 nS" erev="0 mV" tau="2 ms"/>',
    "current": '<alphaCurrentSynapse id="current" tau="2 ms" ibase="5 pA"/>',
    "depressing": '<blockingPlasticSynapse id="depressing" gbase="1 nS" erev="0 mV" tauRise="0.5 ms" tauDecay="3 ms">'
    '<plasticityMechanism type="tsodyksMarkramDepMechanism" initReleaseProb="0.4" tauRec="50 ms"/>'
    "</blockingPlasticSynapse>",
    "nmda": '<blockingPlasticSynapse id="nmda" gbase="2 nS" erev="0 mV" tauRise="0.5 ms" tauDecay="9 ms">'
    '<plasticityMechanism type="tsodyksMarkramDepFacMechanism" initReleaseProb="0.4" tauRec="50 ms" tauFac="20 ms"/>'
    '<blockMechanism type="voltageConcDepBlockMechanism" species="mg" blockConcentration="1.2 mM" '
    'scalingConc="1.9 mM" scalingVolt="16 mV"/></blockingPlasticSynapse>',
    "both": '<doubleSynapse id="both" synapse1="two" synapse1Path="./two" synapse2="nmda" synapse2Path="./nmda"/>',
    "pynn": '<expCondSynapse id="pynn" tau_syn="3" e_rev="0"/>',
}
INPUTS = {
    "ramp": '<rampGenerator id="ramp" delay="5 ms" duration="20 ms" startAmplitude="1 pA" finishAmplitude="9 pA" '
    'baselineAmplitude="1 pA"/>',
    "compound": '<compoundInput id="compound"><pulseGenerator id="p" delay="5 ms" duration="20 ms" amplitude="5 pA"/>'
    '<sineGenerator id="s" phase="0.3" delay="9 ms" duration="30 ms" amplitude="4 pA" period="7 ms"/></compoundInput>',
    "timed": '<timedSynapticInput id="timed" synapse="two" spikeTarget="./two"><spike id="0" time="4 ms"/>'
    '<spike id="1" time="11 ms"/></timedSynapticInput>',
}
WEIGHTS = {"pynn": 0.0005}
NAMES = [*SYNAPSES, *INPUTS]
CELL = f"""{BALL}
  <spikeArray id="spikes">
    <spike id="0" time="5 ms"/><spike id="1" time="9 ms"/><spike id="2" time="20 ms"/>
  </spikeArray>
"""


def _lems() -> str:
    names = NAMES
    drives = [
        f'<synapticConnectionWD from="source[0]" to="cells[{k}]" synapse="{name}" destination="synapses" '
        f'weight="{WEIGHTS.get(name, 1.5)}" delay="2 ms"/>'
        for k, name in enumerate(SYNAPSES)
    ]
    drives += [f'<explicitInput target="cells[{names.index(n)}]" input="{n}" destination="synapses"/>' for n in INPUTS]
    columns = [f'<OutputColumn id="{n}" quantity="cells[{k}]/v"/>' for k, n in enumerate(names)]
    return f"""<Lems>
  <Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="PyNN.xml"/><Include file="Simulation.xml"/>
  {CELL}{"".join(SYNAPSES.values())}{"".join(INPUTS.values())}
  <network id="net">
    <population id="cells" component="ball" size="{len(names)}"/>
    <population id="source" component="spikes" size="1"/>
    {"".join(drives)}
  </network>
  <Simulation id="sim" length="{LENGTH_MS}ms" step="{DT_MS}ms" target="net">
    <OutputFile id="out" fileName="out.dat">{"".join(columns)}</OutputFile>
  </Simulation>
</Lems>"""


def _run(folder: Path, *flags: str) -> np.ndarray:
    """The columns of the LEMS file's output: s, then V for each cell."""
    java = shutil.which("java")
    assert java, "java is needed: sudo apt-get install default-jre-headless"
    command = [java, "-Xmx1G", "-jar", str(jneuroml_jar()), "LEMS_inputs.xml", *flags, "-nogui"]
    environment = {**os.environ, "NEURON_HOME": sys.prefix, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert (folder / "out.dat").exists(), done.stdout[-2000:] + done.stderr[-2000:]
    return np.loadtxt(folder / "out.dat")


def _ours(folder: Path, settings: Settings) -> dict[str, Trace]:
    """The voltage of each cell."""
    document = read(folder / "LEMS_inputs.xml")
    known = components(document)
    arrivals = tuple(t + 2.0 for t in spike_times(known, "spikes", LENGTH_MS, DT_MS))
    events = dict.fromkeys(SYNAPSES, arrivals) | {"timed": spike_times(known, "timed", LENGTH_MS, DT_MS)}
    experiments = [
        Experiment(
            name, LENGTH_MS, 279.45,
            (Attached(SITE, "a", name, _weight(name), events.get(name, ())),), (Output("v", SITE),),
        )
        for name in NAMES
    ]  # fmt: skip
    backend = NeuronBackend()
    cell = lower(document, component="ball", inputs=NAMES)
    (found,) = backend.simulate(backend.compile(cell, settings), experiments, np.zeros((1, 0)))
    assert found.status is RunStatus.OK, found.detail
    return {name: found.traces[name, "v"] for name in NAMES}


def _weight(name: str) -> float:
    return WEIGHTS.get(name, 1.5) if name in SYNAPSES else 1.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the LEMS file."""
    (tmp_path / "LEMS_inputs.xml").write_text(_lems())
    return tmp_path


def test_voltages_are_those_of_jlems(folder: Path) -> None:
    table = _run(folder)
    for column, (name, trace) in enumerate(_ours(folder, Settings(DT_MS)).items(), start=1):
        theirs = np.interp(trace.t_ms, 1e3 * table[:, 0], 1e3 * table[:, column])
        span = np.ptp(theirs)
        assert 2.0 < span < 60.0, f"{name}: {span} mV show little"
        # both are of first order; a step's worth of an event's shift is the largest part of the difference
        assert np.abs(trace.y - theirs).max() < 0.004 * span, name


def test_numerics_jneuroml_are_those_of_its_export(folder: Path) -> None:
    """To the step, but for 32-bit constants; the export applies the weight of a double synapse twice."""
    table = _run(folder, "-neuron", "-run", "-compile")
    for column, (name, trace) in enumerate(_ours(folder, Settings(DT_MS, Numerics.JNEUROML)).items(), start=1):
        difference = np.abs(trace.y - 1e3 * table[: len(trace.y), column]).max()
        if name == "both":
            assert difference > 1.0
        else:
            assert difference < 1e-4, f"{name}: {difference} mV"
