"""Densities, populations, pools and passive properties of a cell, against the formulas of the core types."""

from __future__ import annotations

from math import exp, log

import pytest

from nmlopt.errors import UnsupportedError
from nmlopt.ir.digest import structure_digest
from nmlopt.ir.lower import lower
from nmlopt.ir.model import MechanismKind
from nmlopt.lems.expression import Num

V, T = -0.03, 290.0
R, F = 8.3144621, 96485.3
OPEN = '<ionChannelPassive id="x" conductance="10pS"/>'
POOL = """<fixedFactorConcentrationModel id="pool" ion="ca" restingConc="1e-6 mM" decayConstant="10 ms"
  rho="3e-4 mol_per_m_per_A_per_s"/>"""
SPECIES = """<species id="ca" ion="ca" concentrationModel="pool" initialConcentration="2e-5 mM"
  initialExtConcentration="2 mM"/>"""
CA = {"v": V, "caConc": 5e-5}


def density(kind: str, more: str) -> str:
    return f'<{kind} id="d" ionChannel="x" ion="ca" {more}/>'


@pytest.fixture
def current(cell_document, interpreter):
    """iDensity of one density of an always open channel."""

    def run(xml: str, names=CA, species: str = SPECIES) -> float:
        cell = lower(cell_document(OPEN + POOL, xml, species))
        system = interpreter(cell, temperature=T)
        placement = next(p for p in cell.placements if p.id == "d")
        mechanism = cell.mechanism(placement.mechanism)
        assert mechanism.kind is MechanismKind.DENSITY
        return system.variables(placement, names)[mechanism.current]

    return run


NERNST = R * T / (2 * F) * log(2 / 5e-5)
GHK = 'permeability="3e-5 cm_per_s"'


def test_ohmic(current) -> None:
    assert current(density("channelDensity", 'condDensity="2 mS_per_cm2" erev="-77 mV"')) == pytest.approx(
        20 * (-0.077 - V), rel=1e-12
    )


def test_nernst(current) -> None:
    xml = density("channelDensityNernst", 'condDensity="2 S_per_m2"')
    assert current(xml) == pytest.approx(2 * (NERNST - V), rel=1e-12)


def test_nernst_without_species_is_no_current(current) -> None:
    assert current(density("channelDensityNernst", 'condDensity="2 S_per_m2"'), {"v": V}, "") == 0.0


@pytest.mark.parametrize("v", [-0.08, -1e-9, 0.0, 1e-15, 0.02])
def test_ghk_also_where_the_core_type_is_not_a_number(current, v: float) -> None:
    k = 2 * F / (R * T)
    exact = -3e-7 * 2 * F * (k * v) * (5e-5 - 2 * exp(-k * v)) / (1 - exp(-k * v)) if abs(v) > 1e-6 else None
    limit = -3e-7 * 2 * F * (5e-5 - 2)
    found = current(density("channelDensityGHK", GHK), {**CA, "v": v})
    assert found == pytest.approx(limit if exact is None else exact, rel=1e-9 if exact else 1e-5)


@pytest.mark.parametrize("v", [-0.08, 0.0, 0.02])
def test_ghk2(current, v: float) -> None:
    f = 25 * T / (293.15 * 2)
    nu = v * 1000 / f
    last = nu / (exp(nu) - 1) if nu else 1.0
    expected = 2 * f * 1e-3 * (1 - 5e-5 / 2 * exp(nu)) * last
    found = current(density("channelDensityGHK2", 'condDensity="2 S_per_m2"'), {**CA, "v": v})
    assert found == pytest.approx(expected, rel=1e-12)


