"""A small model in two files, written into a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nmlopt.document.model import Document
from nmlopt.document.read import read

MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<!-- a model -->
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
         xsi:schemaLocation="http://www.neuroml.org/schema/neuroml2 NeuroML_v2.3.xsd" id="model">
    <include href="channels/na.channel.nml"/>
    <cell id="hh">
        <notes>3 mV</notes>
        <annotation><thing value="4 mV"/></annotation>
        <morphology id="m">
            <segment id="0" name="soma"><distal x="0" y="0" z="0" diameter="17.8"/></segment>
            <segment id="1"><parent segment="0"/><distal x="0" y="9" z="0" diameter="2"/></segment>
            <segmentGroup id="dend"><member segment="1"/>
                <inhomogeneousParameter id="p" variable="p" metric="Path Length from root"/></segmentGroup>
        </morphology>
        <biophysicalProperties id="bio">
            <membraneProperties>
                <channelDensity id="na" ionChannel="na" condDensity='120.0  mS_per_cm2' erev="50mV" ion="na"/>
                <channelDensity id="leak" ionChannel="na" condDensity="3 S_per_m2" erev="-54.3mV" ion="non_specific"/>
                <channelDensityNonUniform id="k" ionChannel="na" erev="-77 mV" ion="k">
                    <variableParameter parameter="condDensity" segmentGroup="dend">
                        <inhomogeneousValue inhomogeneousParameter="p" value="1e-3 + 2*exp((-p - 10)/5) - x1e3*(-4)"/>
                    </variableParameter>
                </channelDensityNonUniform>
                <specificCapacitance value="1 uF_per_cm2"/>
                <specificCapacitance segmentGroup="dend" value="2 uF_per_cm2"/>
                <initMembPotential value="-65mV"/>
            </membraneProperties>
        </biophysicalProperties>
    </cell>
</neuroml>
"""

CHANNEL = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="channels">
    <ionChannel id="na" type="ionChannelHH" conductance="10pS">
        <gate id="m" type="gateHHrates" instances="3">
            <forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
            <reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/>
        </gate>
    </ionChannel>
    <ComponentType name="odd" extends="baseVoltageDepRate">
        <Constant name="TIME_SCALE" dimension="time" value="1 ms"/>
        <Dynamics>
            <DerivedVariable name="v1" value="v / 2"/>
            <ConditionalDerivedVariable name="r" exposure="r" dimension="per_time">
                <Case condition="v1 .gt. 3.gt.x" value="5/TIME_SCALE"/>
                <Case value="6/TIME_SCALE"/>
            </ConditionalDerivedVariable>
        </Dynamics>
    </ComponentType>
</neuroml>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the model in `model.nml` and its channel in `channels/`."""
    (tmp_path / "channels").mkdir()
    (tmp_path / "model.nml").write_text(MODEL)
    (tmp_path / "channels" / "na.channel.nml").write_text(CHANNEL)
    return tmp_path


@pytest.fixture
def document(folder: Path) -> Document:
    """The model, read."""
    return read(folder / "model.nml")


@pytest.fixture
def lems(tmp_path: Path) -> Callable[..., Document]:
    """Makes a document of the inside of one <Lems> file in the given encoding."""

    def make(body: str | bytes, *, name: str = "one.xml") -> Document:
        data = body if isinstance(body, bytes) else f"<Lems>{body}</Lems>".encode()
        path = tmp_path / name
        path.write_bytes(data)
        return read(path)

    return make
