"""Cells of several compartments: regions, numbers that vary along a path, pools that cover part of a cell."""

from __future__ import annotations

from math import exp

import pytest

from nmlopt.document.paths import listing, resolve
from nmlopt.errors import PathError, UnsupportedError
from nmlopt.ir.lower import classify, lower
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Num, SlotRef

CELL = """
<fixedFactorConcentrationModel id="pool" ion="ca" restingConc="1e-6 mM" decayConstant="10 ms"
  rho="3e-4 mol_per_m_per_A_per_s"/>
<ionChannelPassive id="pas" conductance="10pS"/><ionChannelPassive id="ca" conductance="10pS"/>
<cell id="c"><morphology id="m">
  <segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="10"/><distal x="10" y="0" z="0" diameter="10"/>
  </segment>
  <segment id="1" name="dend"><parent segment="0"/><proximal x="10" y="0" z="0" diameter="2"/>
    <distal x="110" y="0" z="0" diameter="2"/></segment>
  <segmentGroup id="soma_group" neuroLexId="sao864921383"><member segment="0"/></segmentGroup>
  <segmentGroup id="dend_group" neuroLexId="sao864921383"><property tag="numberInternalDivisions" value="4"/>
    <member segment="1"/><inhomogeneousParameter id="path" variable="p" metric="Path Length from root">
    <proximal translationStart="0"/></inhomogeneousParameter></segmentGroup>
  <segmentGroup id="none"/>
</morphology><biophysicalProperties id="b"><membraneProperties>{densities}
  <specificCapacitance value="1 uF_per_cm2"/><specificCapacitance segmentGroup="dend_group" value="2 uF_per_cm2"/>
  <initMembPotential value="-65 mV"/></membraneProperties><intracellularProperties>{species}
  <resistivity value="100 ohm_cm"/></intracellularProperties></biophysicalProperties></cell>"""
VARYING = """<channelDensityNonUniform id="d" ionChannel="pas" erev="-70 mV"><variableParameter parameter="condDensity"
  segmentGroup="dend_group"><inhomogeneousValue inhomogeneousParameter="path" value="{value}"/></variableParameter>
  </channelDensityNonUniform>"""
SPECIES = """<species id="{id}" ion="ca" concentrationModel="pool" initialConcentration="2e-5 mM"
  initialExtConcentration="{outside} mM" segmentGroup="{group}"/>"""
NERNST = '<channelDensityNernst id="n" ionChannel="ca" ion="ca" condDensity="1 S_per_m2"/>'


def test_a_later_property_overrides(document) -> None:
    cell = lower(document(CELL.format(densities="", species="")))
    assert [(a.value, a.compartments) for a in cell.capacitance] == [
        (Num(0.01), (0, 1, 2, 3, 4)),
        (Num(0.02), (1, 2, 3, 4)),
    ]


def test_non_uniform_density_is_in_si_of_the_path_length(document) -> None:
    xml = VARYING.format(value="2*exp(-p/50)")
    model = document(CELL.format(densities=xml, species=""))
    free = resolve(model, "channelDensityNonUniform:d/variableParameter/inhomogeneousValue/value{2}")
    cell = lower(model, free)
    (placement,) = cell.placements
    assert placement.compartments == (1, 2, 3, 4)
    assert placement.locals == (("p", pytest.approx((12.5, 37.5, 62.5, 87.5))),)
    value = dict(placement.values)["condDensity"]
    assert [evaluate(value, {"p": p}, [25.0]) for p in placement.locals[0][1]] == pytest.approx(
        [2 * exp(-p / 25) for p in (12.5, 37.5, 62.5, 87.5)]
    )


def test_uniform_and_non_uniform_densities_share_a_mechanism(document) -> None:
    more = '<channelDensity id="s" ionChannel="pas" condDensity="1 S_per_m2" erev="0 mV" segmentGroup="soma_group"/>'
    cell = lower(document(CELL.format(densities=VARYING.format(value="1") + more, species="")))
    assert [m.name for m in cell.mechanisms] == ["pas"]
    assert [p.compartments for p in cell.placements] == [(1, 2, 3, 4), (0,)]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("2*exp(-p/50)", "2*exp(-q/50)", "I062"),
        ("2*exp(-p/50)", "2*exp(-p/50", "L001"),
        ('inhomogeneousParameter="path"', 'inhomogeneousParameter="nope"', "I061"),
        ('segmentGroup="dend_group"><inh', 'segmentGroup="soma_group"><inh', "I061"),
        ('translationStart="0"', 'translationStart="5"', "I141"),
    ],
)
def test_faults_of_non_uniform_densities(document, old: str, new: str, code: str) -> None:
    text = CELL.format(densities=VARYING.format(value="2*exp(-p/50)"), species="")
    with pytest.raises(UnsupportedError) as caught:
        lower(document(text.replace(old, new)))
    assert [i.code for i in caught.value.issues] == [code]
    assert caught.value.issues[0].where.startswith("model.nml:")


