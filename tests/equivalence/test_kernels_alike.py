"""The generic kernel gives the bits of compiled ones for user types that need each of its operations, in each layout.

Every function and operator of LEMS, choices within choices, states that move together, conditions, regimes, events at
several places with weights of their own, two pools; candidates that differ in numbers inside and beside the rates, and
one that fails among them. What conformance cases show of the published types is in test_both_kernels.py.
"""

from __future__ import annotations

from pathlib import Path

import lems_constructs
import numpy as np
import pytest
import tree_cell

from nmlopt.backend import Integrator, Recordings, Settings
from nmlopt.document.model import Document
from nmlopt.document.paths import listing
from nmlopt.document.read import read
from nmlopt.experiment.model import Attached, Experiment, Output, Pulse, Stimulus
from nmlopt.exporters import registry
from nmlopt.exporters.native.backend import layout_of
from nmlopt.exporters.native.source import Layout
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site

SOMA = Site(section=0, x=0.5, compartment=0)
INPUTS = ("user", "block", "pulse", "ramp")
SHAPES = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "sqrt", "ceil", "log", "abs", "H", "factorial")
COMPARED = ("gt", "lt", "geq", "leq", "eq", "neq")


def operations(x: str, own: str) -> str:
    """Variables that use all operations on `x`, which is about -1 to 1, and `own`; `all` is their sum."""
    found = [
        f'<DerivedVariable name="f{k}" dimension="none" value="{name}(2 + {x})"/>' for k, name in enumerate(SHAPES)
    ]
    found += [
        f'<ConditionalDerivedVariable name="c{k}" dimension="none"><Case condition="ceil(4*{x}) .{name}. -1" '
        f'value="f{k}*0.1"/><Case condition="{x} .gt. -0.3 .and. {own} .lt. 1 .or. ceil(3*{x}) .{name}. -2" '
        f'value="-{x}"/><Case condition=".not. ({x} .{name}. 0)" value="0.3"/><Case value="{own}/(3 + {x})"/>'
        "</ConditionalDerivedVariable>"
        for k, name in enumerate(COMPARED)
    ]
    powers = f"(2 + {x})^{own} - (0.5 + {x})^3 + H(ceil({x}))*abs({x}) - (0.1*{x} + 2)^(-2)"
    total = " + ".join([f"f{k}" for k in range(len(SHAPES))] + [f"c{k}" for k in range(len(COMPARED))])
    return "".join(found) + f'<DerivedVariable name="all" dimension="none" value="0.02*({total} + {powers})"/>'


CONSTANTS = (
    '<Constant name="MS" dimension="time" value="1 ms"/><Constant name="MV" dimension="voltage" value="1 mV"/>'
    '<Constant name="MM" dimension="concentration" value="1 mM"/><Parameter name="own" dimension="none"/>'
)
STATE = '<StateVariable name="{0}" dimension="none"/>'


def gate_type(name: str, dynamics: str, needs: str = "") -> str:
    return (
        f'<ComponentType name="{name}" extends="gate">{CONSTANTS}<Requirement name="v" dimension="voltage"/>{needs}'
        '<Dynamics><StateVariable name="q" exposure="q" dimension="none"/><DerivedVariable name="fcond" '
        f'exposure="fcond" dimension="none" value="q^instances"/>{dynamics}</Dynamics></ComponentType>'
    )


