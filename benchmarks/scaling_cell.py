"""The cell of `scaling.py`: a soma with a binary tree of dendrites, the same excitable membrane everywhere."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site

ROOT = Path(__file__).resolve().parents[1]
CHANNELS = ROOT / "examples" / "ball_and_stick" / "channels"
PER_SECTION, LENGTH_UM, DIAMETER_UM = 9, 180.0, 2.0
SOMA = Site(0, 0.5, 0)
TEMPERATURE_K = 300.0
_FILES = ("leak", "spikes")
_DENSITY = '<channelDensity id="{id}" ionChannel="{channel}" condDensity="{g} mS_per_cm2" erev="{e} mV" ion="{ion}"/>'
_DENSITIES = (
    ("leak", "leak_channel", 0.1, -70, "non_specific"),
    ("na", "na_channel", 60, 50, "na"),
    ("k", "k_channel", 20, -90, "k"),
)


def document(compartments: int) -> str:
    """NeuroML of a cell with nearly that many compartments: one in the soma, nine in each section of the tree."""
    sections = max(1, round((compartments - 1) / PER_SECTION))
    segments = [
        '<segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="20"/>'
        '<distal x="20" y="0" z="0" diameter="20"/></segment>'
    ]
    groups = ['<segmentGroup id="soma" neuroLexId="sao864921383"><member segment="0"/></segmentGroup>']
    ends = [20.0]
    for k in range(1, sections + 1):
        parent = (k - 1) // 2
        start, end = ends[parent], ends[parent] + LENGTH_UM
        ends.append(end)
        segments.append(
            f'<segment id="{k}" name="s{k}"><parent segment="{parent}"/>'
            f'<proximal x="{start}" y="{k % 2}" z="0" diameter="{DIAMETER_UM}"/>'
            f'<distal x="{end}" y="{k % 2}" z="0" diameter="{DIAMETER_UM}"/></segment>'
        )
        groups.append(
            f'<segmentGroup id="g{k}" neuroLexId="sao864921383">'
            f'<property tag="numberInternalDivisions" value="{PER_SECTION}"/><member segment="{k}"/></segmentGroup>'
        )
    densities = "".join(_DENSITY.format(id=i, channel=c, g=g, e=e, ion=ion) for i, c, g, e, ion in _DENSITIES)
    includes = "".join(f'<include href="{name}.channel.nml"/>' for name in _FILES)
    return f"""<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="scaling">{includes}
<cell id="tree"><morphology id="m">{"".join(segments)}{"".join(groups)}</morphology>
<biophysicalProperties id="b"><membraneProperties>{densities}<spikeThresh value="0 mV"/>
<specificCapacitance value="1 uF_per_cm2"/><initMembPotential value="-70 mV"/></membraneProperties>
<intracellularProperties><resistivity value="150 ohm_cm"/></intracellularProperties></biophysicalProperties></cell>
</neuroml>"""


def tree(compartments: int, folder: Path, *, with_rates: bool = False) -> Cell:
    """The cell, its sodium density free; and a number of sodium's rates."""
    model = folder / f"tree{compartments}.nml"
    model.write_text(document(compartments), encoding="utf-8")
    for name in _FILES:
        copyfile(CHANNELS / f"{name}.channel.nml", folder / f"{name}.channel.nml")
    found = read(model, root=folder)
    free = ("cell:tree/channelDensity:na/condDensity", "ionChannelHH:na_channel/gateHHrates:m/forwardRate/midpoint")
    return lower(found, [resolve(found, path)[0] for path in free[: 1 + with_rates]])


def firing(duration_ms: float, amplitude: float = 0.4) -> Experiment:
    """A current into the first compartment that lasts, so that activity goes with time."""
    pulse = Pulse(SOMA, 0.0, duration_ms, amplitude)
    return Experiment("firing", duration_ms, TEMPERATURE_K, (pulse,), (Output("v", SOMA),), sampling_ms=0.1)
