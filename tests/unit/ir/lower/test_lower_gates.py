"""Every gate and scaling of the core types against its formula written out here (SI units)."""

from __future__ import annotations

from math import exp

import pytest

from nmlopt.ir.lower import lower

V = -0.041
T = 300.0

RATES = """<forwardRate type="HHExpRate" rate="2per_ms" midpoint="-40mV" scale="10mV"/>
<reverseRate type="HHSigmoidRate" rate="3per_ms" midpoint="-30mV" scale="-8mV"/>"""
LINEAR = """<forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
<reverseRate type="HHExpLinearRate" rate="4per_ms" midpoint="-41mV" scale="-9mV"/>"""
STEADY = '<steadyState type="HHSigmoidVariable" rate="1" midpoint="-50mV" scale="5mV"/>'
TIME = '<timeCourse type="fixedTimeCourse" tau="7ms"/>'
Q10 = '<q10Settings type="q10ExpTemp" q10Factor="2.5" experimentalTemp="20 degC"/>'
Q10_FIXED = '<q10Settings type="q10Fixed" fixedQ10="1.7"/>'

A = 2000 * exp((V + 0.04) / 0.01)
B = 3000 / (1 + exp(-(V + 0.03) / -0.008))
INF = 1 / (1 + exp(-(V + 0.05) / 0.005))
Q = 2.5 ** ((T - 293.15) / 10)


@pytest.fixture
def gate(cell_document, interpreter):
    """Initial value and derivative (at q = 0.3) of each state of a channel with one gate."""

    def run(xml: str, channel: str = "ionChannel"):
        cell = lower(cell_document(f'<{channel} id="x" conductance="10pS">{xml}</{channel}>'))
        system = interpreter(cell, temperature=T)
        (placement,) = cell.placements
        inputs = {"v": V, "caConc": 0.0}
        start = system.initial(placement, inputs)
        names = system.variables(placement, {**inputs, **dict.fromkeys(start, 0.3)})
        return start, system.derivatives(placement, names), names

    return run


@pytest.mark.parametrize(
    ("xml", "inf", "tau"),
    [
        (f'<gateHHrates id="m" instances="3">{RATES}</gateHHrates>', A / (A + B), 1 / (A + B)),
        (f'<gate type="gateHHrates" id="m" instances="3">{Q10}{RATES}</gate>', A / (A + B), 1 / ((A + B) * Q)),
        (
            f'<gateHHrates id="m" instances="3">{Q10}{Q10_FIXED}{RATES}</gateHHrates>',
            A / (A + B),
            1 / ((A + B) * Q * 1.7),
        ),
        (f'<gateHHtauInf id="m" instances="1">{Q10}{TIME}{STEADY}</gateHHtauInf>', INF, 0.007 / Q),
        (f'<gateHHratesTau id="m" instances="1">{RATES}{TIME}{Q10}</gateHHratesTau>', A / (A + B), 0.007 / Q),
        (f'<gateHHratesInf id="m" instances="1">{RATES}{STEADY}{Q10}</gateHHratesInf>', INF, 1 / ((A + B) * Q)),
        (
            f'<gateHHratesTauInf id="m" instances="1">{RATES}{STEADY}{TIME}{Q10_FIXED}</gateHHratesTauInf>',
            INF,
            0.007 / 1.7,
        ),
    ],
)
def test_gates_relax_to_inf_with_tau(gate, xml: str, inf: float, tau: float) -> None:
    start, slope, _ = gate(xml)
    assert start == {"m_q": pytest.approx(inf, rel=1e-12)}
    assert slope == {"m_q": pytest.approx((inf - 0.3) / tau, rel=1e-12)}


@pytest.mark.parametrize(("instances", "power"), [("1", 1), ("4", 4), ("2.0", 2), ("1.5", 1.5), ("20", 20)])
def test_current_is_density_times_power_of_the_gate(gate, instances: str, power: float) -> None:
    _, _, names = gate(f'<gateHHrates id="m" instances="{instances}">{RATES}</gateHHrates>')
    assert names["iDensity"] == pytest.approx(1.0 * 0.3**power * (0.05 - V), rel=1e-12)