def test_a_density_sees_the_pool_of_each_compartment(document) -> None:
    species = SPECIES.format(id="a", outside="2", group="soma_group")
    model = document(CELL.format(densities=NERNST, species=species))
    cell = lower(model, resolve(model, "species:a/initialExtConcentration"))
    with_pool, without = [p for p in cell.placements if p.id == "n"]
    assert (with_pool.compartments, without.compartments) == ((0,), (1, 2, 3, 4))
    assert dict(with_pool.values)["caConcExt"] == SlotRef(0)
    assert cell.mechanism(with_pool.mechanism).dynamics.inputs == ("caConc", "v")
    silent = cell.mechanism(without.mechanism).dynamics
    assert (silent.inputs, [a.value for a in silent.assigned]) == ((), [Num(0.0)] * len(silent.assigned))


def test_pools_of_one_model_share_a_mechanism_and_differ_in_numbers(document) -> None:
    species = "".join(SPECIES.format(id=g, outside=o, group=g) for g, o in (("soma_group", 2), ("dend_group", 3)))
    cell = lower(document(CELL.format(densities=NERNST, species=species)))
    assert [m.name for m in cell.mechanisms] == ["pool", "ca"]
    outside = [dict(p.values)["caConcExt"] for p in cell.placements if p.id == "n"]
    assert outside == [Num(2.0), Num(3.0)]


def test_overlapping_species_are_refused(document) -> None:
    species = "".join(SPECIES.format(id=i, outside=2, group="soma_group") for i in "ab")
    with pytest.raises(UnsupportedError, match="I040"):
        lower(document(CELL.format(densities=NERNST, species=species)))


def test_uses_of_numbers(document) -> None:
    empty = '<channelDensity id="e" ionChannel="pas" condDensity="1 S_per_m2" erev="0 mV" segmentGroup="none"/>'
    model = document(CELL.format(densities=VARYING.format(value="2*exp(-p/50)") + empty, species=""))
    uses = classify(model, listing(model))
    last = {path.split("/", 1)[1].rsplit(":", 1)[-1]: use for path, use in uses.items()}
    assert last["path/proximal/translationStart"] == "structural"
    by = {use: [p for p, u in uses.items() if u == use] for use in ("bindable", "structural", "unused")}
    assert any(p.endswith("inhomogeneousValue/value{2}") for p in by["bindable"])
    assert any(p.endswith("distal/diameter") for p in by["structural"])
    assert any(p.endswith("segmentGroup:dend_group/property/value") for p in by["structural"])
    assert any("channelDensity:e/erev" in p for p in by["unused"])
    assert any(p.endswith("ionChannelPassive:pas/conductance") for p in by["unused"])


def test_refused_addresses_are_listed_with_their_reasons(document) -> None:
    model = document(CELL.format(densities=VARYING.format(value="1"), species=""))
    erev = resolve(model, "channelDensityNonUniform:d/erev")
    free = [
        *erev,
        *resolve(model, "segment:1/distal/diameter"),
        *resolve(model, "ionChannelPassive:pas/conductance"),
        *erev,
    ]
    with pytest.raises(PathError) as caught:
        lower(model, free)
    found = [(i.code, i.where) for i in caught.value.issues]
    assert [code for code, _ in found] == ["P020", "P021", "P022"]
    assert "the shape of the cell is fixed" in caught.value.issues[0].message


BOMB = """<ComponentType name="q" extends="baseCellMembPot"><Parameter name="k" dimension="none"/><Dynamics>
  <StateVariable name="v" exposure="v" dimension="voltage"/>{rows}<TimeDerivative variable="v" value="a{n}"/>
  </Dynamics></ComponentType><q id="c" k="1"/>"""


@pytest.mark.parametrize(("depth", "code"), [(30, "L033"), (400, "L003")])
def test_definitions_that_explode_are_refused(document, depth: int, code: str) -> None:
    rows = '<DerivedVariable name="a0" value="k"/>'
    rows += "".join(f'<DerivedVariable name="a{i + 1}" value="a{i}+a{i}"/>' for i in range(depth))
    model = document(BOMB.format(rows=rows, n=depth))
    with pytest.raises(UnsupportedError, match=code):
        lower(model, resolve(model, "q:c/k"))
