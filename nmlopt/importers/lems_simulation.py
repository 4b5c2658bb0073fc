"""Reads a LEMS simulation: every instance of a cell becomes an experiment, every column an output of one.

Nothing may connect cells to each other; spike sources and inputs act on single cells and become stimuli.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from nmlopt.document.model import Document, Element
from nmlopt.errors import Issue, LemsError, NmloptError, Severity, SimulationError, UnsupportedError
from nmlopt.experiment.model import Attached, Experiment, Output, Stimulus
from nmlopt.experiment.resolve import DEFAULT_TEMPERATURE_K
from nmlopt.experiment.sites import VOLTAGE, has_voltage, input_dimension
from nmlopt.importers.network import Drive, Network, Population, Target, read_network
from nmlopt.importers.quantities import Sum, Variable, find, first_site, site_of
from nmlopt.importers.recording import read_recorded
from nmlopt.importers.scope import Scope
from nmlopt.importers.simulation_elements import Written, read_written
from nmlopt.importers.simulation_model import (
    Above,
    CellRun,
    Constant,
    Given,
    LemsSimulation,
    Recorded,
    Signal,
    Since,
    Total,
)
from nmlopt.importers.spiking import Events, is_random, spike_level
from nmlopt.importers.stimuli import PlainStimulus, attached_id, fires_itself, plain_stimulus
from nmlopt.ir.choose import is_cell
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site
from nmlopt.lems.resolve import Components, components
from nmlopt.lems.types import place

BARE: Final = ""
"""The population of a cell that is itself the target of the simulation."""

_SINCE: Final = "tsince"
_UNSUPPORTED: Final = frozenset({"S010", "S011"})


def read_simulation(
    document: Document, *, step_ms: float | None = None, unrecordable: Severity = Severity.ERROR
) -> LemsSimulation:
    """The simulation in a document; `unrecordable`: what a column is that cannot be recorded (`read_recorded`).

    `step_ms` takes the place of the document's own step, at the ends of which spike sources fire.
    Raises with everything that was found: UnsupportedError if cells are connected or an element is not supported (S010,
    S011, I..., L...), else SimulationError (S...), LemsError, UnitsError.
    """
    scope = Scope(_components(document))
    written = read_written(scope, document)
    written = written if step_ms is None else replace(written, step_ms=step_ms)
    network = _network(scope, written)
    _raise_errors(scope.issues)
    reader = _Reader(scope, document, written, network)
    recorded = read_recorded(scope, written, reader, unrecordable=unrecordable)
    runs = reader.runs()
    _raise_errors(scope.issues)
    if not runs:
        message = "the simulation holds no instance of a cell"
        raise SimulationError(Issue("S015", message, place(written.target), "add a population with a size"))
    return LemsSimulation(
        written.element.attributes.get("id", ""),
        document,
        written.duration_ms,
        written.step_ms,
        runs,
        recorded.files,
        recorded.events,
        recorded.displays,
        tuple(scope.issues),
    )


def _components(document: Document) -> Components:
    try:
        return components(document)
    except LemsError as error:
        raise UnsupportedError(error.issues) from None


def _network(scope: Scope, written: Written) -> Network:
    target, type_ = written.target, written.target_type
    if type_.extends("network"):
        return read_network(scope, target, type_)
    if not is_cell(scope.known, target):
        message = f"the target '{target.attributes.get('id')}' of the Simulation is no cell"
        raise SimulationError(Issue("S003", message, place(written.element), "name a network, or a cell"))
    return Network({BARE: Population(BARE, target, target, type_, (0,))}, ())


def _raise_errors(issues: Sequence[Issue]) -> None:
    found = tuple(dict.fromkeys(issues))
    errors = [issue for issue in found if issue.severity is Severity.ERROR]
    if errors:
        refused = any(issue.code in _UNSUPPORTED or not issue.code.startswith("S") for issue in errors)
        raise (UnsupportedError if refused else SimulationError)(errors)


@dataclass(slots=True)
class _Instance:
    """One instance of a cell that has to be run."""

    target: Target
    site_stimuli: tuple[Stimulus, ...]
    given: dict[str, PlainStimulus]
    fired: dict[str, tuple[float, ...]]
    outputs: dict[tuple[int, str], Output] = field(default_factory=dict)


class _Reader:
    """Finds what is recorded of which instance, and lowers each kind of cell once."""

    def __init__(self, scope: Scope, document: Document, written: Written, network: Network) -> None:
        self._scope = scope
        self._document = document
        self._network = network
        self._duration_ms = written.duration_ms
        self._events = Events(scope.known, network, written)
        self._cells: dict[str, Cell | None] = {}
        self._instances: dict[Target, _Instance] = {}
        self._by_target: dict[Target, list[tuple[int, Drive]]] = {}
        for number, drive in enumerate(network.drives):
            self._by_target.setdefault(drive.target, []).append((number, drive))
        self._tell_random()

    # ------------------------------------------------------------------------------------------ what is recorded

    def signal(self, quantity: str) -> tuple[Signal | None, str]:
        """What a quantity path means, or None and why nothing."""
        target, steps, fault = self._pointed(quantity)
        if target is None:
            return None, fault
        population = self._network.populations[target.population]
        if population.is_source:
            return self._of_source(target, steps)
        instance, cell = self._instance(target), self._cell(population)
        if instance is None or cell is None:
            return None, ""  # the reason was noted where it arose
        given = instance.given.get(steps[0]) if len(steps) == 2 and steps[1] in ("i", "I") else None
        if given is not None:
            return Given(given, 1e-9 if steps[1] == "i" else 1.0), ""
        if len(steps) == 2 and steps[1] == _SINCE and steps[0] in instance.fired:
            return Since(instance.fired[steps[0]]), ""
        found, fault = find(cell, instance.site_stimuli, steps)
        if found is None or isinstance(found, Constant):
            return found, fault
        if isinstance(found, Sum):
            return Total(tuple(replace(self._output(instance, v), factor=f) for v, f in found.terms)), ""
        return self._recorded(instance, found), ""

    def spikes(self, path: str) -> tuple[Above | tuple[float, ...] | None, str]:
        """The events that a path selects, or None and why there are none."""
        target, steps, fault = self._pointed(path)
        if target is None or steps:
            return None, fault or f"'{path}' points below an instance"
        population = self._network.populations[target.population]
        if population.is_source:
            return self._events.of_source(target), ""
        instance, cell = self._instance(target), self._cell(population)
        if instance is None or cell is None:
            return None, ""
        level = spike_level(cell)
        if level is None:
            return None, f"'{cell.id}' ({cell.type}) states no threshold at which it spikes"
        name = level[0] if level[0] == VOLTAGE else f"{cell.id}/{level[0]}"
        return Above(self._output(instance, Variable(first_site(cell), name)), level[1]), ""

    def runs(self) -> tuple[CellRun, ...]:
        """A run for each kind of cell; where nothing is recorded, every instance with its voltage."""
        if not self._instances:
            for population in self._network.populations.values():
                for position in range(0 if population.is_source else len(population.indices)):
                    self._instance(Target(population.id, position))
        made: dict[str, list[Experiment]] = {}
        for target, instance in self._instances.items():
            name = self._network.populations[target.population].component.attributes.get("id", "")
            cell = self._cells[name]
            if cell is not None:
                made.setdefault(name, []).append(self._experiment(instance, cell))
        return tuple(CellRun(cell, tuple(made[name])) for name, cell in self._cells.items() if cell and name in made)

    # ------------------------------------------------------------------------------------------ instances

    def _pointed(self, path: str) -> tuple[Target | None, tuple[str, ...], str]:
        if BARE in self._network.populations:
            return Target(BARE, 0), tuple(step for step in path.strip().split("/") if step), ""
        return self._network.instance(path)

    def _of_source(self, target: Target, steps: Sequence[str]) -> tuple[Signal | None, str]:
        if list(steps) == [_SINCE]:
            return Since(self._events.of_source(target)), ""
        return None, f"'{'/'.join(steps)}' of a spike source is not recorded; 'tsince' is"

    def _recorded(self, instance: _Instance, found: Variable) -> Signal:
        plain = self._output(instance, found)
        return plain if found.above_mV is None else Above(replace(plain, factor=1.0), found.above_mV)

    def _output(self, instance: _Instance, found: Variable) -> Recorded:
        key = (found.site.compartment, found.name)
        output = instance.outputs.setdefault(key, Output(f"r{len(instance.outputs)}", found.site, found.name))
        return Recorded(self._name(instance.target), output.id, 1e-3 if found.name == VOLTAGE else 1.0)

    def _instance(self, target: Target) -> _Instance | None:
        if target not in self._instances:
            cell = self._cell(self._network.populations[target.population])
            if cell is None:
                return None
            self._instances[target] = self._stimulated(target, cell)
        return self._instances[target]

    def _cell(self, population: Population) -> Cell | None:
        """The cell of a population with every input compiled in that is attached to any instance of it."""
        name = population.component.attributes.get("id", "")
        if name not in self._cells:
            inputs = [
                _attached_component(drive)
                for drive in self._network.drives
                if self._network.populations[drive.target.population].component is population.component
                and self._plain(drive) is None
            ]
            try:
                self._cells[name] = lower(self._document, component=name, inputs=tuple(dict.fromkeys(inputs)))
            except NmloptError as error:
                self._scope.issues.extend(error.issues)
                self._cells[name] = None
        return self._cells[name]

    def _plain(self, drive: Drive) -> PlainStimulus | None:
        if drive.source is not None:
            return None
        return plain_stimulus(self._scope, drive.component, drive.type, Site(0, 0.5, 0), drive.weight)

    def _stimulated(self, target: Target, cell: Cell) -> _Instance:
        stimuli: list[Stimulus] = []
        given: dict[str, PlainStimulus] = {}
        fired: dict[str, tuple[float, ...]] = {}
        for number, drive in self._by_target.get(target, ()):
            name = drive.component.attributes.get("id", "")
            self._check_dimension(drive, cell)
            try:
                site = site_of(cell, drive.segment, drive.fraction)
                plain = self._plain(drive)
                if plain is not None:
                    stimuli.append(replace(plain, site=site))
                    given.setdefault(name, plain)
                    continue
                events = self._events.of_drive(number, drive)
            except NmloptError as error:
                message = "; ".join(issue.message for issue in error.issues)
                self._scope.fault("S013", f"input '{name}' on '{self._name(target)}': {message}", drive.element)
                continue
            if fires_itself(drive.type):
                fired.setdefault(name, events)
            stimuli.append(Attached(site, attached_id(name, stimuli), _attached_component(drive), drive.weight, events))
        return _Instance(target, tuple(stimuli), given, fired)

    def _check_dimension(self, drive: Drive, cell: Cell) -> None:
        takes = input_dimension(cell)
        is_plain = drive.type.extends("basePointCurrentDL")
        if takes is None:
            message = f"'{cell.id}' ({cell.type}) takes no input, but <{drive.element.tag}> gives it one"
        elif is_plain != (takes == "none"):
            wanted = "dimensionless input" if takes == "none" else "a current"
            message = f"'{cell.id}' ({cell.type}) takes {wanted}, which '{drive.type.name}' is not"
        else:
            return
        self._scope.fault("S013", message, drive.element)

    def _experiment(self, instance: _Instance, cell: Cell) -> Experiment:
        temperature = self._network.temperature_K
        outputs = tuple(instance.outputs.values())
        if not outputs and has_voltage(cell):
            outputs = (Output("r0", first_site(cell)),)
        return Experiment(
            self._name(instance.target),
            self._duration_ms,
            DEFAULT_TEMPERATURE_K if temperature is None else temperature,
            instance.site_stimuli,
            outputs,
        )

    def _name(self, target: Target) -> str:
        population = self._network.populations[target.population]
        if target.population == BARE:
            return population.component.attributes.get("id", "cell")
        return f"{target.population}[{population.indices[target.position]}]"

    def _tell_random(self) -> None:
        seen: set[Element] = set()
        for drive in self._network.drives:
            source = None if drive.source is None else self._network.populations[drive.source.population]
            element, type_ = (drive.component, drive.type) if source is None else (source.component, source.type)
            if element not in seen and is_random(type_):
                seen.add(element)
                name = element.attributes.get("id")
                message = f"the spikes of '{name}' are random: seeded here, and drawn as no other tool does"
                self._scope.remark("S040", message, element, Severity.INFO)


def _attached_component(drive: Drive) -> str:
    """The id of the component that makes the current: of an input that fires itself the synapse inside."""
    if drive.source is None and fires_itself(drive.type):
        return drive.component.attributes.get("synapse", "")
    return drive.component.attributes.get("id", "")
