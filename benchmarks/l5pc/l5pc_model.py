"""The NeuroML document of the cell: its morphology with a stub axon, its channels, its non-uniform Ih."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from l5pc_data import Data

from nmlopt.importers.morphology import LONGEST_UM, read_morphology
from nmlopt.importers.morphology_axon import replace_axon
from nmlopt.importers.morphology_write import Additions, WrittenSection, cell_text, written_sections

CELL = "L5PC"
GROUPS = {"somatic": "soma_group", "axonal": "axon_group", "basal": "basal_group", "apical": "apical_group"}
IONS = {
    **dict.fromkeys(("NaTa_t", "NaTs2_t", "Nap_Et2"), "na"),
    **dict.fromkeys(("Im", "K_Pst", "K_Tst", "SK_E2", "SKv3_1"), "k"),
    **dict.fromkeys(("Ca_HVA", "Ca_LVAst"), "ca"),
    "Ih": "hcn",
}
POOL = "CaDynamics_E2"
EREV_H = "-45 mV"
"""Built into the published Ih mechanism, as the following are into its calcium pool and NEURON's calcium."""
DEPTH, REST, START, OUTSIDE = "0.1 um", "1e-4 mM", "5e-5 mM", "2 mM"
VARIABLE = "p"
NOTES = (
    "Layer 5 pyramidal cell of BluePyOpt's second use case (W. Van Geit et al., Front Neuroinform 10: 17, 2016),",
    "made from its published files: morphology with the axon replaced by two cylinders of 30 um, parameters at their",
    "published values. Morphology and values are under CC-BY-NC-SA 4.0.",
)


def channels(data: Data) -> list[str]:
    """Names of all mechanisms that have a file, the pool among them."""
    return sorted({name for names in data.mechanisms.values() for name in names} - {"pas"})


def sections(data: Data) -> tuple[WrittenSection, ...]:
    """The sections of the cell as the document names them."""
    morphology = replace_axon(read_morphology(data.morphology), LONGEST_UM, str(data.morphology))
    return written_sections(morphology.sections, LONGEST_UM)


def model_text(data: Data, parts: tuple[WrittenSection, ...]) -> str:
    """model.nml."""
    numbers = _Numbers(data)
    before = "".join(f'    <include href="channels/{name}.channel.nml"/>\n' for name in channels(data))
    before += '\n    <ionChannel id="pas" type="ionChannelPassive" conductance="10 pS"/>\n\n'
    before += "".join(f"    {line}\n" for line in _pools(data, numbers)) + "\n"
    after = "".join(f"        {line}\n" for line in _biophysics(data, numbers))
    inside = {GROUPS[part]: _distance(part) for part in GROUPS if numbers.distribution("gIhbar_Ih", part)}
    return cell_text(parts, CELL, NOTES, Additions(before, after, inside))


def published(data: Data, entry: Mapping[str, Any]) -> float:
    """The value of one entry of parameters.json: its own, or the published one of a free parameter."""
    if "value" in entry:
        return float(entry["value"])
    return float(data.values[f"{entry['param_name']}.{entry['sectionlist']}"])


def density_parameter(channel: str) -> str:
    """What the published files call the conductance of a channel."""
    return f"g{channel}bar_{channel}"


class _Numbers:
    """Values of the published parameters by name and section list; `all` holds where a list gives none."""

    def __init__(self, data: Data) -> None:
        self._entries = {(e["param_name"], e.get("sectionlist", "")): e for e in data.parameters}
        self._data = data

    def of(self, name: str, part: str = "") -> float:
        entry = self._entries.get((name, part)) or self._entries.get((name, "all"))
        if entry is None:
            raise SystemExit(f"parameters.json gives no {name} for {part or 'the cell'}")
        return published(self._data, entry)

    def distribution(self, name: str, part: str) -> str:
        """The expression of a parameter that varies along the cell, '' for a uniform one."""
        return str(self._entries.get((name, part), {}).get("dist", ""))


