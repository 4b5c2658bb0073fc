"""What a quantity path of a LEMS simulation means below an instance of a cell, as a variable of our scheme.

`v` is the voltage at the middle of the section that holds the first segment; a segment id before it chooses that
segment's middle. Everything else is looked up among what the cell's mechanisms and inputs expose: element ids on the
way (`biophys/membraneProperties`, the id of a channel, `synapses:syn:0`) lead to the placement or attachment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeAlias

from nmlopt.errors import NmloptError
from nmlopt.experiment.model import Attached, Stimulus
from nmlopt.experiment.sites import VOLTAGE, has_voltage
from nmlopt.importers.simulation_model import Constant
from nmlopt.ir.model import Cell, MechanismKind, Placement, Site
from nmlopt.ir.regions import compartment_at, first_compartments
from nmlopt.ir.sites import locate
from nmlopt.lems.expression import Num

_SYNAPSES: Final = re.compile(r"synapses:(?P<id>.+):(?P<index>\d+)\Z")
_CONTAINERS: Final = frozenset({"membraneProperties", "membraneProperties2CaPools", "intracellularProperties"})
_POOL_NAMES: Final = {
    "caConc": ("ca", "concentration"),
    "caConcExt": ("ca", "extConcentration"),
    "caConc2": ("ca2", "concentration"),
    "caConcExt2": ("ca2", "extConcentration"),
}
_TOTALS: Final[Mapping[str, str | None]] = {"iCa": "ca", "iCa2": "ca2", "iChannels": None}
"""Currents that a cell adds up (A, inward): the ion whose they are, None for those of all."""

SPIKING: Final = "spiking"
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of `experiment.model.Output` at a site. `above_mV`: not itself, but whether it exceeds that level."""

    site: Site
    name: str
    above_mV: float | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """Variables at one site with the factors by which they add up."""

    terms: tuple[tuple[Variable, float], ...]


Found: TypeAlias = Variable | Constant | Sum


def first_site(cell: Cell) -> Site:
    """The middle of the section that holds the first segment; of a point cell its only place."""
    if cell.geometry is None:
        return Site(0, 0.5, 0)
    segments = {s for section in cell.geometry.sections for s in section.segments}
    wanted = 0 if 0 in segments else cell.geometry.sections[0].segments[0]
    section = next(i for i, s in enumerate(cell.geometry.sections) if wanted in s.segments)
    first = first_compartments(cell.geometry.sections)[section]
    return Site(section, 0.5, first + compartment_at(cell.geometry.sections[section], 0.5))


def site_of(cell: Cell, segment: int | None, fraction: float) -> Site:
    """Where a drive or a recording lies. Raises TargetsError: I130 no such segment, I131 fraction."""
    if cell.geometry is None or segment is None:
        return first_site(cell)
    known = {s for section in cell.geometry.sections for s in section.segments}
    if segment == 0 and 0 not in known:
        segment = cell.geometry.sections[0].segments[0]
    return locate(cell.geometry, segment, fraction)


def find(cell: Cell, stimuli: Sequence[Stimulus], steps: Sequence[str]) -> tuple[Found | None, str]:
    """What the steps below an instance mean, or None and why not, with what there is instead."""
    site = first_site(cell)
    rest = list(steps)
    if rest and rest[0].isdecimal() and cell.geometry is not None:
        try:
            site = site_of(cell, int(rest.pop(0)), 0.5)
        except NmloptError as error:
            return None, "; ".join(f"{issue.message} ({issue.hint})" for issue in error.issues)
    if not rest:
        return None, "the path ends at a cell and names no variable"
    return (_voltage(cell, site, rest) or _pool(cell, site, rest) or _total(cell, site, rest)
            or _placed(cell, site, rest) or _of_input(cell, stimuli, rest)
            or (None, _instead(cell, stimuli, site, rest)))  # fmt: skip


_Result: TypeAlias = tuple[Found | None, str]


def _voltage(cell: Cell, site: Site, steps: Sequence[str]) -> _Result | None:
    if list(steps) == [VOLTAGE] and has_voltage(cell):
        return Variable(site, VOLTAGE), ""
    if list(steps) == [SPIKING] and cell.geometry is not None:
        level = spike_threshold(cell, site)
        return None if level is None else (Variable(site, VOLTAGE, level), "")
    return None


def spike_threshold(cell: Cell, site: Site) -> float | None:
    """The spikeThresh (mV) of a cell at a site; None if it states none there."""
    here = [a.value for a in cell.spike_threshold if site.compartment in a.compartments]
    return 1e3 * here[-1].value if here and isinstance(here[-1], Num) else None


