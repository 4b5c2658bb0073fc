"""Point cells: equations against the formulas of the core types, firing against closed forms."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log

import pytest

from nmlopt.errors import UnsupportedError
from nmlopt.ir.lower import lower
from nmlopt.ir.model import MechanismKind
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Num


@pytest.fixture
def point(document, interpreter):
    """The mechanism of a point cell, and its names at given states and inputs with the derivatives as d<state>."""

    def make(xml: str):
        cell = lower(document(xml))
        (mechanism,) = cell.mechanisms
        (placement,) = cell.placements
        assert (mechanism.kind, cell.geometry, placement.compartments) == (MechanismKind.POINT_CELL, None, (0,))
        system = interpreter(cell)

        def at(**known: float) -> dict[str, float]:
            names = system.variables(placement, known)
            slopes = system.derivatives(placement, names)
            return {**names, **{f"d{name}": slope for name, slope in slopes.items()}}

        return cell, mechanism, at, system.initial(placement, {"iSyn": 0.0, "ISyn": 0.0, "t": 0.0})

    return make


IZH = """<izhikevich2007Cell id="c" v0="-60mV" C="100 pF" k="0.7 nS_per_mV" vr="-60 mV" vt="-40 mV" vpeak="35 mV"
  a="0.03 per_ms" b="-2 nS" c="-50 mV" d="100 pA"/>"""


def test_izhikevich2007(point) -> None:
    cell, mechanism, at, start = point(IZH)
    assert start == {"v": -0.06, "u": 0.0}
    names = at(v=-0.05, u=2e-11, iSyn=1e-10)
    assert names["dv"] == pytest.approx((7e-7 * 0.01 * -0.01 + 1e-10 - 2e-11) / 1e-10, rel=1e-12)
    assert names["du"] == pytest.approx(30 * (-2e-9 * 0.01 - 2e-11), rel=1e-12)
    (event,) = mechanism.dynamics.conditions
    assert event.emits_spike
    assert [name for name, _ in event.assignments] == ["v", "u"]
    assert evaluate(event.test, {"v": 0.0351}) == 1.0
    assert cell.point_capacitance == Num(1e-10)


def test_every_number_of_izhikevich2007_is_bindable(document) -> None:
    from nmlopt.document.paths import listing
    from nmlopt.ir.lower import classify

    model = document(IZH)
    addresses = listing(model)
    assert len(addresses) == 10
    assert set(classify(model, addresses).values()) == {"bindable"}
    cell = lower(model, addresses)
    assert evaluate(cell.point_capacitance, {}, [s.unit.to_si(s.default) for s in cell.slots]) == 1e-10


def test_izhikevich(point) -> None:
    cell, _, at, start = point('<izhikevichCell id="c" v0="-70mV" thresh="30mV" a="0.02" b="0.2" c="-50.0" d="2"/>')
    assert start == {"v": -0.07, "U": pytest.approx(-14)}
    names = at(v=-0.05, U=-10.0, ISyn=3.0)
    assert names["dv"] == pytest.approx(0.04 * 2500 - 250 + 140 + 10 + 3, rel=1e-12)
    assert names["dU"] == pytest.approx(0.02 * (0.2 * -50 + 10) * 1e3, abs=1e-9)
    assert cell.point_capacitance is None


def test_adex_has_regimes(point) -> None:
    cell, mechanism, at, start = point(
        """<adExIaFCell id="c" C="281pF" gL="30nS" EL="-70.6mV" reset="-48.5mV" VT="-50.4mV" thresh="-40.4mV"
        refract="2ms" delT="2mV" tauw="40ms" a="4nS" b="0.08nA"/>"""
    )
    assert start == {"v": pytest.approx(-0.0706), "w": 0.0, "lastSpikeTime": 0.0}
    names = at(v=-0.05, w=1e-11, lastSpikeTime=0.0, iSyn=2e-10, t=0.0)
    assert names["iMemb"] == pytest.approx(
        -3e-8 * 0.0206 + 3e-8 * 0.002 * exp(0.0004 / 0.002) - 1e-11 + 2e-10, rel=1e-9
    )
    by_name = {r.name: r for r in mechanism.dynamics.regimes}
    assert [r.name for r in mechanism.dynamics.regimes if r.is_initial] == ["integrating"]
    assert [n for n, _ in by_name["refractory"].derivatives] == ["w"]
    assert [n for n, _ in by_name["integrating"].derivatives] == ["v", "w"]
    assert [n for n, _ in by_name["refractory"].on_entry] == ["lastSpikeTime", "v", "w"]
    assert [(c.regime, c.next_regime, c.emits_spike) for c in mechanism.dynamics.conditions] == [
        ("refractory", "integrating", False),
        ("integrating", "refractory", True),
    ]
    assert cell.point_capacitance == Num(281 / 1e12)


def test_fitzhugh_nagumo_in_seconds_and_milliseconds(point) -> None:
    _, _, at, start = point('<fitzHughNagumoCell id="c" I="0.8"/>')
    assert start == {"V": 0.0, "W": 0.0}
    names = at(V=1.5, W=0.3)
    assert names["dV"] == pytest.approx(1.5 - 1.5**3 / 3 - 0.3 + 0.8)
    assert names["dW"] == pytest.approx(0.08 * (1.5 + 0.7 - 0.24))
    _, _, at, start = point('<fitzHughNagumo1969Cell id="c" I="0.8" a="0.7" b="0.8" phi="0.08" V0="-1" W0="0.1"/>')
    assert start == {"V": -1.0, "W": 0.1}
    names = at(V=1.5, W=0.3)
    assert names["dV"] == pytest.approx((1.5 - 1.5**3 / 3 - 0.3 + 0.8) * 1e3)
    assert names["dW"] == pytest.approx(0.08 * (1.5 + 0.7 - 0.24) * 1e3)


PINSKY = """<pinskyRinzelCA3Cell id="c" iSoma="0.75 uA_per_cm2" iDend="0 uA_per_cm2" gc="2.1 mS_per_cm2"
  gLs="0.1 mS_per_cm2" gLd="0.1 mS_per_cm2" gNa="30 mS_per_cm2" gKdr="15 mS_per_cm2" gCa="10 mS_per_cm2"
  gKahp="0.8 mS_per_cm2" gKC="15 mS_per_cm2" gNmda="0 mS_per_cm2" gAmpa="0 mS_per_cm2" eNa="60 mV" eCa="80 mV"
  eK="-75 mV" eL="-60 mV" qd0="0" pp="0.5" alphac="2" betac="0.1" cm="3 uF_per_cm2"/>"""


def test_pinsky_rinzel(point) -> None:
    _, mechanism, at, start = point(PINSKY)
    assert start["Vs"] == start["Vd"] == -0.06
    states = dict.fromkeys(start, 0.1) | {"Vs": -0.05, "Vd": -0.055}
    names = at(**states)
    am = 0.32 * (-46.9 + 50) / (exp((-46.9 + 50) / 4) - 1)
    bm = 0.28 * (-50 + 19.9) / (exp((-50 + 19.9) / 5) - 1)
    m = am / (am + bm)
    current = -1 * 0.01 - 300 * m**2 * 0.1 * (-0.11) - 150 * 0.1 * 0.025 + 42 * -0.005 + 0.015
    assert names["dVs"] == pytest.approx(current / 0.03, rel=1e-9)
    assert names["dSi"] == pytest.approx(-0.1 / 150)
    assert dict(mechanism.dynamics.exposures)["v"] == "Vs"
    for singular in (-0.0469, -0.0199, -0.0249, -0.0089):
        assert all(abs(value) < 1e9 for value in at(**states | {"Vs": singular, "Vd": singular}).values())


def test_cells_with_populations_are_one_mechanism(point) -> None:
    gate = """<gateHHrates id="m" instances="3"><forwardRate type="HHExpRate" rate="1per_ms" midpoint="-40mV"
      scale="10mV"/><reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/></gateHHrates>"""
    channel = f'<ionChannelHH id="na" conductance="10pS" species="na">{gate}</ionChannelHH>'
    _, mechanism, at, start = point(
        f"""{channel}<ionChannelPassive id="pas" conductance="20pS"/>
        <pointCellCondBased id="c" C="10pF" v0="-65mV" thresh="20mV">
        <channelPopulation id="leak" ionChannel="pas" number="300" erev="-54.3mV"/>
        <channelPopulation id="naChans" ionChannel="na" number="120000" erev="50mV"/></pointCellCondBased>"""
    )
    a, b = 1000 * exp(-2.5), 4000.0
    assert start == {"v": -0.065, "spiking": 0.0, "naChans_m_q": pytest.approx(a / (a + b))}
    names = at(v=-0.065, spiking=0.0, naChans_m_q=0.2, iSyn=1e-11)
    current = 6e-9 * (-0.0543 + 0.065) + 1.2e-6 * 0.008 * 0.115 + 1e-11
    assert names["dv"] == pytest.approx(current / 1e-11, rel=1e-9)
    assert names["dnaChans_m_q"] == pytest.approx(a * 0.8 - b * 0.2)
    assert ("naChans/m/q", "naChans_m_q") in mechanism.dynamics.exposures


def test_custom_cell_inherits_parameters_and_fixes_one(point) -> None:
    _, _, at, start = point(
        """<ComponentType name="quad" extends="baseCellMembPotCap"><Parameter name="g" dimension="conductance"/>
        <Parameter name="E" dimension="voltage"/><Constant name="VS" dimension="voltage" value="1 mV"/>
        <Attachments name="synapses" type="basePointCurrent"/>
        <Dynamics><StateVariable name="v" exposure="v" dimension="voltage"/>
        <DerivedVariable name="iSyn" dimension="current" select="synapses[*]/i" reduce="add"/>
        <TimeDerivative variable="v" value="(g*(E - v)*((v - E)/VS)^2 + iSyn)/C"/>
        <OnStart><StateAssignment variable="v" value="E"/></OnStart></Dynamics></ComponentType>
        <ComponentType name="quad10" extends="quad"><Fixed parameter="g" value="10 nS"/></ComponentType>
        <quad10 id="c" C="1 pF" E="-70 mV"/>"""
    )
    assert start == {"v": -0.07}
    assert at(v=-0.06, iSyn=5e-12)["dv"] == pytest.approx((1e-8 * -0.01 * 100 + 5e-12) / 1e-12)


TAU = 'leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"'
LEAK = 'leakConductance="0.2nS" leakReversal="-53mV" C="3.2pF" thresh="-55mV" reset="-70mV"'


@pytest.mark.parametrize(
    ("xml", "interval_ms"),
    [
        (f'<iafTauCell id="c" {TAU}/>', 30 * log(20 / 5)),
        (f'<iafTauRefCell id="c" {TAU} refract="5ms"/>', 30 * log(20 / 5) + 5),
        (f'<iafCell id="c" {LEAK}/>', 16 * log(17 / 2)),
        (f'<iafRefCell id="c" {LEAK} refract="5ms"/>', 16 * log(17 / 2) + 5),
    ],
)
def test_integrate_and_fire_intervals(document, interpreter, xml: str, interval_ms: float) -> None:
    """Forward Euler at 5 us: the interval is within a few steps of the closed form."""
    cell = lower(document(xml))
    spikes = fire(cell, interpreter(cell), duration=0.15, dt=5e-6)
    intervals = [(b - a) * 1e3 for a, b in pairwise(spikes)]
    assert len(intervals) >= 2
    assert intervals[1:] == pytest.approx([interval_ms] * len(intervals[1:]), abs=0.02)


def fire(cell, system, duration: float, dt: float) -> list[float]:
    """Spike times (s) of a point cell by forward Euler, events and regimes by their definition."""
    (mechanism,), (placement,) = cell.mechanisms, cell.placements
    dynamics = mechanism.dynamics
    inputs = {"iSyn": 0.0, "t": 0.0}
    states = system.initial(placement, inputs)
    regime = next((r for r in dynamics.regimes if r.is_initial), None)
    spikes = []
    for step in range(1, int(duration / dt)):
        names = system.variables(placement, {**inputs, **states})
        slopes = system.derivatives(placement, names)
        slopes |= {n: evaluate(e, names) for n, e in (regime.derivatives if regime else ())}
        states = {n: v + dt * slopes.get(n, 0.0) for n, v in states.items()}
        inputs["t"] = step * dt
        names = system.variables(placement, {**inputs, **states})
        for condition in dynamics.conditions:
            if condition.regime not in ("", regime.name if regime else "") or not evaluate(condition.test, names):
                continue
            if condition.emits_spike:
                spikes.append(inputs["t"])
            states |= {n: evaluate(e, names) for n, e in condition.assignments}
            if condition.next_regime:
                regime = next(r for r in dynamics.regimes if r.name == condition.next_regime)
                states |= {n: evaluate(e, names) for n, e in regime.on_entry}
                break
    return spikes


@pytest.mark.parametrize(
    ("body", "component", "code"),
    [
        ("", None, "I001"),
        (IZH + IZH.replace('id="c"', 'id="e"'), None, "I002"),
        (IZH, "d", "I003"),
        (IZH.replace('vt="-40 mV"', ""), None, "L030"),
        (IZH.replace('"35 mV"', '"35 mS"'), None, "L031"),
        (IZH.replace('"35 mV"', '"35 mw"'), None, "U002"),
        (IZH.replace("izhikevich2007Cell", "fancyCell"), None, "I001"),
        ('<ComponentType name="old" extends="baseCell"><Behavior/></ComponentType><old id="c"/>', "c", "I007"),
    ],
)
def test_faults(document, body: str, component: str | None, code: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        lower(document(body), component=component)
    assert [i.code for i in caught.value.issues] == [code]


def test_the_cell_of_a_network_is_taken(document) -> None:
    network = '<network id="n1"><population id="p" component="e" size="1"/></network>'
    assert lower(document(IZH + IZH.replace('id="c"', 'id="e"') + network)).id == "e"