def test_shift_reaches_the_rates(cell_document, interpreter) -> None:
    rate = """<ComponentType name="shifted" extends="baseVoltageDepVariable"><Requirement name="vShift"
      dimension="voltage"/><Constant name="VS" dimension="voltage" value="1 mV"/><Dynamics>
      <DerivedVariable name="x" dimension="none" exposure="x" value="1/(1+exp(-(v-vShift)/(5*VS)))"/></Dynamics>
      </ComponentType>"""
    gate = '<gateHHInstantaneous id="m" instances="1"><steadyState type="shifted"/></gateHHInstantaneous>'
    channel = f'<ionChannel id="x" conductance="1pS">{gate}</ionChannel>'
    shift = '<channelDensityVShift id="s" ionChannel="x" condDensity="1 S_per_m2" erev="0 mV" vShift="12 mV"/>'
    plain = '<channelDensity id="p" ionChannel="x" condDensity="1 S_per_m2" erev="0 mV"/>'
    cell = lower(cell_document(channel, shift + plain, other=rate))
    system = interpreter(cell)
    for placement, moved in zip(cell.placements, (0.012, 0.0), strict=True):
        names = system.variables(placement, {"v": V})
        assert names["iDensity"] == pytest.approx(-V / (1 + exp(-(V - moved) / 0.005)), rel=1e-12)


def test_population_is_an_absolute_current(cell_document, interpreter) -> None:
    xml = '<channelPopulation id="d" ionChannel="x" number="120" erev="10 mV"/>'
    cell = lower(cell_document(OPEN, xml))
    (mechanism,) = cell.mechanisms
    assert (mechanism.kind, mechanism.current) == (MechanismKind.POPULATION, "i")
    assert interpreter(cell).variables(cell.placements[0], {"v": V})["i"] == pytest.approx(120e-11 * (0.01 - V))


@pytest.mark.parametrize(
    ("pool", "slope"),
    [
        (POOL, 2e-12 / 1e-9 * 3e-4 - (5e-5 - 1e-6) / 0.01),
        (
            '<fixedFactorConcentrationModelTraub id="pool" species="ca" restingConc="0 mM" beta="0.075 per_ms" '
            'phi="52000 mol_per_m_per_A_per_s"/>',
            2e-12 / 1e-9 * 1e-9 * 52000 - 5e-5 * 75,
        ),
        (
            '<decayingPoolConcentrationModel id="pool" ion="ca" restingConc="1e-6 mM" decayConstant="10 ms" '
            'shellThickness="0.2 um"/>',
            None,
        ),
    ],
)
def test_pools(cell_document, interpreter, pool: str, slope: float | None) -> None:
    xml = density("channelDensityNernst", 'condDensity="2 S_per_m2"')
    cell = lower(cell_document(OPEN + pool, xml, SPECIES))
    placement = next(p for p in cell.placements if p.id == "ca")
    mechanism = cell.mechanism(placement.mechanism)
    assert (mechanism.kind, mechanism.ion) == (MechanismKind.POOL, "ca")
    system = interpreter(cell)
    inputs = {"iCa": 2e-12, "surfaceArea": 1e-9}
    assert system.initial(placement, inputs) == {"concentration": 2e-5, "extConcentration": 2.0}
    names = system.variables(placement, {**inputs, "concentration": 5e-5, "extConcentration": 2.0})
    if slope is None:
        r = (1e-9 / (4 * 3.14159)) ** 0.5
        shell = 4 / 3 * 3.14159 * (r**3 - (r - 2e-7) ** 3)
        slope = 2e-12 / (2 * F * shell) - (5e-5 - 1e-6) / 0.01
    assert system.derivatives(placement, names) == {"concentration": pytest.approx(slope, rel=1e-12)}
    (clip,) = mechanism.dynamics.conditions
    assert clip.assignments == (("concentration", Num(0.0)),)


def test_sk_channel_of_the_reference_at_50_nanomolar(cell_document, interpreter) -> None:
    other = """<ComponentType name="z_inf" extends="baseVoltageConcDepVariable">
      <Constant name="CONC_SCALE" dimension="concentration" value="1 mol_per_cm3"/><Dynamics>
      <DerivedVariable name="ca" dimension="none" value="caConc/CONC_SCALE"/>
      <DerivedVariable name="x" dimension="none" exposure="x" value="1/(1 + (4.3e-10/ca)^4.8)"/></Dynamics>
      </ComponentType>"""
    gate = """<gateHHtauInf id="z" instances="1"><timeCourse type="fixedTimeCourse" tau="1ms"/>
      <steadyState type="z_inf"/></gateHHtauInf>"""
    channel = f'<ionChannelHH id="x" conductance="10pS" species="k">{gate}</ionChannelHH>'
    cell = lower(cell_document(channel + POOL, species=SPECIES, other=other))
    system = interpreter(cell)
    placement = next(p for p in cell.placements if p.id == "d")
    assert cell.mechanism(placement.mechanism).dynamics.inputs == ("v", "caConc")
    assert system.initial(placement, CA) == {"z_q": pytest.approx(3.2688e-5, rel=1e-4)}  # jNeuroML's own mod prints it


