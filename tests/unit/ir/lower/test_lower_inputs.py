"""Inputs and synapses as equations: events, relays, children, conditions, what belongs to the attachment."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from nmlopt.document.model import Document
from nmlopt.document.paths import listing, resolve
from nmlopt.errors import PathError, UnsupportedError
from nmlopt.ir.digest import structure_digest
from nmlopt.ir.lower import classify, lower
from nmlopt.ir.model import Cell, Mechanism, MechanismKind
from nmlopt.lems.evaluate import evaluate

CELL = '<iafTauCell id="c" leakReversal="-50 mV" thresh="-55 mV" reset="-70 mV" tau="30 ms"/>'
PLASTIC = """
  <blockingPlasticSynapse id="plastic" gbase="2 nS" tauRise="1 ms" tauDecay="4 ms" erev="0 mV">
    <plasticityMechanism type="tsodyksMarkramDepFacMechanism" initReleaseProb="0.5" tauRec="120 ms" tauFac="10 ms"/>
    <blockMechanism type="voltageConcDepBlockMechanism" species="mg" blockConcentration="1.2 mM"
      scalingConc="1.92 mM" scalingVolt="16 mV"/>
  </blockingPlasticSynapse>"""
ONE = '<expOneSynapse id="one" gbase="3 nS" erev="10 mV" tauDecay="5 ms"/>'
FACTOR = 1.0 / (math.exp(-math.log(4) / 3) - math.exp(-4 * math.log(4) / 3))


@pytest.fixture
def lowered(document: Callable[[str], Document]) -> Callable[..., Cell]:
    return lambda body, *inputs: lower(document(CELL + body), inputs=inputs)


class Run:
    """An input mechanism with its states and inputs: what an event does, what the current is."""

    def __init__(self, mechanism: Mechanism, **inputs: float) -> None:
        self.dynamics = mechanism.dynamics
        self.current = mechanism.current
        self.names: dict[str, float] = {"weight": 1.0, "v": -0.065, "t": 0.0, **inputs}
        for state in self.dynamics.states:
            self.names[state.name] = float(evaluate(state.initial, self.names))
        self.update()

    def update(self) -> None:
        for assigned in self.dynamics.assigned:
            self.names[assigned.name] = float(evaluate(assigned.value, self.names))

    def event(self) -> None:
        """All from the variables before it, states one after the other."""
        for name, value in self.dynamics.events[0].assignments:
            self.names[name] = float(evaluate(value, self.names))
        self.update()

    def at(self, t: float) -> float:
        self.names["t"] = t
        for condition in self.dynamics.conditions:
            if evaluate(condition.test, self.names):
                for name, value in condition.assignments:
                    self.names[name] = float(evaluate(value, self.names))
        self.update()
        return self.names[self.current]


def test_an_event_raises_the_conductance_by_its_weight(lowered) -> None:
    cell = lowered(ONE, "one")
    mechanism = cell.input_mechanism("one")
    assert (mechanism.kind, mechanism.component, mechanism.current) == (MechanismKind.INPUT, "one", "i")
    assert not any(p.mechanism == mechanism.name for p in cell.placements)
    run = Run(mechanism, weight=2.0, v=-0.04)
    assert run.names["i"] == 0.0
    run.event()
    assert run.names["i"] == pytest.approx(2.0 * 3e-9 * (0.01 + 0.04))
    assert dict(mechanism.dynamics.exposures).keys() >= {"i", "g"}
    assert [e.port for e in mechanism.dynamics.events] == ["in"]


def test_an_event_reaches_the_plasticity_after_the_synapse(lowered) -> None:
    run = Run(lowered(PLASTIC, "plastic").input_mechanism("plastic"), weight=2.0)
    run.event()
    assert run.names["A"] == pytest.approx(2.0 * FACTOR * 0.5)  # R U of before the event
    assert run.names["plasticityMechanism_R"] == pytest.approx(0.5)
    assert run.names["plasticityMechanism_U"] == pytest.approx(0.75)
    run.event()
    assert run.names["A"] == pytest.approx(2.0 * FACTOR * (0.5 + 0.5 * 0.75))
    block = 1.0 / (1.0 + 1.2 / 1.92 * math.exp(0.065 / 0.016))
    assert run.names["blockMechanism_blockFactor"] == pytest.approx(block)


def test_a_double_synapse_hands_events_to_both_and_scales_their_sum(lowered) -> None:
    double = '<doubleSynapse id="d" synapse1="one" synapse1Path="./one" synapse2="plastic" synapse2Path="./plastic"/>'
    mechanism = lowered(ONE + PLASTIC + double, "d").input_mechanism("d")
    run = Run(mechanism, weight=3.0, v=-0.04)
    run.event()
    assert run.names["one_g"] == pytest.approx(3e-9)  # the weight is that of the double synapse, not of its parts
    assert run.names["plastic_plasticityMechanism_R"] == pytest.approx(0.5)
    assert run.names["i"] == pytest.approx(3.0 * (3e-9 * 0.05 + run.names["plastic_i"]))
    assert dict(mechanism.dynamics.exposures).keys() >= {
        "i",
        "one/g",
        "plastic/g",
        "plastic/blockMechanism/blockFactor",
    }


def test_what_makes_its_own_spikes_takes_them_from_outside(lowered) -> None:
    body = ONE + (
        '<poissonFiringSynapse id="p" averageRate="50 Hz" synapse="one" spikeTarget="./one"/>'
        '<timedSynapticInput id="s" synapse="one" spikeTarget="./one"><spike id="0" time="3 ms"/></timedSynapticInput>'
    )
    for name in ("p", "s"):
        mechanism = lowered(body, name).input_mechanism(name)
        assert [s.name for s in mechanism.dynamics.states] == ["one_g"]  # no clock
        assert [e.port for e in mechanism.dynamics.events] == ["spike"]
        assert not mechanism.dynamics.conditions
        run = Run(mechanism, weight=2.0, v=-0.04)
        run.event()
        assert run.names["i"] == pytest.approx(2.0 * 3e-9 * 0.05)


@pytest.mark.parametrize(
    ("element", "values"),
    [
        ('<pulseGenerator id="x" delay="5 ms" duration="10 ms" amplitude="20 pA"/>', {4.9: 0, 5: 40, 14.9: 40, 15: 0}),
        (
            '<rampGenerator id="x" delay="5 ms" duration="10 ms" startAmplitude="10 pA" finishAmplitude="30 pA" '
            'baselineAmplitude="1 pA"/>',
            {4.9: 2, 5: 20, 10: 40, 15: 2},
        ),
        (
            '<sineGenerator id="x" phase="0" delay="5 ms" duration="10 ms" amplitude="20 pA" period="4 ms"/>',
            {4.9: 0, 6: 40, 8: -40, 15: 0},
        ),
        (
            '<compoundInput id="x"><pulseGenerator id="a" delay="5 ms" duration="10 ms" amplitude="20 pA"/>'
            '<pulseGenerator id="b" delay="10 ms" duration="10 ms" amplitude="5 pA"/></compoundInput>',
            {4.9: 0, 5: 40, 10: 50, 15: 10, 20: 0},
        ),
        (
            '<voltageClamp id="x" delay="5 ms" duration="10 ms" targetVoltage="-45 mV" '
            'simpleSeriesResistance="1000 Mohm"/>',
            {4.9: 0, 5: 40, 14.9: 40, 15.1: 0},
        ),
    ],
)
def test_generators(lowered, element: str, values: dict[float, float]) -> None:
    run = Run(lowered(element, "x").input_mechanism("x"), weight=2.0)
    for t_ms, wanted_pA in values.items():
        assert run.at(t_ms / 1e3) == pytest.approx(wanted_pA * 1e-12, rel=1e-6, abs=1e-19)


USER = """
  <ComponentType name="twice" extends="baseSynapse">
    <Property name="weight" dimension="none" defaultValue="1"/>
    <Parameter name="jump" dimension="current"/><Parameter name="tau" dimension="time"/>
    <ComponentReference name="partner" type="baseSynapse"/>
    <Requirement name="v" dimension="voltage"/>
    <EventPort name="onward" direction="out"/>
    <Dynamics>
      <StateVariable name="x" dimension="current"/><StateVariable name="count" dimension="none"/>
      <DerivedVariable name="other" dimension="current" select="partner/i"/>
      <DerivedVariable name="i" exposure="i" dimension="current" value="x + other"/>
      <TimeDerivative variable="x" value="-x / tau"/>
      <OnEvent port="in">
        <StateAssignment variable="count" value="count + 1"/><StateAssignment variable="x" value="x + weight * jump"/>
        <EventOut port="onward"/>
      </OnEvent>
    </Dynamics>
    <Structure>
      <ChildInstance component="partner"/>
      <With instance="this" as="a"/><With instance="partner" as="b"/><EventConnection from="a" to="b"/>
    </Structure>
  </ComponentType>
  <twice id="t" jump="7 pA" tau="2 ms" partner="one"/>"""


def test_a_synapse_of_the_users_own(lowered) -> None:
    mechanism = lowered(ONE + USER, "t").input_mechanism("t")
    run = Run(mechanism, weight=2.0, v=-0.04)
    run.event()
    assert run.names["i"] == pytest.approx(2.0 * 7e-12 + 3e-9 * 0.05)
    assert "count" not in {s.name for s in mechanism.dynamics.states}  # nothing reads it


def test_attributes_of_inputs_are_bindable(document) -> None:
    doc = document(CELL + ONE + PLASTIC)
    uses = classify(doc, listing(doc), inputs=("plastic",))
    bindable = {path.rsplit("/", 1)[1] for path, use in uses.items() if use == "bindable" and "plastic" in path}
    assert bindable == {
        *("gbase", "tauRise", "tauDecay", "erev", "initReleaseProb", "tauRec", "tauFac"),
        *("blockConcentration", "scalingConc", "scalingVolt"),
    }
    assert all(use == "unused" for path, use in uses.items() if "expOneSynapse:one" in path)
    with pytest.raises(PathError, match="P021"):
        lower(doc, resolve(doc, "expOneSynapse:one/gbase"), inputs=("plastic",))


def test_inputs_are_structure_and_their_numbers_are_not(document) -> None:
    doc = document(CELL + ONE)
    free = resolve(doc, "expOneSynapse:one/gbase")
    other = document(CELL + ONE.replace("3 nS", "4 nS"), "other.nml")
    plain, with_input = lower(doc), lower(doc, free, inputs=("one",))
    assert structure_digest(plain) != structure_digest(with_input)
    assert structure_digest(lower(other, resolve(other, free[0].path), inputs=("one",))) == structure_digest(with_input)


@pytest.mark.parametrize(
    ("body", "name", "code", "text"),
    [
        (ONE, "two", "I070", "there is no input 'two'"),
        (ONE, "c", "I070", "<iafTauCell> 'c' is no input current"),
        ('<spikeGenerator id="s" period="5 ms"/>', "s", "I070", "is no input current"),
        (
            '<doubleSynapse id="d" synapse1="one" synapse1Path="./gone" synapse2="one" synapse2Path="./one"/>' + ONE,
            "d",
            "L024",
            "leads to no component",
        ),
        (
            '<doubleSynapse id="d" synapse1="d" synapse1Path="./d" synapse2="d" synapse2Path="./d"/>',
            "d",
            "L0",
            "",
        ),
        ('<poissonFiringSynapse id="p" averageRate="50 Hz" synapse="gone" spikeTarget="./gone"/>', "p", "L020", "gone"),
        ('<gapJunction id="g" conductance="1 nS"/>', "g", "L0", "peer"),
    ],
)
def test_what_is_wrong_is_named(lowered, body: str, name: str, code: str, text: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        lowered(body, name)
    assert any(i.code.startswith(code) and text in i.message for i in caught.value.issues), caught.value
