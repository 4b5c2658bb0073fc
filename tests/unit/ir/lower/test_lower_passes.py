"""Fast and guarded forms against the general ones, at random points; proofs that cases cover everything."""

from __future__ import annotations

import random
from math import isnan

import pytest

from nmlopt.ir import passes
from nmlopt.ir.coverage import is_covered
from nmlopt.ir.guard import guard_singularities, rates_form
from nmlopt.ir.lower import lower
from nmlopt.lems.parse import parse
from nmlopt.lems.resolve import components

RATE = '<{side}Rate type="{kind}" rate="{rate}per_ms" midpoint="{mid}mV" scale="{scale}mV"/>'
KINDS = ("HHExpRate", "HHSigmoidRate", "HHExpLinearRate")


def channel(drawn: random.Random) -> str:
    """A channel of two gates with drawn rates, one of them scaled by temperature."""
    gates = []
    for name in ("m", "h"):
        rates = "".join(
            RATE.format(
                side=side,
                kind=drawn.choice(KINDS),
                rate=round(drawn.uniform(0.1, 5), 3),
                mid=round(drawn.uniform(-70, -20), 2),
                scale=drawn.choice([-1, 1]) * round(drawn.uniform(5, 20), 2),
            )
            for side in ("forward", "reverse")
        )
        scaling = '<q10Settings type="q10Fixed" fixedQ10="2.3"/>' if drawn.random() < 0.5 else ""
        gates.append(f'<gateHHrates id="{name}" instances="2">{scaling}{rates}</gateHHrates>')
    return f'<ionChannelHH id="x" conductance="1pS">{"".join(gates)}</ionChannelHH>'


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kept", [(), (guard_singularities,), (rates_form,)])
def test_passes_change_no_value(cell_document, interpreter, monkeypatch, seed: int, kept) -> None:
    drawn = random.Random(seed)
    document = cell_document(channel(drawn))
    fast = interpreter(lower(document))
    monkeypatch.setattr(passes, "FLAT_PASSES", kept)
    plain = interpreter(lower(document))
    assert kept or fast.cell.mechanisms != plain.cell.mechanisms
    for _ in range(50):
        known = {"v": drawn.uniform(-0.1, 0.05), "m_q": drawn.random(), "h_q": drawn.random()}
        results = []
        for system in (fast, plain):
            (placement,) = system.cell.placements
            names = system.variables(placement, known)
            start = system.initial(placement, known)
            results.append(
                {
                    **system.derivatives(placement, names),
                    "i": names["iDensity"],
                    **{"0" + n: s for n, s in start.items()},
                }
            )
        scale = max(abs(v) for v in results[1].values())
        assert results[0] == pytest.approx(results[1], rel=1e-12, abs=1e-12 * scale)


CORE = [
    ("permeability", '<channelDensityGHK id="d" ionChannel="x" ion="ca" permeability="1e-5 cm_per_s"/>'),
    ("condDensity", '<channelDensityGHK2 id="d" ionChannel="x" ion="ca" condDensity="1 S_per_m2"/>'),
]


@pytest.mark.parametrize(("_name", "density"), CORE)
def test_ghk_guard_changes_no_value(cell_document, interpreter, monkeypatch, _name: str, density: str) -> None:
    channels = """<ionChannelPassive id="x" conductance="1pS"/><fixedFactorConcentrationModel id="pool" ion="ca"
      restingConc="1e-6 mM" decayConstant="10 ms" rho="3e-4 mol_per_m_per_A_per_s"/>"""
    species = """<species id="ca" ion="ca" concentrationModel="pool" initialConcentration="2e-5 mM"
      initialExtConcentration="2 mM"/>"""
    document = cell_document(channels, density, species)
    guarded = interpreter(lower(document))
    monkeypatch.setattr(passes, "FLAT_PASSES", ())
    plain = interpreter(lower(document))

    def current(system, v: float) -> float:
        placement = next(p for p in system.cell.placements if p.id == "d")
        return system.variables(placement, {"v": v, "caConc": 3e-4})["iDensity"]

    for v in (-0.09, -0.021, 0.004, 0.05):
        assert current(guarded, v) == pytest.approx(current(plain, v), rel=1e-12)
    assert not isnan(current(guarded, 0.0))
    for v in (1e-14, -1e-11, 1e-9):
        assert current(guarded, v) == pytest.approx(current(guarded, 0.0), rel=1e-6)