def test_linear_rates_pass_smoothly_through_their_singularity(gate) -> None:
    _, slope, _ = gate(f'<gateHHrates id="m" instances="1">{LINEAR}</gateHHrates>')
    x = (V + 0.04) / 0.01
    a, b = 1000 * x / (1 - exp(-x)), 4000.0  # v stands on the midpoint of the reverse rate
    assert slope == {"m_q": pytest.approx(a * 0.7 - b * 0.3, rel=1e-12)}


def test_instantaneous_gate_has_no_state(gate) -> None:
    start, slope, names = gate(f'<gateHHInstantaneous id="m" instances="2">{STEADY}</gateHHInstantaneous>')
    assert start == slope == {}
    assert names["iDensity"] == pytest.approx(INF**2 * (0.05 - V), rel=1e-12)


def test_fractional_gate_sums_its_parts(gate) -> None:
    part = '<subGate id="{}" fractionalConductance="{}">{}{}</subGate>'
    parts = part.format("f", "0.25", STEADY, TIME) + part.format("s", "0.75", STEADY, TIME.replace("7ms", "70ms"))
    start, slope, names = gate(f'<gateFractional id="m" instances="2">{Q10}{parts}</gateFractional>')
    assert start == {"m_f_q": pytest.approx(INF), "m_s_q": pytest.approx(INF)}
    assert slope["m_s_q"] == pytest.approx((INF - 0.3) / (0.07 / Q), rel=1e-12)
    assert names["iDensity"] == pytest.approx(0.3**2 * (0.05 - V), rel=1e-12)


def test_conductance_scaling_multiplies_the_open_fraction(gate) -> None:
    scaling = '<q10ConductanceScaling q10Factor="1.5" experimentalTemp="22 degC"/>'
    _, _, names = gate(f'{scaling}<gateHHrates id="m" instances="1">{RATES}</gateHHrates>')
    assert names["iDensity"] == pytest.approx(1.5 ** ((T - 295.15) / 10) * 0.3 * (0.05 - V), rel=1e-12)


def test_scaling_is_not_applied_to_kinetic_channels(gate) -> None:
    """As the core types have it: ionChannelKS declares conductanceScaling, its Dynamics leaves it out."""
    scaling = '<q10ConductanceScaling q10Factor="1.5" experimentalTemp="22 degC"/>'
    states = '<closedState id="C"/><openState id="O"/>'
    steps = '<vHalfTransition id="t" from="C" to="O" vHalf="-20 mV" z="1.5" gamma="0.7" tau="3 ms" tauMin="0.1 ms"/>'
    _, _, names = gate(f'{scaling}<gateKS id="n" instances="1">{states}{steps}</gateKS>', "ionChannelKS")
    assert names["iDensity"] == pytest.approx(0.3 * (0.05 - V), rel=1e-12)


