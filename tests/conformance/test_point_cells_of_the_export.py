"""Point cells in numerics jneuroml against jNeuroML's own NEURON export, number by number."""

from __future__ import annotations

import numpy as np
import pytest
from export_repairs import plain_literals
from jneuroml_runner import Pulse as PeerPulse
from jneuroml_runner import Run, exported

from nmlopt.backend import Numerics, Settings
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

pytestmark = pytest.mark.neuron
SITE = Site(0, 0.5, 0)
DT_MS = 0.005
DURATION_MS = 120.0
NEUROML = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="m">{}</neuroml>'
ADEX = """<adExIaFCell id="cell" C="281 pF" gL="30 nS" EL="-70.6 mV" reset="{reset} mV" VT="-50.4 mV"
    thresh="-40.4 mV" refract="{refract} ms" delT="2 mV" tauw="40 ms" a="4 nS" b="0.08 nA"/>"""
HINDMARSH_ROSE = """<hindmarshRose1984Cell id="cell" C="28.5 pF" a="1" b="3" c="-3" d="5" s="4" x1="-1.3" r="0.002"
    x0="-1.1" y0="-9" z0="1" v_scaling="35.75 mV"/>"""
TAU = '<iafTauCell id="cell" leakReversal="-50 mV" thresh="-55 mV" reset="-70 mV" tau="10 ms"/>'
CELLS = {
    "w moves in the refractory period, v is not held": (ADEX.format(reset=-60, refract=2), 0.8, -45.0),
    "states start at the numbers named after them": (HINDMARSH_ROSE, 7.0, 0.0),
    "a cell without a capacitance": (TAU, 0.0, -55.5),
}


def ours(model, numerics, amplitude_nA):
    """The voltage (mV) under a current from 20 ms to 110 ms."""
    backend = NeuronBackend()
    program = backend.compile(lower(read(model)), Settings(dt_ms=DT_MS, numerics=numerics))
    stimuli = (Pulse(SITE, 20.0, 90.0, amplitude_nA),) if amplitude_nA else ()
    experiment = Experiment("e", DURATION_MS, 279.45, stimuli, (Output("v", SITE),))
    (run,) = backend.simulate(program, (experiment,), np.zeros((1, 0)))
    assert run.traces, run.detail
    return run.traces["e", "v"].y


def crossings(v, level):
    return np.flatnonzero((v[1:] > level) & (v[:-1] <= level)) + 1


@pytest.mark.java
@pytest.mark.parametrize("name", CELLS)
def test_equal_to_the_export(name, tmp_path):
    cell, amplitude_nA, level_mV = CELLS[name]
    model = tmp_path / "model.nml"
    model.write_text(NEUROML.format(cell))
    pulses = (PeerPulse(20.0, 90.0, f"{amplitude_nA} nA"),) if amplitude_nA else ()
    _, theirs = exported(Run(model, "cell", DURATION_MS, DT_MS, pulses), plain_literals)
    mine = ours(model, Numerics.JNEUROML, amplitude_nA)
    assert len(crossings(theirs, level_mV)) >= 3
    assert np.array_equal(crossings(mine, level_mV), crossings(theirs, level_mV))
    assert mine == pytest.approx(theirs, abs=1e-6)


def test_a_refractory_period_of_no_length_ends_at_once(tmp_path):
    """The export refuses such cells (its WATCH would never fire); jLEMS gives 10 spikes of this one, as cnexp does."""
    model = tmp_path / "model.nml"
    model.write_text(NEUROML.format(ADEX.format(reset=-48.5, refract=0)))
    found = [crossings(ours(model, n, 0.8), -45.0) for n in (Numerics.JNEUROML, Numerics.CNEXP)]
    assert len(found[0]) == len(found[1]) >= 6
    assert np.abs(found[0] - found[1]).max() * DT_MS < 0.5