CALCIUM = '<Requirement name="caConc" dimension="concentration"/>'
SECOND = '<Requirement name="caConc2" dimension="concentration"/>'
GATES = (
    gate_type(
        "coupled",
        STATE.format("r") + '<TimeDerivative variable="r" value="(q*own - r + 100*caConc/MM)/(3*MS)"/>'
        '<TimeDerivative variable="q" value="(0.5 + v/(300*MV) - q - r*q)/(5*MS)"/>',
        CALCIUM,
    )
    + gate_type(
        "flips",
        STATE.format("r") + '<OnCondition test="q .gt. 0.5 .and. v .lt. 30*MV"><StateAssignment variable="q" '
        'value="0.2*own"/></OnCondition><TimeDerivative variable="q" value="(1 - q)/((6 + v/(40*MV))*MS)"/>',
    )
    + gate_type("second", '<TimeDerivative variable="q" value="(own/(1 + MM*1e-3/caConc2) - q)/(4*MS)"/>', SECOND)
)
CHANNELS = "".join(
    f'<ionChannel id="x{name}" conductance="10 pS"><gate id="g" type="{name}" instances="{k + 1}" own="{own}"/>'
    "</ionChannel>"
    for k, (name, own) in enumerate((("many", "0.7"), ("coupled", "0.4"), ("flips", "0.5"), ("second", "0.9")))
)
TWO = '<channelDensityNernstCa2 id="two" ionChannel="cal" condDensity="0.05mS_per_cm2" segmentGroup="warm" ion="ca2"/>'
DENSITIES = TWO + "".join(
    f'<channelDensity id="{name}_{where}" ionChannel="x{name}" condDensity="{g}mS_per_cm2" erev="{e}mV" '
    f'segmentGroup="{where}" ion="non_specific"/>'
    for name, g, e, where in (
        ("many", 0.05, -60, "hot"),
        ("coupled", 0.2, -70, "warm"),
        ("flips", 0.1, -40, "hot"),
        ("coupled", 0.3, -75, "g1"),
        ("second", 0.3, -85, "warm"),
    )
)
SPECIES = "".join(
    f'<species id="{pool}" ion="{ion}" concentrationModel="{pool}" initialConcentration="{c}mM" '
    f'initialExtConcentration="3mM" segmentGroup="{where}"/>'
    for pool, ion, c, where in (("second", "ca2", 3e-4, "warm"), ("elsewhere", "ca", 2e-4, "g1"))
)
POOLS = (
    f'<ComponentType name="mixed" extends="concentrationModel">{CONSTANTS}<Constant name="K" dimension="rho_factor" '
    'value="0.02mol_per_m_per_A_per_s"/><Requirement name="iCa2" dimension="current"/><Requirement name="surfaceArea" '
    'dimension="area"/><Dynamics><StateVariable name="concentration" exposure="concentration" dimension='
    '"concentration"/><StateVariable name="extConcentration" exposure="extConcentration" dimension="concentration"/>'
    '<TimeDerivative variable="concentration" value="iCa2*K/surfaceArea + (own*1e-3*MM - concentration)/(20*MS)"/>'
    '<OnStart><StateAssignment variable="concentration" value="initialConcentration"/><StateAssignment '
    'variable="extConcentration" value="initialExtConcentration"/></OnStart></Dynamics></ComponentType>'
    '<mixed id="second" ion="ca2" own="0.3"/><fixedFactorConcentrationModel id="elsewhere" ion="ca" '
    'restingConc="5e-4mM" decayConstant="9ms" rho="0.02mol_per_m_per_A_per_s"/>'
)
STIMULI = (
    f'<ComponentType name="mine" extends="baseConductanceBasedSynapse">{CONSTANTS}<Dynamics>{STATE.format("a")}'
    f'{STATE.format("b")}<DerivedVariable name="g" exposure="g" dimension="conductance" value="gbase*a"/>'
    '<DerivedVariable name="i" exposure="i" dimension="current" value="g*(erev - v)"/><OnStart><StateAssignment '
    'variable="b" value="own"/></OnStart><TimeDerivative variable="a" value="-a/(3*MS)"/><TimeDerivative variable="b" '
    'value="(own - b)*(2 + t/(9*MS))/(8*MS)"/><OnEvent port="in"><StateAssignment variable="a" value="a + weight*b"/>'
    "<StateAssignment "
    'variable="b" value="b*0.7"/></OnEvent></Dynamics></ComponentType><mine id="user" gbase="1nS" erev="-10mV" '
    'own="0.8"/><blockingPlasticSynapse id="block" gbase="1nS" erev="0mV" tauRise="0.5ms" tauDecay="4ms">'
    '<blockMechanism type="voltageConcDepBlockMechanism" species="mg" blockConcentration="1.2mM" scalingConc="1.9mM" '
    'scalingVolt="16mV"/><plasticityMechanism type="tsodyksMarkramDepMechanism" initReleaseProb="0.4" tauRec="9ms"/>'
    '</blockingPlasticSynapse><pulseGenerator id="pulse" delay="2.02ms" duration="3ms" amplitude="0.02nA"/>'
    '<rampGenerator id="ramp" delay="1ms" duration="5ms" startAmplitude="0nA" finishAmplitude="0.03nA" '
    'baselineAmplitude="0.001nA"/>'
)
POINT_SUM = '<DerivedVariable name="iSyn" dimension="current" select="synapses[*]/i" reduce="add"/>' \
    '<DerivedVariable name="seen" exposure="seen" dimension="current" value="2*iSyn"/>'  # fmt: skip
REGIMES = lems_constructs.REGIMES.format(a="up", b="down", x="z", up="(0.2 + 0.1*all)/MS", high="0.9", low="0.3*p")


def cable(all_: str) -> str:
    """The tree, or a small one, with all of the above; `all_` defines `all` of one of the gates."""
    many = gate_type("many", all_ + '<TimeDerivative variable="q" value="(all - q)/(5*MS)"/>')
    text = tree_cell.text().replace('<cell id="tree">', f'{many}{GATES}{CHANNELS}{POOLS}{STIMULI}<cell id="tree">')
    return text.replace("<spikeThresh", f"{DENSITIES}<spikeThresh").replace("<resistivity", f"{SPECIES}<resistivity")


