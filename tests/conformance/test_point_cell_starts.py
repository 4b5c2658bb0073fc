"""How point cells start: as the core types say, or in numerics jneuroml as jNeuroML's export to NEURON does."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from jneuroml_runner import Run, exported

from nmlopt.backend import Numerics, Settings
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

SITE = Site(0, 0.5, 0)
DT_MS = 0.025
NEUROML = '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="m">{}</neuroml>'
DERIVED_START = NEUROML.format("""
    <ComponentType name="swing" extends="baseCellMembPotDL">
        <Parameter name="start" dimension="none"/>
        <Constant name="MSEC" dimension="time" value="1 ms"/>
        <Exposure name="y" dimension="none"/>
        <Dynamics>
            <StateVariable name="V" dimension="none" exposure="V"/>
            <StateVariable name="y" dimension="none" exposure="y"/>
            <DerivedVariable name="limit" dimension="none" value="1 / (1 + exp(-(V - 0.1) / 0.2))"/>
            <TimeDerivative variable="V" value="(y - V) / (10 * MSEC)"/>
            <TimeDerivative variable="y" value="(limit - y) / (30 * MSEC)"/>
            <OnStart>
                <StateAssignment variable="V" value="start"/>
                <StateAssignment variable="y" value="limit"/>
            </OnStart>
        </Dynamics>
    </ComponentType>
    <swing id="cell" start="0.5"/>
""")


def ours(model, variable, numerics):
    """20 ms of a cell that nothing is done to."""
    backend = NeuronBackend()
    program = backend.compile(lower(read(model)), Settings(dt_ms=DT_MS, numerics=numerics))
    experiment = Experiment("rest", 20.0, 279.45, (), (Output("o", SITE, variable),))
    (run,) = backend.simulate(program, (experiment,), np.zeros((1, 0)))
    return run.traces["rest", "o"].y


@pytest.mark.neuron
def test_a_derived_variable_in_on_start_sees_what_was_assigned_before(tmp_path):
    """As in jLEMS, y starts at limit(V = start). NEURON's start `y0` of it must not clash with C's Bessel function."""
    model = tmp_path / "model.nml"
    model.write_text(DERIVED_START)
    assert ours(model, "cell/y", Numerics.CNEXP)[0] == pytest.approx(1.0 / (1.0 + math.exp(-2.0)), rel=1e-12)


@pytest.mark.neuron
@pytest.mark.java
def test_the_export_computes_starts_from_states_that_are_still_zero(tmp_path):
    model = tmp_path / "model.nml"
    model.write_text(re.sub(r"\by\b", "w", DERIVED_START))  # the export does not compile with y
    _, theirs = exported(Run(model, "cell", 20.0, DT_MS, quantity="pop[0]/w", is_dimensionless=True))
    mine = ours(model, "cell/w", Numerics.JNEUROML)
    assert np.ptp(theirs) > 0.1
    assert mine == pytest.approx(theirs[: len(mine)], rel=1e-6)