@pytest.mark.parametrize(
    ("tests", "covered"),
    [
        (["x .neq. 0", "x .eq. 0"], True),
        (["x .gt. 0", "x .leq. 0"], True),
        (["x .gt. 0", "0 .geq. x"], True),
        (["x .lt. 0", "x .gt. 0"], False),
        (["x .lt. 0", "x .gt. 0", "x .eq. 0"], True),
        (["x .lt. -50", "x .geq. -50 .and. x .lt. 0", "x .geq. 0"], True),
        (["x .lt. -50", "x .geq. -50 .and. x .lt. 0", "x .gt. 0"], False),
        (["x .lt. -50", "x .gt. -60"], True),
        (["x .lt. -60", "x .gt. -50"], False),
        (["x .lt. a", "x .geq. a"], True),
        (["x .lt. a", "x .geq. b"], False),
        (["x+1 .lt. 0", "x+1 .geq. 0"], True),
        (["x .lt. 0", "y .geq. 0"], False),
        (["x .lt. 0 .or. y .lt. 0", "x .geq. 0 .and. y .geq. 0"], True),
        (["x .leq. (-10)", "x .gt. -10"], True),
        (["1 .gt. 0"], False),
    ],
)
def test_coverage(tests: list[str], covered: bool) -> None:
    assert is_covered([parse(t) for t in tests]) is covered


GAP = """<ComponentType name="t_gap" extends="baseVoltageDepVariable">
  <Constant name="VS" dimension="voltage" value="1 mV"/><Dynamics>
  <ConditionalDerivedVariable name="x" dimension="none" exposure="x"><Case condition="v/VS .lt. -50" value="0.1"/>
  <Case condition="v/VS .gt. {second}" value="0.5"/></ConditionalDerivedVariable></Dynamics></ComponentType>
  <ionChannel id="x" conductance="1pS"><gateHHInstantaneous id="m" instances="1"><steadyState type="t_gap"/>
  </gateHHInstantaneous></ionChannel>"""


def test_cases_with_a_gap_are_refused_by_file_and_line(cell_document) -> None:
    from nmlopt.errors import UnsupportedError

    with pytest.raises(UnsupportedError) as caught:
        lower(cell_document(GAP.format(second="-50")))
    (issue,) = caught.value.issues
    assert (issue.code, issue.where) == ("I011", "model.nml:3")
    assert lower(cell_document(GAP.format(second="-51")))


@pytest.mark.parametrize(
    ("second", "use"),
    [
        ('condition="v/VS .gt. -51"', {"structural"}),  # moved alone it could leave a gap
        ("", {"bindable"}),
        ('condition="v/VS .geq. V0"', {"bindable"}),
    ],
)
def test_thresholds_of_cases_can_be_slots_if_no_gap_can_open(cell_document, second: str, use: set[str]) -> None:
    from nmlopt.document.paths import listing
    from nmlopt.ir.lower import classify

    xml = GAP.replace('condition="v/VS .gt. {second}"', second)
    if "V0" in second:
        xml = xml.replace(".lt. -50", ".lt. V0").replace("<Dynamics>", '<Constant name="V0" value="-50"/><Dynamics>')
    document = cell_document(xml)
    free = [a for a in listing(document) if a.path.endswith("condition{1}") or "Constant:V0" in a.path]
    assert free
    assert set(classify(document, free).values()) == use


def test_unknown_names_are_reported_where_they_stand(cell_document) -> None:
    from nmlopt.errors import UnsupportedError

    body = GAP.replace('value="0.5"', 'value="0.5*nothing"').format(second="-51")
    with pytest.raises(UnsupportedError) as caught:
        lower(cell_document(body))
    (issue,) = caught.value.issues
    assert (issue.code, issue.where) == ("L013", "model.nml:4")
    assert "'nothing'" in issue.message


def test_circular_definitions_are_reported(cell_document) -> None:
    from nmlopt.errors import UnsupportedError

    body = GAP.replace('value="0.5"', 'value="x*0.5"').format(second="-51")
    with pytest.raises(UnsupportedError, match="L015"):
        lower(cell_document(body))


def test_components_know_their_types(cell_document) -> None:
    known = components(cell_document(GAP.format(second="-51")))
    assert known.types.get("t_gap").lineage == ("t_gap", "baseVoltageDepVariable")
    assert known.types.get("gateHHrates").extends("baseGate")
