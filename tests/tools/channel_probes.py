"""Documents that hold ion channels of other files up to a sweep of voltages: for us, and for jLEMS.

Nothing moves in a probe but gates: each compartment has a voltage of its own and a capacitance that keeps it there, no
channel conducts, calcium is constant.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nmlopt.document.model import Document
from nmlopt.document.read import read
from nmlopt.errors import NmloptError
from nmlopt.lems.resolve import components

VOLTAGES_MV = -119.87 + 0.97 * np.arange(186)
"""-120..60 mV, off round numbers, where singular points lie."""
TEMPERATURE_C = 32.0
CALCIUM_MM = 5e-4
V_SHIFT_MV = 3.0
HOLD = 6
"""Steps for which jLEMS sees one voltage: values of inner components follow two steps later."""
STEP_MS = 1e-5
"""Small, so that jLEMS's forward Euler does not end the run in a gate of a microsecond."""
MAX_CHANNELS = 16


@dataclass(frozen=True)
class Channel:
    """An ion channel of a file; `names` are the components and types that come with its file, and where from."""

    file: Path
    id: str
    is_shifted: bool
    names: dict[str, str] = field(compare=False)


def channels(folder: Path, problems: list[str]) -> Iterator[Channel]:
    """The channels below a folder (or of a file), each document once; what cannot be read goes into `problems`."""
    seen: set[tuple[str, str]] = set()
    paths = [folder] if folder.is_file() else sorted(p for e in ("nml", "xml") for p in folder.rglob(f"*.{e}"))
    for path in paths:
        if b"<ionChannel" not in path.read_bytes():
            continue
        try:
            document = read(path, root=Path("/"))
            known = components(document)
            names = _names(document)
            for element in document.file(document.main).root.children:
                found = known.type_of(element) if "ionChannel" in element.tag else None
                id_ = element.attributes.get("id", "")
                if found is None or not id_ or (document.digest, id_) in seen:
                    continue
                seen.add((document.digest, id_))
                yield Channel(path, id_, found.extends("ionChannelVShift"), names)
        except NmloptError as error:
            problems.append(f"{path}: {str(error).splitlines()[0]}")


def _names(document: Document) -> dict[str, str]:
    found = {}
    for element in document.components():
        name = element.attributes.get("name") if element.tag == "ComponentType" else element.attributes.get("id")
        if name and element.tag not in ("Dimension", "Unit"):
            found[f"{element.tag == 'ComponentType'}/{name}"] = str(document.root / element.file)
    return found


def groups(found: Sequence[Channel]) -> list[list[Channel]]:
    """Channels that can stand in one document: no two things of one name."""
    made: list[tuple[list[Channel], dict[str, str]]] = []
    for channel in found:
        for members, names in made:
            if len(members) < MAX_CHANNELS and all(names.get(n, f) == f for n, f in channel.names.items()):
                members.append(channel)
                names.update(channel.names)
                break
        else:
            made.append(([channel], dict(channel.names)))
    return [members for members, _ in made]


def write_cell(members: Sequence[Channel], path: Path) -> None:
    """A cable with a compartment for each voltage that holds every channel, id 'd<k>' for the k-th."""
    densities = "\n".join(_density(k, channel) for k, channel in enumerate(members))
    path.write_text(_CELL.format(includes=_includes(members, path, "include href"), densities=densities,
                                 divisions=len(VOLTAGES_MV), calcium=CALCIUM_MM))  # fmt: skip


def write_lems(members: Sequence[Channel], quantities: Sequence[tuple[int, str]], path: Path) -> None:
    """A LEMS simulation in which jLEMS sweeps the voltage; a column for each (channel, path below the channel)."""
    probes, populations = [], []
    for k, channel in enumerate(members):
        shift = V_SHIFT_MV if channel.is_shifted else 0.0
        probes.append(f'    <channelProbe id="probe{k}" ionChannel="{channel.id}" shift="{shift} mV"/>')
        populations.append(f'        <population id="p{k}" component="probe{k}" size="1"/>')
    columns = [
        f'            <OutputColumn id="c{i}" quantity="p{k}[0]/{members[k].id}/{name}"/>'
        for i, (k, name) in enumerate(quantities)
    ]
    path.write_text(
        _LEMS.format(
            includes=_includes(members, path, "Include file"), probes="\n".join(probes),
            populations="\n".join(populations), columns="\n".join(columns), hold=HOLD * STEP_MS, step=STEP_MS,
            length=(len(VOLTAGES_MV) + 1) * HOLD * STEP_MS, first=VOLTAGES_MV[0], apart=VOLTAGES_MV[1] - VOLTAGES_MV[0],
            calcium=CALCIUM_MM, temperature=TEMPERATURE_C,
        )
    )  # fmt: skip


