"""What NEURON is not asked to do is found beforehand, all at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nmlopt.backend import Integrator, Numerics, Settings
from nmlopt.document.read import read
from nmlopt.errors import UnsupportedError
from nmlopt.experiment.model import Experiment, Output, VoltageClamp
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Assigned, Assignment, Site
from nmlopt.lems.expression import Call, Num

SITE = Site(0, 0.5, 0)
BACKEND = NeuronBackend()


@pytest.fixture(scope="module")
def cells(root):
    return {n: lower(read(root / "examples" / n / "model.nml")) for n in ("hh_soma", "ball_and_stick", "izhikevich")}


def test_the_examples_are_supported(cells):
    for cell in cells.values():
        assert BACKEND.unsupported(cell, [Experiment("e", 1.0, 300.0, (), (Output("v", SITE),))]) == ()


def test_every_fault_is_listed(cells):
    cell = cells["hh_soma"]
    noisy = replace(cell.mechanisms[0].dynamics, assigned=(Assigned("x", Call("random", (Num(1.0),))),))
    broken = replace(cell, mechanisms=(replace(cell.mechanisms[0], dynamics=noisy), *cell.mechanisms[1:]))
    outputs = (Output("a", SITE, "nothing/x"), Output("b", Site(0, 0.5, 7), "na/m/q"))
    issues = BACKEND.unsupported(broken, [Experiment("e", 1.0, 300.0, (), outputs)])
    assert [i.code for i in issues] == ["B030", "B034", "B035"]


def test_two_resistivities_in_one_section(cells):
    cell = cells["ball_and_stick"]
    split = replace(cell, resistivity=(Assignment(Num(1.0), (0, 1, 2, 3)), Assignment(Num(2.0), (4, 5))))
    assert [i.code for i in BACKEND.unsupported(split, [])] == ["B032"]


def test_point_cells_cannot_be_clamped(cells):
    experiment = Experiment("e", 1.0, 300.0, (VoltageClamp(SITE, 1.0, ((1.0, 0.0),)),), ())
    assert [i.code for i in BACKEND.unsupported(cells["izhikevich"], [experiment])] == ["B033"]


@pytest.mark.parametrize(
    ("cell", "settings", "codes"),
    [
        ("izhikevich", Settings(integrator=Integrator.CVODE), ["B010"]),
        ("hh_soma", Settings(integrator=Integrator.CVODE, numerics=Numerics.JNEUROML, tables=True), ["B012", "B011"]),
    ],
)
def test_settings_that_exclude_each_other(cells, cell, settings, codes):
    with pytest.raises(UnsupportedError) as caught:
        BACKEND.compile(cells[cell], settings)
    assert [i.code for i in caught.value.issues] == codes
    assert all(i.hint for i in caught.value.issues)
