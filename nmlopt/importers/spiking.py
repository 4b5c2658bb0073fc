"""When the spikes of a network's sources arrive, and the level at which a cell of our own counts as spiking."""

from __future__ import annotations

from typing import Final

import numpy as np

from nmlopt.document.model import Element
from nmlopt.experiment.spike_sources import spike_times
from nmlopt.importers.network import Drive, Network, Target
from nmlopt.importers.quantities import first_site, spike_threshold
from nmlopt.importers.simulation_elements import Written
from nmlopt.importers.stimuli import fires_itself
from nmlopt.ir.model import Cell, MechanismKind
from nmlopt.lems.expression import Num, Op, Sym
from nmlopt.lems.resolve import Components
from nmlopt.lems.types import ComponentType

_OF_SOURCES, _OF_INPUTS = 0, 1


class Events:
    """Spike times (ms) of the sources and of inputs that fire themselves; each draws its own random numbers."""

    def __init__(self, known: Components, network: Network, written: Written) -> None:
        self._known = known
        self._network = network
        self._written = written
        self._order = {name: k for k, name in enumerate(network.populations)}
        self._sources: dict[Target, tuple[float, ...]] = {}

    def of_source(self, source: Target) -> tuple[float, ...]:
        """When an instance of a population of sources fires. Raises LemsError."""
        if source not in self._sources:
            component = self._network.populations[source.population].component
            stream = (_OF_SOURCES, self._order[source.population], source.position)
            self._sources[source] = self._times(component, stream)
        return self._sources[source]

    def of_drive(self, number: int, drive: Drive) -> tuple[float, ...]:
        """When events reach the synapse of the `number`-th drive; () for a plain current. Raises LemsError."""
        if drive.source is not None:
            return tuple(t + drive.delay_ms for t in self.of_source(drive.source))
        if fires_itself(drive.type):
            return self._times(drive.component, (_OF_INPUTS, number))
        return ()

    def _times(self, component: Element, stream: tuple[int, ...]) -> tuple[float, ...]:
        seed = int(np.random.SeedSequence((self._written.seed, *stream)).generate_state(1)[0])
        name = component.attributes.get("id", "")
        return spike_times(self._known, name, self._written.duration_ms, self._written.step_ms, seed)


def is_random(type_: ComponentType) -> bool:
    """Whether the equations of a component draw random numbers."""
    if type_.dynamics is None:
        return False
    return any("random(" in text.replace(" ", "") for e in type_.dynamics.walk() for text in e.attributes.values())


def spike_level(cell: Cell) -> tuple[str, float] | None:
    """The variable whose upward crossing is a spike, and the level (mV for 'v', else SI); None if there is none."""
    if cell.geometry is not None:
        level = spike_threshold(cell, first_site(cell))
        return None if level is None else ("v", level)
    mechanism = next(m for m in cell.mechanisms if m.kind is MechanismKind.POINT_CELL)
    known: dict[str, float] = {p.name: p.value.value for p in mechanism.parameters if isinstance(p.value, Num)}
    for condition in mechanism.dynamics.conditions:
        match condition.test:
            case Op(">" | ">=", (Sym(name), Num(level))) if condition.emits_spike:
                return (name, 1e3 * level if name == "v" else level)
            case Op(">" | ">=", (Sym(name), Sym(limit))) if condition.emits_spike and limit in known:
                return (name, 1e3 * known[limit] if name == "v" else known[limit])
    return None


FORMATS: Final = ("ID_TIME", "TIME_ID")
