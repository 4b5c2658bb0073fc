"""A tree with calcium in one part and fast channels in another, whose chains of compartments fill the lanes."""

from __future__ import annotations

from nmlopt.experiment.model import Attached, Experiment, Output, Pulse
from nmlopt.ir.model import Cell, Site

SOMA = Site(section=0, x=0.5, compartment=0)
LEVELS = 4


def rate(kind: str, type_: str, rate_: float, midpoint: float, scale: float) -> str:
    return f'<{kind} type="{type_}" rate="{rate_}per_ms" midpoint="{midpoint}mV" scale="{scale}mV"/>'


def gate(
    name: str, power: int, forward: tuple[str, float, float, float], reverse: tuple[str, float, float, float]
) -> str:
    ways = rate("forwardRate", *forward) + rate("reverseRate", *reverse)
    return f'<gateHHrates id="{name}" instances="{power}">{ways}</gateHHrates>'


CHANNELS = f"""
  <ionChannelPassive id="leak" conductance="10pS"/>
  <ionChannelHH id="na" conductance="10pS" species="na">
    {gate("m", 3, ("HHExpLinearRate", 1.0, -40, 10), ("HHExpRate", 4.0, -65, -18))}
    {gate("h", 1, ("HHExpRate", 0.07, -65, -20), ("HHSigmoidRate", 1.0, -35, 10))}</ionChannelHH>
  <ionChannelHH id="k" conductance="10pS" species="k">
    {gate("n", 4, ("HHExpLinearRate", 0.1, -55, 10), ("HHExpRate", 0.125, -65, -80))}</ionChannelHH>
  <ComponentType name="byCalcium" extends="baseVoltageConcDepVariable">
    <Constant name="MM" dimension="concentration" value="1 mM"/>
    <Dynamics><DerivedVariable name="x" exposure="x" dimension="none" value="1/(1 + (5e-4*MM/caConc)^2.3)"/></Dynamics>
  </ComponentType>
  <ionChannelHH id="cal" conductance="10pS" species="ca"><gateHHtauInf id="m" instances="2">
    <timeCourse type="fixedTimeCourse" tau="2ms"/>
    <steadyState type="HHSigmoidVariable" rate="1" midpoint="-30mV" scale="6mV"/></gateHHtauInf></ionChannelHH>
  <ionChannelHH id="sk" conductance="10pS" species="k"><gateHHtauInf id="z" instances="1">
    <timeCourse type="fixedTimeCourse" tau="3ms"/><steadyState type="byCalcium"/></gateHHtauInf></ionChannelHH>
  <fixedFactorConcentrationModel id="pool" ion="ca" restingConc="1e-4mM" decayConstant="30ms"
    rho="0.02mol_per_m_per_A_per_s"/>
  <expTwoSynapse id="synapse" gbase="2nS" erev="0mV" tauRise="0.5ms" tauDecay="3ms"/>
"""
DENSITIES = """
  <channelDensity id="leaks" ionChannel="leak" condDensity="0.1mS_per_cm2" erev="-65mV" ion="non_specific"/>
  <channelDensity id="nas" ionChannel="na" condDensity="60mS_per_cm2" erev="50mV" segmentGroup="hot" ion="na"/>
  <channelDensity id="ks" ionChannel="k" condDensity="15mS_per_cm2" erev="-77mV" segmentGroup="hot" ion="k"/>
  <channelDensityNernst id="cas" ionChannel="cal" condDensity="0.1mS_per_cm2" segmentGroup="warm" ion="ca"/>
  <channelDensity id="sks" ionChannel="sk" condDensity="0.3mS_per_cm2" erev="-80mV" segmentGroup="warm" ion="k"/>
"""


def tree() -> str:
    """A soma that carries two binary trees, of two compartments per section: one hot, one warm, the soma both."""
    segments = ['<segment id="0" name="s"><proximal x="0" y="0" z="0" diameter="18"/>'
                '<distal x="20" y="0" z="0" diameter="18"/></segment>']  # fmt: skip
    groups = ['<segmentGroup id="g0" neuroLexId="sao864921383"><member segment="0"/></segmentGroup>']
    hot, warm = [0], [0]
    parents = [(0, 20.0, 0.0, side) for side in (hot, warm)]
    for level in range(LEVELS):
        following = []
        for parent, x, y, side in parents:
            for turn in (-1, 1):
                id_, d = len(segments), 3.0 / (1 + level)
                end = (x + 60.0 + 7.0 * id_ % 31, y + turn * 40.0)
                side.append(id_)
                start = f'<proximal x="{x}" y="{y}" z="0" diameter="{d}"/>'
                segments.append(
                    f'<segment id="{id_}"><parent segment="{parent}"/>{start}'
                    f'<distal x="{end[0]}" y="{end[1]}" z="0" diameter="{0.8 * d}"/></segment>'
                )
                groups.append(
                    f'<segmentGroup id="g{id_}" neuroLexId="sao864921383">'
                    f'<property tag="numberInternalDivisions" value="2"/><member segment="{id_}"/></segmentGroup>'
                )
                following.append((id_, *end, side))
        parents = following
    for name, members in (("hot", hot), ("warm", warm)):
        inside = "".join(f'<include segmentGroup="g{k}"/>' for k in members)
        groups.append(f'<segmentGroup id="{name}">{inside}</segmentGroup>')
    return "".join((*segments, *groups))


def text() -> str:
    """The document."""
    return f"""<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="tree">{CHANNELS}
  <cell id="tree"><morphology id="m">{tree()}</morphology><biophysicalProperties id="b">
    <membraneProperties>{DENSITIES}<spikeThresh value="0mV"/><specificCapacitance value="1uF_per_cm2"/>
    <initMembPotential value="-65mV"/></membraneProperties>
    <intracellularProperties><species id="ca" ion="ca" concentrationModel="pool" initialConcentration="1e-4mM"
      initialExtConcentration="2mM" segmentGroup="warm"/><resistivity value="120ohm_cm"/></intracellularProperties>
  </biophysicalProperties></cell></neuroml>"""


def experiments(cell: Cell) -> tuple[Experiment, ...]:
    """A pulse into the soma, synapses that act at three places, two of them at one; v, calcium and a gate."""
    geometry = cell.geometry
    assert geometry is not None
    last = len(geometry.compartments) - 1
    tip = Site(len(geometry.sections) - 1, geometry.compartments[last].x, last)
    stimuli = (
        Pulse(SOMA, 5.0, 60.0, 1.2),
        *(Attached(tip, f"a{k}", "synapse", 1.0 + k, (12.34, 30.0 + k)) for k in range(2)),
        Attached(SOMA, "b", "synapse", 2.0, (50.01,)),
    )
    outputs = [Output("soma", SOMA), Output("tip", tip), Output("g", tip, "a1/g"), Output("i", SOMA, "b/i")]
    for placement in cell.placements:
        exposed = cell.mechanism(placement.mechanism).dynamics.exposures
        if 0 in placement.compartments:
            outputs += [Output(f"{placement.id} {name}", SOMA, f"{placement.id}/{name}") for name, _ in exposed[:2]]
    return (Experiment("e", 80.0, 300.0, stimuli, tuple(outputs)),)
