"""Elements beyond the usual: shared populations, moving outside concentrations, gaps between cases, clear refusals."""

from __future__ import annotations

import re

import numpy as np
import pytest
from lems_constructs import constructs

from nmlopt.document.read import read
from nmlopt.errors import UnsupportedError
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import classify, lower
from nmlopt.ir.model import MechanismKind

TEXTS = {name.replace("`", ""): text for _, name, text in constructs()}
DATA = "tests/data/elements"


@pytest.fixture
def made(tmp_path):
    """Reads a text."""

    def make(text: str):
        path = tmp_path / "model.nml"
        path.write_text(text)
        return read(path)

    return make


def test_a_population_is_shared_out_by_area(root, interpreter):
    """All compartments at one voltage: their currents add up to number * conductance * fopen * (erev - v)."""
    cell = lower(read(root / DATA / "calcium.nml"), component="populated")
    (placement,) = (p for p in cell.placements if p.id == "p_nernst")
    mechanism = cell.mechanism(placement.mechanism)
    assert mechanism.kind is MechanismKind.POPULATION
    assert len(placement.compartments) == 4
    shares = dict(placement.locals)["share"]
    areas = np.array([cell.geometry.compartments[k].area_m2 for k in placement.compartments])
    assert np.allclose(shares, areas / areas.sum(), rtol=1e-15)
    known = {"v": -0.02, "caConc": 1e-3, "m_q": 0.6, "t": 0.0}
    names = interpreter(cell, temperature=300.0).variables(placement, known)
    erev = 8.3144621 * 300.0 / (2 * 96485.3) * np.log(2.0 / 1e-3)
    whole = 3000 * 1e-11 * 0.6**2 / (1 + 1.0) * (erev + 0.02)
    assert names[dict(mechanism.dynamics.exposures)["i"]] == pytest.approx(whole * shares[0], rel=1e-12)
    (single,) = (p for p in cell.placements if p.id == "p_sk")
    assert single.locals == ()


def test_a_concentration_outside_that_moves_is_read_in_the_run(made):
    moving = lower(made(TEXTS["a pool that changes the concentration outside"]))
    constant = lower(made(TEXTS["a nonlinear pool"]))
    inputs = [
        next(m.dynamics.inputs for m in cell.mechanisms if m.kind is MechanismKind.DENSITY)
        for cell in (moving, constant)
    ]
    assert "caConcExt" in inputs[0]
    assert "caConcExt" not in inputs[1]


@pytest.mark.parametrize("name", ["Nernst", "GHK"])
def test_non_uniform_densities_have_the_equations_of_the_uniform_ones(root, made, name):
    """With the same expression everywhere they are the same cell but for the numbers of each compartment."""
    text = (root / DATA / "varying.nml").read_text()
    number = {"Nernst": "condDensity", "GHK": "permeability"}[name]
    unit = {"Nernst": "S_per_m2", "GHK": "m_per_s"}[name]
    id_ = f"d_{name.lower()}"
    pattern = rf'<channelDensityNonUniform{name} id="{id_}".*?</channelDensityNonUniform{name}>'
    channel = {"Nernst": "cal", "GHK": "cah"}[name]
    attributes = f'ionChannel="{channel}" ion="ca" {number}="1 {unit}" segmentGroup="whole"'
    plain = f'<channelDensity{name} id="{id_}" {attributes}/>'
    uniform, count = re.subn(pattern, plain, text, flags=re.DOTALL)
    assert count == 1
    cells = [lower(made(t), component="varying") for t in (text, uniform)]
    pairs = [next((c.mechanism(p.mechanism), p) for p in c.placements if p.id == id_) for c in cells]
    assert pairs[0][0] == pairs[1][0]
    assert pairs[0][1].compartments == pairs[1][1].compartments
    assert [n for n, _ in pairs[0][1].values] == [n for n, _ in pairs[1][1].values]


def test_cases_that_numbers_decide_may_leave_a_gap(made):
    """delta_T < 0 of the PyNN cell is no case: jLEMS gives 0 there, and the number stays free."""
    from element_documents import example

    document = made(example("EIF_cond_exp_isfa_ista").text)
    from nmlopt.document.paths import listing

    uses = classify(document, listing(document))
    assert uses["EIF_cond_exp_isfa_ista:c/delta_T"] == "bindable"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("Attachments, another variable than a current", "I012", "synapses[*]/g"),
        ("an unknown element in Dynamics", "I013", "TimeDerivatve"),
        ("StateScalarField, DerivedScalarField", "I013", "StateScalarField"),
        ("ConditionalDerivedVariable with a gap", "I011", "'sum'"),
        ("a variable defined by itself", "L015", "'sum'"),
        ("select with an index", "L014", "parts[0]/x"),
    ],
)
def test_what_is_not_supported_is_named_with_its_place(made, name, code, words):
    with pytest.raises(UnsupportedError) as caught:
        lower(made(TEXTS[name]))
    (issue,) = caught.value.issues
    assert issue.code == code
    assert words in issue.message
    assert re.match(r"model\.nml:\d+", issue.where)


def test_a_cell_with_dynamics_of_its_own_is_named(made, root):
    dynamics = '<Dynamics><StateVariable name="v" exposure="v" dimension="voltage"/></Dynamics>'
    own = f'<ComponentType name="myCell" extends="cell">{dynamics}</ComponentType>'
    text = (root / DATA / "varying.nml").read_text()
    text = text.replace("<cell id", own + "<myCell id").replace("</cell>", "</myCell>")
    with pytest.raises(UnsupportedError) as caught:
        lower(made(text))
    (issue,) = caught.value.issues
    assert issue.code == "I004"
    assert "myCell" in issue.message
    assert re.match(r"model\.nml:\d+", issue.where)


@pytest.mark.parametrize("function", ["random()", "factorial()"])
def test_functions_without_a_counterpart_are_named_with_their_place(made, function):
    (issue,) = NeuronBackend().unsupported(lower(made(TEXTS[function])), ())
    assert issue.code == "B030"
    assert function.removesuffix("()") in issue.message
    assert re.match(r"model\.nml:\d+", issue.where)


def test_a_scheme_in_a_point_cell_is_named(made):
    text = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n"><ionChannelKS id="x" conductance="10 pS">
      <gateKS id="g" instances="1"><closedState id="a"/><openState id="b"/><vHalfTransition id="t" from="a" to="b"
      vHalf="0 mV" z="2" gamma="0.5" tau="3 ms" tauMin="0.1 ms"/></gateKS></ionChannelKS>
      <pointCellCondBased id="c" C="10 pF" v0="-65 mV" thresh="0 mV"><channelPopulation id="p" ionChannel="x" number="9"
      erev="0 mV"/></pointCellCondBased></neuroml>"""
    (issue,) = NeuronBackend().unsupported(lower(made(text)), ())
    assert issue.code == "B038"
    assert re.match(r"model\.nml:\d+", issue.where)