def _pool(cell: Cell, site: Site, steps: Sequence[str]) -> _Result | None:
    """caConc and its like; where no pool of the ion lies the core types give an empty sum."""
    if len(steps) != 1 or steps[0] not in _POOL_NAMES or cell.geometry is None:
        return None
    ion, exposure = _POOL_NAMES[steps[0]]
    for placement in cell.placements:
        mechanism = cell.mechanism(placement.mechanism)
        if mechanism.kind is MechanismKind.POOL and mechanism.ion == ion and site.compartment in placement.compartments:
            return Variable(site, f"{placement.id}/{exposure}"), ""
    return Constant(0.0), ""


def _total(cell: Cell, site: Site, steps: Sequence[str]) -> _Result | None:
    """iCa and its like, of the compartment as exporters give them: densities times area, and populations."""
    if len(steps) != 1 or steps[0] not in _TOTALS or cell.geometry is None:
        return None
    ion = _TOTALS[steps[0]]
    area_m2 = cell.geometry.compartments[site.compartment].area_m2
    currents = {MechanismKind.DENSITY: ("iDensity", area_m2), MechanismKind.POPULATION: ("i", 1.0)}
    terms: list[tuple[Variable, float]] = []
    for placement in cell.placements:
        mechanism = cell.mechanism(placement.mechanism)
        if mechanism.kind not in currents or site.compartment not in placement.compartments:
            continue
        if ion is None or mechanism.ion == ion:
            name, factor = currents[mechanism.kind]
            terms.append((Variable(site, f"{placement.id}/{name}"), factor))
    return (Sum(tuple(terms)) if terms else Constant(0.0)), ""


def _placed(cell: Cell, site: Site, steps: Sequence[str]) -> _Result | None:
    """A variable of a density, population, pool or point cell."""
    for placement in cell.placements:
        if site.compartment not in placement.compartments:
            continue
        exposed = {name for name, _ in cell.mechanism(placement.mechanism).dynamics.exposures}
        for wanted in _spellings(cell, placement, steps):
            if wanted in exposed:
                return Variable(site, f"{placement.id}/{wanted}"), ""
    return None


def _spellings(cell: Cell, placement: Placement, steps: Sequence[str]) -> Iterator[str]:
    """How the steps may be written among the exposures: after the placement's id, without the channel's or model's."""
    if cell.geometry is None:
        yield "/".join(steps)
        yield from ("/".join((*steps[:k], *steps[k + 1 :])) for k in range(len(steps) - 1))
        return
    if placement.id not in steps[:-1]:
        return
    below = steps[steps.index(placement.id) + 1 :]
    if all(step in _CONTAINERS for step in steps[1 : steps.index(placement.id)]):
        yield "/".join(below)
        yield "/".join(below[1:])


def _of_input(cell: Cell, stimuli: Sequence[Stimulus], steps: Sequence[str]) -> _Result | None:
    """A variable of an attached input or synapse."""
    attached = [s for s in stimuli if isinstance(s, Attached)]
    indexed = _SYNAPSES.match(steps[0])
    name, index = (indexed["id"], int(indexed["index"])) if indexed else (steps[0], 0)
    named = [s for s in attached if s.id.split(":")[0] == name]
    if index >= len(named) or len(steps) < 2:
        return None
    chosen = named[index]
    exposed = {exposure for exposure, _ in cell.input_mechanism(chosen.component).dynamics.exposures}
    below = list(steps[1:])
    for wanted in ("/".join(below), "/".join(below[1:])):
        if wanted in exposed:
            return Variable(chosen.site, f"{chosen.id}/{wanted}"), ""
    return None


def _instead(cell: Cell, stimuli: Sequence[Stimulus], site: Site, steps: Sequence[str]) -> str:
    """What there is to record at the site, nearest first."""
    names = [VOLTAGE] if has_voltage(cell) else []
    for placement in cell.placements:
        if site.compartment in placement.compartments:
            before = "" if cell.geometry is None else f"{placement.id}/"
            names += [before + name for name, _ in cell.mechanism(placement.mechanism).dynamics.exposures]
    for stimulus in stimuli:
        if isinstance(stimulus, Attached):
            mechanism = cell.input_mechanism(stimulus.component)
            names += [f"{stimulus.id}/{name}" for name, _ in mechanism.dynamics.exposures]
    near = get_close_matches("/".join(steps[-3:]), names, n=3, cutoff=0.4)
    listed = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    instead = f"did you mean {' or '.join(near)}?" if near else f"here are: {listed}"
    return f"'{'/'.join(steps)}' is no variable of '{cell.id}' there; {instead}"