def _biophysics(data: Data, numbers: _Numbers) -> Iterator[str]:
    placed = [(part, name) for part, names in data.mechanisms.items() for name in names if name in IONS]
    yield f'<biophysicalProperties id="{CELL}_biophysics">'
    yield "    <membraneProperties>"
    yield (
        f'        <channelDensity id="pas_all" ionChannel="pas" condDensity="{numbers.of("g_pas", "all"):g} S_per_cm2"'
        f' erev="{numbers.of("e_pas", "all"):g} mV" segmentGroup="all" ion="non_specific"/>'
    )
    kinds = {"uniform": _uniform, "nernst": _nernst, "varying": _varying}
    for kind in kinds:  # the order that the schema asks for: by kind of density
        for part, name in placed:
            varies = bool(numbers.distribution(density_parameter(name), part))
            if kind == ("nernst" if IONS[name] == "ca" else "varying" if varies else "uniform"):
                yield from (f"        {line}" for line in kinds[kind](numbers, part, name))
    yield '        <spikeThresh value="-20 mV"/>'
    for part, group in GROUPS.items():
        yield f'        <specificCapacitance value="{numbers.of("cm", part):g} uF_per_cm2" segmentGroup="{group}"/>'
    yield f'        <initMembPotential value="{numbers.of("v_init"):g} mV"/>'
    yield "    </membraneProperties>"
    yield "    <intracellularProperties>"
    for part in _with_pool(data):
        yield (
            f'        <species id="ca_{part}" ion="ca" concentrationModel="{POOL}_{part}" segmentGroup="{GROUPS[part]}"'
            f' initialConcentration="{START}" initialExtConcentration="{OUTSIDE}"/>'
        )
    yield f'        <resistivity value="{numbers.of("Ra", "all"):g} ohm_cm"/>'
    yield "    </intracellularProperties>"
    yield "</biophysicalProperties>"


def _uniform(numbers: _Numbers, part: str, name: str) -> Iterator[str]:
    yield (
        f'<channelDensity id="{name}_{part}" ionChannel="{name}" condDensity="{_density(numbers, part, name)}"'
        f' erev="{_reversal(numbers, part, name)}" segmentGroup="{GROUPS[part]}" ion="{IONS[name]}"/>'
    )


def _nernst(numbers: _Numbers, part: str, name: str) -> Iterator[str]:
    yield (
        f'<channelDensityNernst id="{name}_{part}" ionChannel="{name}" condDensity="{_density(numbers, part, name)}"'
        f' segmentGroup="{GROUPS[part]}" ion="ca"/>'
    )


def _varying(numbers: _Numbers, part: str, name: str) -> Iterator[str]:
    parameter = density_parameter(name)
    expression = numbers.distribution(parameter, part).replace("math.exp", "exp").replace("({distance})", VARIABLE)
    expression = expression.replace("{distance}", VARIABLE).replace("{value}", f"{numbers.of(parameter, part):g}")
    yield (
        f'<channelDensityNonUniform id="{name}_{part}" ionChannel="{name}" erev="{_reversal(numbers, part, name)}"'
        f' ion="{IONS[name]}">'
    )
    yield f'    <variableParameter parameter="condDensity" segmentGroup="{GROUPS[part]}">'
    yield f'        <inhomogeneousValue inhomogeneousParameter="distance_{part}" value="1e4 * {expression}"/>'
    yield "    </variableParameter>"
    yield "</channelDensityNonUniform>"


def _density(numbers: _Numbers, part: str, name: str) -> str:
    return f"{numbers.of(density_parameter(name), part):.10g} S_per_cm2"


def _reversal(numbers: _Numbers, part: str, name: str) -> str:
    return EREV_H if name == "Ih" else f"{numbers.of(f'e{IONS[name]}', part):g} mV"


def _pools(data: Data, numbers: _Numbers) -> Iterator[str]:
    for part in _with_pool(data):
        gamma, decay = (numbers.of(f"{name}_{POOL}", part) for name in ("gamma", "decay"))
        yield (
            f'<concentrationModel id="{POOL}_{part}" type="{POOL}" ion="ca" gamma="{gamma:.10g}"'
            f' decay="{decay:.10g} ms" depth="{DEPTH}" minCai="{REST}"/>'
        )


def _with_pool(data: Data) -> list[str]:
    return [part for part, names in data.mechanisms.items() if POOL in names]


def _distance(part: str) -> str:
    """Path distance from the middle of the soma, where the tree joins it, as the published formula measures it."""
    return (
        f'<inhomogeneousParameter id="distance_{part}" variable="{VARIABLE}" metric="Path Length from root">\n'
        '    <proximal translationStart="0"/>\n'
        "</inhomogeneousParameter>\n"
    )


def copy_channels(data: Data, source: Path, folder: Path) -> None:
    """The channel files beside the model, with the files that they include."""
    folder.mkdir(parents=True, exist_ok=True)
    waiting = [f"{name}.channel.nml" for name in channels(data)]
    for name in waiting:  # grows while it is walked
        text = (source / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
        waiting.extend(href for href in re.findall(r'<include href="([^"]+)"', text) if href not in waiting)