def test_kinetic_scheme(cell_document, interpreter) -> None:
    transitions = f"""
      <forwardTransition id="f" from="C1" to="C2">
        <rate type="HHExpRate" rate="2per_ms" midpoint="-40mV" scale="10mV"/></forwardTransition>
      <reverseTransition id="r" from="C1" to="C2">
        <rate type="HHExpRate" rate="1per_ms" midpoint="-40mV" scale="-10mV"/></reverseTransition>
      <vHalfTransition id="t" from="C2" to="O" vHalf="-20 mV" z="1.5" gamma="0.7" tau="3 ms" tauMin="0.1 ms"/>
      <tauInfTransition id="ti" from="O" to="O2">{TIME}{STEADY}</tauInfTransition>"""
    states = '<closedState id="C1"/><closedState id="C2"/><openState id="O"/><openState id="O2"/>'
    scheme_xml = f'<gateKS id="n" instances="1">{states}{transitions}</gateKS>'
    xml = f'<ionChannelKS id="x" conductance="1pS">{scheme_xml}</ionChannelKS>'
    cell = lower(cell_document(xml))
    system = interpreter(cell)
    (placement,) = cell.placements
    (scheme,) = cell.mechanisms[0].dynamics.kinetics
    occupancies = {"n_C1_occupancy": 0.1, "n_C2_occupancy": 0.2, "n_O_occupancy": 0.3, "n_O2_occupancy": 0.4}
    assert set(scheme.states) == set(occupancies)
    names = system.variables(placement, {"v": V, **occupancies})
    assert names["iDensity"] == pytest.approx(0.7 * (0.05 - V))
    from nmlopt.lems.evaluate import evaluate

    flows = {(t.source, t.target): [] for t in scheme.transitions}
    for t in scheme.transitions:
        flows[t.source, t.target].append((evaluate(t.forward, names), evaluate(t.reverse, names)))
    half = 1 / (0.003 / exp(1.5 * 0.7 * (V + 0.02) / 0.0253) + 1e-4)
    back = 1 / (0.003 / exp(-1.5 * 0.3 * (V + 0.02) / 0.0253) + 1e-4)
    assert flows["n_C1_occupancy", "n_C2_occupancy"] == [
        (pytest.approx(2000 * exp((V + 0.04) / 0.01)), 0.0),
        (0.0, pytest.approx(1000 * exp((V + 0.04) / -0.01))),
    ]
    assert flows["n_C2_occupancy", "n_O_occupancy"] == [(pytest.approx(half), pytest.approx(back))]
    assert flows["n_O_occupancy", "n_O2_occupancy"] == [(pytest.approx(INF / 0.007), pytest.approx((1 - INF) / 0.007))]


def test_a_derived_gate_with_dynamics_of_its_own_replaces_its_parents(cell_document, interpreter) -> None:
    """jLEMS replaces the block; pyLEMS would merge in the parent's state."""
    other = """<ComponentType name="instant" extends="gateHHtauInf"><Dynamics>
      <DerivedVariable name="inf" dimension="none" exposure="inf" select="steadyState/x"/>
      <DerivedVariable name="tau" dimension="time" exposure="tau" select="timeCourse/t"/>
      <DerivedVariable name="q" dimension="none" exposure="q" value="inf"/>
      <DerivedVariable name="fcond" dimension="none" exposure="fcond" value="q^instances"/>
    </Dynamics></ComponentType>"""
    gate = f'<gateHHtauInf type="instant" id="m" instances="1">{TIME}{STEADY}</gateHHtauInf>'
    cell = lower(cell_document(f'<ionChannel id="x" conductance="1pS">{gate}</ionChannel>', other=other))
    assert cell.mechanisms[0].dynamics.states == ()
    names = interpreter(cell).variables(cell.placements[0], {"v": V})
    assert names["iDensity"] == pytest.approx(INF * (0.05 - V), rel=1e-12)


def test_custom_rate_with_constants_and_cases(cell_document, interpreter) -> None:
    other = """<ComponentType name="tau_t" extends="baseVoltageDepTime">
      <Constant name="TS" dimension="time" value="1 ms"/><Constant name="VS" dimension="voltage" value="1 mV"/>
      <Dynamics><DerivedVariable name="V" dimension="none" value="v/VS"/>
      <ConditionalDerivedVariable name="t" dimension="time" exposure="t">
        <Case condition="V .lt. -50" value="(1 + exp(V/10))*TS"/>
        <Case condition="V .geq. -50 .and. V .lt. 0" value="(2 - V/10)*TS"/>
        <Case condition="V .geq. 0" value="2 * TS"/>
      </ConditionalDerivedVariable></Dynamics></ComponentType>"""
    gate = f'<gateHHtauInf id="m" instances="1"><timeCourse type="tau_t"/>{STEADY}</gateHHtauInf>'
    cell = lower(cell_document(f'<ionChannel id="x" conductance="1pS">{gate}</ionChannel>', other=other))
    for v, tau in [(-0.06, 1 + exp(-6)), (-0.05, 7.0), (-0.02, 4.0), (0.0, 2.0), (0.03, 2.0)]:
        system = interpreter(cell)
        names = system.variables(cell.placements[0], {"v": v, "m_q": 0.3})
        inf = 1 / (1 + exp(-(v + 0.05) / 0.005))
        assert system.derivatives(cell.placements[0], names)["m_q"] == pytest.approx((inf - 0.3) / tau * 1e3)