TWO = """<channelDensity id="a" ionChannel="x" condDensity="1 S_per_m2" erev="-70 mV"/>
  <channelDensity id="b" ionChannel="x" condDensity="3 S_per_m2" erev="-80 mV"/>"""


def test_overlapping_densities_of_a_channel_both_exist(cell_document) -> None:
    cell = lower(cell_document(OPEN, TWO))
    assert [p.mechanism for p in cell.placements] == ["x", "x_2"]
    assert cell.mechanisms[0].dynamics == cell.mechanisms[1].dynamics
    assert dict(cell.placements[1].values) == {"condDensity": Num(3.0), "erev": Num(-0.08)}


def test_digest_sees_structure_only(cell_document, document) -> None:
    from nmlopt.document.edit import Edit, apply
    from nmlopt.document.paths import resolve
    from nmlopt.units import Quantity

    base = cell_document(OPEN, TWO)
    path = resolve(base, "channelDensity:a/erev")
    other = apply(base, [Edit(path[0].path, Quantity(-60.0, "mV"))])
    again = resolve(other, "channelDensity:a/erev")
    assert structure_digest(lower(base, path)) == structure_digest(lower(other, again))
    assert structure_digest(lower(base)) != structure_digest(lower(base, path))
    assert structure_digest(lower(base)) != structure_digest(lower(other))


def test_properties_missing_somewhere_are_reported_together(document) -> None:
    body = """<ionChannelPassive id="x" conductance="1 pS"/><cell id="c"><morphology id="m">
      <segment id="0"><proximal x="0" y="0" z="0" diameter="1"/><distal x="9" y="0" z="0" diameter="1"/></segment>
      <segment id="1"><parent segment="0"/><distal x="20" y="0" z="0" diameter="1"/></segment>
      </morphology><biophysicalProperties id="b"><membraneProperties>
      <channelDensity id="a" ionChannel="nope" condDensity="1 S_per_m2" erev="-70 mV"/>
      <channelDensity id="e" ionChannel="x" condDensity="1 mV" erev="-70 mV"/>
      <channelDensity id="f" ionChannel="x" condDensity="1 S_per_m2"/>
      <channelDensity id="g" ionChannel="x" condDensity="1 S_per_m2" erev="-70 mV" segmentGroup="sma"/>
      <gapJunctionDensity id="h"/>
      </membraneProperties><intracellularProperties/></biophysicalProperties></cell>"""
    with pytest.raises(UnsupportedError) as caught:
        lower(document(body))
    assert {i.code for i in caught.value.issues} >= {"L020", "L031", "L030", "I030", "I006"}
    assert all(i.where.startswith("model.nml:") for i in caught.value.issues)


def test_initial_voltage_defaults_where_the_document_states_none(document) -> None:
    body = """<cell id="c"><morphology id="m"><segment id="0"><proximal x="0" y="0" z="0" diameter="1"/>
      <distal x="9" y="0" z="0" diameter="1"/></segment></morphology><biophysicalProperties id="b">
      <membraneProperties><specificCapacitance value="1 uF_per_cm2"/></membraneProperties>
      </biophysicalProperties></cell>"""
    cell = lower(document(body))
    assert [(a.value, a.compartments) for a in cell.initial_v] == [(Num(-0.065), (0,))]


def test_parts_of_a_cell_may_stand_outside(document) -> None:
    body = """<morphology id="m"><segment id="0"><proximal x="0" y="0" z="0" diameter="1"/>
      <distal x="9" y="0" z="0" diameter="1"/></segment></morphology><biophysicalProperties id="b">
      <membraneProperties><specificCapacitance value="2 uF_per_cm2"/></membraneProperties>
      </biophysicalProperties><cell id="c" morphology="m" biophysicalProperties="b"/>"""
    assert lower(document(body)).capacitance[0].value == Num(0.02)