def _includes(members: Sequence[Channel], path: Path, how: str) -> str:
    files = dict.fromkeys(os.path.relpath(channel.file, path.parent) for channel in members)
    return "\n".join(f'    <{how}="{file}"/>' for file in files)


def _density(k: int, channel: Channel) -> str:
    tag = "channelDensityVShift" if channel.is_shifted else "channelDensity"
    shift = f' vShift="{V_SHIFT_MV} mV"' if channel.is_shifted else ""
    return (
        f'                <{tag} id="d{k}" ionChannel="{channel.id}" condDensity="0 S_per_m2" erev="0 mV"{shift}'
        ' segmentGroup="all" ion="non_specific"/>'
    )


_CELL = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="probe_document">
{includes}
    <fixedFactorConcentrationModel id="constant_calcium" ion="ca" restingConc="{calcium} mM" decayConstant="1e9 s"
        rho="0 mol_per_m_per_A_per_s"/>
    <cell id="channel_probe">
        <morphology id="probe_morphology">
            <segment id="0" name="cable">
                <proximal x="0" y="0" z="0" diameter="1"/>
                <distal x="1000" y="0" z="0" diameter="1"/>
            </segment>
            <segmentGroup id="cable_section" neuroLexId="sao864921383">
                <property tag="numberInternalDivisions" value="{divisions}"/>
                <member segment="0"/>
            </segmentGroup>
            <segmentGroup id="all">
                <include segmentGroup="cable_section"/>
            </segmentGroup>
        </morphology>
        <biophysicalProperties id="probe_biophysics">
            <membraneProperties>
{densities}
                <specificCapacitance value="1e15 uF_per_cm2"/>
                <initMembPotential value="-65 mV"/>
            </membraneProperties>
            <intracellularProperties>
                <species id="ca" ion="ca" concentrationModel="constant_calcium" initialConcentration="{calcium} mM"
                    initialExtConcentration="2 mM"/>
                <resistivity value="1e9 ohm_cm"/>
            </intracellularProperties>
        </biophysicalProperties>
    </cell>
</neuroml>
"""
_LEMS = """<Lems>
    <Target component="sim"/>
    <Include file="Cells.xml"/>
    <Include file="Networks.xml"/>
    <Include file="Simulation.xml"/>
{includes}
    <ComponentType name="channelProbe" extends="baseCell">
        <ComponentReference name="ionChannel" type="baseIonChannel"/>
        <Constant name="HOLD" dimension="time" value="{hold:.6f} ms"/>
        <Constant name="APART" dimension="voltage" value="{apart:.2f} mV"/>
        <Constant name="FIRST" dimension="voltage" value="{first:.2f} mV"/>
        <Constant name="CALCIUM" dimension="concentration" value="{calcium} mM"/>
        <Parameter name="shift" dimension="voltage"/>
        <Exposure name="v" dimension="voltage"/>
        <Exposure name="caConc" dimension="concentration"/>
        <Exposure name="vShift" dimension="voltage"/>
        <Structure><ChildInstance component="ionChannel"/></Structure>
        <Dynamics>
            <DerivedVariable name="v" dimension="voltage" exposure="v" value="FIRST + APART * (ceil(t / HOLD) - 1)"/>
            <DerivedVariable name="caConc" dimension="concentration" exposure="caConc" value="CALCIUM"/>
            <DerivedVariable name="vShift" dimension="voltage" exposure="vShift" value="shift"/>
        </Dynamics>
    </ComponentType>
{probes}
    <network id="net" type="networkWithTemperature" temperature="{temperature} degC">
{populations}
    </network>
    <Simulation id="sim" length="{length:.6f} ms" step="{step:.6f} ms" target="net">
        <OutputFile id="out" fileName="out.dat">
            <OutputColumn id="v" quantity="p0[0]/v"/>
{columns}
        </OutputFile>
    </Simulation>
</Lems>
"""
