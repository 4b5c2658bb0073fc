"""LEMS files of the examples, text for text: what a batch is run as, and what is exported."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmlopt.backend import Numerics, Program, Settings
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Played, Pulse, Ramp, Sine, VoltageClamp
from nmlopt.exporters.lems.batch import Unit, lems_file, parts
from nmlopt.exporters.lems.export import export_texts
from nmlopt.exporters.lems.layout import for_jlems, for_neuron, is_isopotential
from nmlopt.exporters.lems.lems_file import text_of
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

EXPECTED = Path(__file__).parent / "expected"
SITE = Site(0, 0.5, 0)
FREE = {
    "hh_soma": ("cell:hh_soma/channelDensity:na/condDensity",),
    "izhikevich": (),
    "ball_and_stick": (),
}


def program(root: Path, example: str) -> Program:
    document = read(root / "examples" / example / "model.nml")
    cell = lower(document, [resolve(document, path)[0] for path in FREE[example]])
    return Program("lems", cell, Settings(numerics=Numerics.JNEUROML), example, {}, Path())


def experiments(example: str) -> tuple[Experiment, ...]:
    pulse = Experiment("pulse", 20.0, 279.45, (Pulse(SITE, 5.0, 10.0, 0.2),), (Output("soma", SITE),), -70.0)
    if example != "hh_soma":
        return (pulse,)
    stimuli = (
        Ramp(SITE, 1.0, 4.0, 0.0, 0.3),
        Sine(SITE, 2.0, 5.0, 0.1, 2.5, 0.5),
        Played(SITE, (0.0, 1.0, 3.0), (0.0, 0.2, -0.1)),
        VoltageClamp(SITE, 2.0, ((5.0, -80.0), (4.0, -20.0))),
    )
    recorded = (Output("soma", SITE), Output("m", SITE, "na/m/q"), Output("clamp", SITE, "i_clamp"))
    return pulse, Experiment("all", 20.0, 279.45, stimuli, recorded)


@pytest.mark.parametrize("example", FREE)
def test_what_a_batch_is_run_as(example, golden, root):
    compiled = program(root, example)
    present = tuple(slot.default for slot in compiled.slots)
    rows = (present, tuple(1.5 * value for value in present))
    units = [Unit(k, row, e) for k, row in enumerate(rows) for e in experiments(example)]
    layout = for_jlems(compiled) if is_isopotential(compiled.cell) else for_neuron(compiled)
    golden(text_of(lems_file(compiled, parts(compiled, units, layout))), EXPECTED / f"{example}.batch.xml")


@pytest.mark.parametrize("example", FREE)
def test_what_is_exported(example, golden, root):
    for name, text in export_texts(program(root, example), experiments(example)).items():
        if name != "README.md":
            golden(text, EXPECTED / f"{example}.{name}")