def point() -> str:
    """A point cell with regimes that adds up its inputs."""
    declared = (
        '<Parameter name="p" dimension="none"/><Exposure name="z" dimension="none"/><Exposure name="seen" '
        'dimension="current"/><Attachments name="synapses" type="basePointCurrent"/>'
    )
    spike = '<OnCondition test="v .gt. -52*MV"><StateAssignment variable="v" value="-70*MV + all*MV"/><EventOut ' \
        'port="spike"/></OnCondition>'  # fmt: skip
    moves = lems_constructs.MOVES.format(value="((30*p - 70 + 20*z)*MV - v)/(7*MS) + iSyn/(0.1*NF)")
    state = '<StateVariable name="z" exposure="z" dimension="none"/>'
    dynamics = POINT_SUM + state + operations("(v/(100*MV))", "p") + spike + moves + REGIMES
    return lems_constructs.point(dynamics, declared=declared, attributes=' p="0.8"').replace(
        "</neuroml>", f"{STIMULI}</neuroml>"
    )


def experiments(cell: Cell, ms: float) -> tuple[Experiment, ...]:
    """Two protocols with one beginning; inputs twice at one place and once at another, with weights of their own."""
    geometry, tip = cell.geometry, SOMA
    if geometry is not None:
        last = len(geometry.compartments) - 1
        tip = Site(len(geometry.sections) - 1, geometry.compartments[last].x, last)
    attached: list[Stimulus] = [
        Attached(site, f"{name}{k}", name, 1.0 + 0.5 * k, tuple(t * (1.1 + k) for t in (0.7, 1.3, 2.9)))
        if name in ("user", "block")
        else Attached(site, f"{name}{k}", name, 1.0 + 0.5 * k)
        for name in INPUTS
        for k, site in enumerate((SOMA, SOMA, tip))
    ]
    outputs = [Output("v", SOMA), Output("tip", tip)]
    for stimulus in attached:
        assert isinstance(stimulus, Attached)
        outputs += [
            Output(f"{stimulus.id}/{name}", stimulus.site, f"{stimulus.id}/{name}")
            for name, _ in cell.input_mechanism(stimulus.component).dynamics.exposures
        ]
    for placement in cell.placements:
        exposed = cell.mechanism(placement.mechanism).dynamics.exposures
        outputs += [
            Output(f"{placement.id}/{name} {k}", site, f"{placement.id}/{name}")
            for name, _ in exposed
            for k, site in enumerate((SOMA, tip))
            if geometry is None or site.compartment in placement.compartments
        ]
    nA = 0.05 if geometry is None else 0.3
    return tuple(
        Experiment(
            str(k),
            ms,
            300.0,
            (Pulse(SOMA, 1.0, 0.5 * ms, nA), Pulse(SOMA, 0.6 * ms, 2.0, k * nA), *attached),
            tuple(outputs),
        )
        for k in range(2)
    )


def bits(found: tuple[Recordings, ...]) -> list[tuple[object, ...]]:
    """All of each candidate, signs and payloads of what is no number left out."""
    return [
        (
            r.status,
            r.detail,
            *((key, t.t_ms.tobytes(), (t.y + 0.0 * t.y).tobytes()) for key, t in sorted(r.traces.items())),
        )
        for r in found
    ]


def documents(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Document:
    """Of the tree without the many operations, which its kernel compiles as the others do, and takes longest for."""
    plain = '<DerivedVariable name="all" dimension="none" value="own*(0.6 + v/(300*MV))"/>'
    if kind == "small":
        monkeypatch.setattr(tree_cell, "LEVELS", 1)
        plain = operations("(v/(100*MV))", "own")
    path = folder / "cell.nml"
    path.write_text(point() if kind == "point" else cable(plain), encoding="utf-8")
    return read(path)


CASES = {
    "point": (Settings(), Layout(32), 20.0),
    "small": (Settings(), Layout(1), 12.0),
    "small, fixed": (Settings(integrator=Integrator.FIXED), Layout(8), 12.0),
    "tree": (Settings(), Layout(8, chained=True), 8.0),
}


@pytest.mark.parametrize("case", CASES)
def test_both_kernels_do_the_same_with_user_types(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, layout, ms = CASES[case]
    document = documents(case.partition(",")[0], tmp_path, monkeypatch)
    ends = ("/own", "p", "condDensity", "midpoint")
    free = [a for a in listing(document) if a.path.endswith(ends) and not a.path.startswith("mine")]
    cell = lower(document, free, inputs=INPUTS)
    assert layout_of(cell, settings) == layout
    start = np.array([slot.default for slot in cell.slots])
    values = start * np.random.default_rng(3).uniform(0.8, 1.25, (11, len(start)))
    values[4] = np.nan
    found = []
    for kernel in ("compiled", "generic"):
        monkeypatch.setenv("NMLOPT_KERNEL", kernel)
        program = registry.load("native").compile(cell, settings)
        found.append(registry.load("native").simulate(program, experiments(cell, ms), values))
    statuses = [str(r.status) for r in found[0]]
    assert statuses.count("ok") >= 8 and statuses[4] != "ok"
    assert bits(found[0]) == bits(found[1])
