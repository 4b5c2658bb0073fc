"""Runs made up for the tests: no simulator, no document."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nmlopt.backend import RunStatus
from nmlopt.evaluate.model import Evaluation
from nmlopt.experiment.parameters import FreeParameter
from nmlopt.results.model import Context, ParameterInfo, RunInfo, Stored
from nmlopt.results.writeback import Provenance, Solution
from nmlopt.units import Quantity, core_units

TARGETS = ("freq", "height", "held_out")
OBJECTIVES = ("freq", "height")


def make_info(seeds=(1, 2)) -> RunInfo:
    return RunInfo(
        parameters=(
            ParameterInfo("gna", "mS_per_cm2", 10.0, 300.0, "log10", 120.0),
            ParameterInfo("ek", "mV", -90.0, -60.0, "linear", -77.0),
        ),
        targets=TARGETS,
        objectives=OBJECTIVES,
        seeds=seeds,
        context=Context("fake", {"dt_ms": 0.025}, {"nmlopt": "0.1.0"}, "abc"),
    )


def make_evaluation(x, objectives, status=RunStatus.OK, detail="") -> Evaluation:
    scores = dict(zip(TARGETS, (*objectives, 0.5), strict=True))
    features = {"freq": (61.0, 0.1 + 0.2)} if status is RunStatus.OK else {}
    return Evaluation(tuple(x), status, features, scores, tuple(objectives), 0.25, detail)


def make_generation(seed: int, generation: int, size: int = 4) -> tuple[list[Evaluation], dict]:
    """Evaluations and a state that follow from seed and generation alone."""
    random = np.random.default_rng([seed, generation])
    evaluations = [
        make_evaluation(random.normal(size=2), np.abs(random.normal(size=2)) * 10 / generation) for _ in range(size)
    ]
    return evaluations, {"generation": generation, "draw": random.random(), "list": [1, "a", None]}


def make_solution(x, objectives=(0.25, 0.5)) -> Solution:
    return Solution(Stored(17, 3, 4, 11, make_evaluation(x, objectives)), ("sum", "objective freq"))


def make_provenance(component=("cell", "hh")) -> Provenance:
    return Provenance(
        component=component,
        date="2026-01-02",
        backend="fake",
        settings={"dt_ms": 0.025, "numerics": "cnexp"},
        versions={"nmlopt": "0.1.0", "fake": "9.9"},
        targets_id="hh_targets",
        targets_digest="d" * 64,
        objectives=OBJECTIVES,
    )


@pytest.fixture
def info() -> RunInfo:
    return make_info()


@pytest.fixture
def kit() -> SimpleNamespace:
    """The makers above, for tests (test modules cannot import each other)."""
    return SimpleNamespace(
        info=make_info,
        evaluation=make_evaluation,
        generation=make_generation,
        solution=make_solution,
        provenance=make_provenance,
        parameters=FakeParameters,
        leak=LEAK,
        point=POINT,
    )


MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment that stays -->
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.neuroml.org/schema/neuroml2 https://raw.github.com/NeuroML/NeuroML2/master/Schemas/NeuroML2/NeuroML_v2.3.1.xsd"
    id="doc">

    <include href="channels/pas.channel.nml"/>

    <cell id="hh">

        <notes>A cell — with notes &amp; an entity</notes>

        <morphology id="morph">
            <segment id="0" name="soma">
                <proximal x="0" y="0" z="0" diameter="17"/> <distal x="0" y="0" z="0" diameter="17"/>
            </segment>
        </morphology>

        <biophysicalProperties id="bio">
            <membraneProperties>
                <channelDensity id="leak" ionChannel="pas" condDensity="3.0 S_per_m2" erev='-54.3mV' ion="x"/>
                <spikeThresh value="-20mV"/>
                <specificCapacitance value="1.0 uF_per_cm2"/>
                <initMembPotential value="-65mV"/>
            </membraneProperties>
            <intracellularProperties>
                <resistivity value="0.03 kohm_cm"/>
            </intracellularProperties>
        </biophysicalProperties>

    </cell>

</neuroml>
"""

CHANNEL = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="pas_doc">
    <ionChannelPassive id="pas" species="non_specific" conductance="10pS"/>
</neuroml>
"""

POINT = """<?xml version="1.0"?>
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="izh">
    <izhikevich2007Cell id="iz" v0="-60mV" C="100 pF" k="0.7 nS_per_mV" vr="-60 mV" vt="-40 mV"
        vpeak="35 mV" a="0.03 per_ms" b="-2 nS" c="-50 mV" d="100 pA"/>
</neuroml>
"""


class FakeParameters:
    """Stands for `Parameters`: one free parameter per path, written in the unit of its bounds."""

    def __init__(self, *rows: tuple[str, str, float, float, str, float]) -> None:
        self.paths = tuple(row[0] for row in rows)
        units = core_units()
        self.free = tuple(
            FreeParameter(f"p{i}", units.unit(unit), lower, upper, scale, present)
            for i, (_, unit, lower, upper, scale, present) in enumerate(rows)
        )

    def edits(self, x):
        return tuple((p, Quantity(v, f.unit.symbol)) for p, v, f in zip(self.paths, x, self.free, strict=True))


LEAK = FakeParameters(
    ("cell:hh/channelDensity:leak/condDensity", "S_per_m2", 0.1, 10.0, "log10", 3.0),
    ("cell:hh/channelDensity:leak/erev", "mV", -90.0, -40.0, "linear", -54.3),
)


@pytest.fixture
def model(tmp_path) -> Path:
    """A cell in one file, its channel in another."""
    folder = tmp_path / "model"
    (folder / "channels").mkdir(parents=True)
    (folder / "cell.nml").write_text(MODEL, encoding="utf-8")
    (folder / "channels" / "pas.channel.nml").write_text(CHANNEL, encoding="utf-8")
    return folder / "cell.nml"
