"""The target of a simulation: populations of cells and spike sources, and what acts on single cells.

What connects cells to each other is refused, each with its element and place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nmlopt.document.model import Element
from nmlopt.importers.references import reference
from nmlopt.importers.scope import Scope
from nmlopt.ir.choose import is_cell
from nmlopt.lems.resolve import label
from nmlopt.lems.types import ComponentType

_SOURCE: Final = "baseSpikeSource"
_IGNORED: Final = frozenset({"notes", "annotation", "property", "region", "regions", "space", "layout", "cellSet"})
_ALONE: Final = "nmlopt runs single cells: take the connection out, or replace its source by a spike source"
_BETWEEN: Final = ("electricalProjection", "continuousProjection")
_MOST_INSTANCES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Population:
    """Instances of one component. `indices` are the ids of the instances, in order."""

    id: str
    element: Element
    component: Element
    type: ComponentType
    indices: tuple[int, ...]

    @property
    def is_source(self) -> bool:
        """Whether its instances only emit spikes."""
        return self.type.extends(_SOURCE)


@dataclass(frozen=True, slots=True)
class Target:
    """An instance: its population and its position there."""

    population: str
    position: int


@dataclass(frozen=True, slots=True)
class Drive:
    """An input or synapse component on an instance, and the spike source that triggers it, if any.

    `segment` None: the middle of the section that holds the first segment, as explicit inputs are placed.
    """

    element: Element
    target: Target
    component: Element
    type: ComponentType
    segment: int | None = None
    fraction: float = 0.5
    weight: float = 1.0
    delay_ms: float = 0.0
    source: Target | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """The populations by id, and everything that acts on their instances, in document order."""

    populations: Mapping[str, Population]
    drives: tuple[Drive, ...]
    temperature_K: float | None = None

    def instance(self, text: str) -> tuple[Target | None, tuple[str, ...], str]:
        """The instance that a path points at, the steps below it, and what is wrong if there is none."""
        found = reference(text)
        if found is None:
            return None, (), f"'{text}' names no instance of a population"
        population = self.populations.get(found.population)
        if population is None:
            known = ", ".join(self.populations) or "none"
            return None, (), f"'{text}': there is no population '{found.population}' (populations: {known})"
        try:
            indices = population.indices
            position = indices.index(found.index) if found.is_listed else range(len(indices))[found.index]
        except (ValueError, IndexError):
            return None, (), f"'{text}': population '{population.id}' has no instance {found.index}"
        steps = found.steps
        if found.is_listed and steps and steps[0] == population.component.attributes.get("id"):
            steps = steps[1:]
        return Target(population.id, position), steps, ""


def read_network(scope: Scope, network: Element, type_: ComponentType) -> Network:
    """The populations and drives of a network; findings (S005, S010 to S014) go to `scope`."""
    populations: dict[str, Population] = {}
    rest: list[tuple[Element, ComponentType]] = []
    for element in network.children:
        found = scope.type_of(element, type_)
        if found is not None and found.extends("basePopulation"):
            population = _population(scope, element, found)
            if population is not None:
                populations[population.id] = population
        elif found is not None and element.tag not in _IGNORED:
            rest.append((element, found))
        elif element.tag not in _IGNORED:
            scope.fault("S011", f"<{element.tag}> in network '{label(network)}' is not supported", element)
    temperature = (
        scope.number(network, "temperature", 0.0, "temperature") if "temperature" in network.attributes else None
    )
    bare = Network(populations, (), temperature)
    reader = _Reader(scope, bare)
    drives = [drive for element, found in rest for drive in reader.drives(element, found)]
    return Network(populations, tuple(drives), temperature)


def _population(scope: Scope, element: Element, type_: ComponentType) -> Population | None:
    name = element.attributes.get("id", "")
    wanted = element.attributes.get("component", "")
    candidates = scope.known.by_id.get(wanted, ())
    if len(candidates) != 1:
        problem = "is not defined" if not candidates else "is defined twice"
        message = f"the component '{wanted}' of population '{name}' {problem}"
        scope.fault("S014", message, element, "include the file that defines it" if not candidates else "")
        return None
    component = candidates[0]
    found = scope.type_of(component)
    if found is None or not (is_cell(scope.known, component) or found.extends(_SOURCE)):
        message = f"the component '{wanted}' of population '{name}' (<{component.tag}>) is no cell and no spike source"
        scope.fault("S014", message, element)
        return None
    return Population(name, element, component, found, tuple(_indices(scope, element, type_)))


def _indices(scope: Scope, element: Element, type_: ComponentType) -> Iterator[int]:
    instances = [e for e in element.children if e.tag == "instance"]
    if instances or type_.extends("populationList"):
        for position, instance in enumerate(instances):
            text = instance.attributes.get("id", str(position)).strip()
            if not text.isdecimal():
                scope.fault("S014", f"the id '{text}' of an instance is no whole number", instance)
            yield int(text) if text.isdecimal() else position
        if not instances:
            scope.fault("S014", f"population '{element.attributes.get('id')}' has no instances", element)
        return
    size = scope.number(element, "size", -1.0)
    if not (0 <= size <= _MOST_INSTANCES) or size != int(size):
        message = f"population '{element.attributes.get('id')}' has no size that makes sense"
        scope.fault("S014", message, element, 'write size="1"')
        return
    yield from range(int(size))


class _Reader:
    """Reads inputs and connections of one network."""

    def __init__(self, scope: Scope, network: Network) -> None:
        self._scope = scope
        self._network = network

    def drives(self, element: Element, type_: ComponentType) -> Iterator[Drive]:
        """The drives that an element of the network stands for."""
        if type_.extends("explicitInput"):
            yield from self._input(element, element.attributes.get("input", ""), element, is_listed=False)
        elif type_.extends("inputList"):
            component = element.attributes.get("component", "")
            for child in element.children:
                found = self._scope.type_of(child, type_)
                if found is not None and found.extends("input"):
                    yield from self._input(child, component, element, is_listed=True)
                elif child.tag not in _IGNORED:
                    self._unknown(child)
        elif type_.extends("synapticConnection"):
            if self._is_between_cells(element, "from"):
                first, second = (element.attributes.get(name, "") for name in ("from", "to"))
                message = f"<{element.tag}> connects cells: '{first}' to '{second}'"
                self._scope.fault("S010", message, element, _ALONE)
            else:
                yield from self._connection(element, element, ("from", "to"), is_listed=False)
        elif type_.extends("projection"):
            yield from self._projection(element, type_)
        elif any(type_.extends(name) for name in _BETWEEN):
            self._between(element)
        else:
            self._unknown(element)

    def _unknown(self, element: Element) -> None:
        name = f" '{element.attributes['id']}'" if "id" in element.attributes else ""
        self._scope.fault("S011", f"<{element.tag}>{name} is not supported in a network", element)

    def _between(self, element: Element) -> None:
        """Gap junctions and continuous connections; without any connection nothing is connected."""
        connections = [child for child in element.children if child.tag not in _IGNORED]
        if connections:
            self._refused(element, connections)

    def _refused(self, projection: Element, connections: Sequence[Element]) -> None:
        before, after = (
            projection.attributes.get(name, "?") for name in ("presynapticPopulation", "postsynapticPopulation")
        )
        many = f"{len(connections)} <{connections[0].tag}>" if len(connections) > 1 else f"one <{connections[0].tag}>"
        message = f"<{projection.tag}> '{label(projection)}' connects cells: '{before}' to '{after}' ({many})"
        self._scope.fault("S010", message, projection, _ALONE)

    def _projection(self, element: Element, type_: ComponentType) -> Iterator[Drive]:
        between: list[Element] = []
        for child in element.children:
            found = self._scope.type_of(child, type_)
            if found is not None and found.extends("connection"):
                if self._is_between_cells(child, "preCellId"):
                    between.append(child)
                else:
                    yield from self._connection(child, element, ("preCellId", "postCellId"), is_listed=True)
            elif child.tag not in _IGNORED:
                self._unknown(child)
        if between:
            self._refused(element, between)

    def _is_between_cells(self, element: Element, attribute: str) -> bool:
        source = self._network.instance(element.attributes.get(attribute, ""))[0]
        return source is not None and not self._network.populations[source.population].is_source

    def _input(self, element: Element, component: str, holder: Element, *, is_listed: bool) -> Iterator[Drive]:
        target = self._instance(element, "target")
        found = self._component(component, holder, ("basePointCurrent", "basePointCurrentDL"), "input")
        if target is None or found is None:
            return
        segment, fraction = self._site(element, "segmentId", "fractionAlong") if is_listed else (None, 0.5)
        weight = self._scope.number(element, "weight", 1.0, "none")
        yield Drive(element, target, *found, segment, fraction, weight)

    def _connection(
        self, element: Element, holder: Element, ends: tuple[str, str], *, is_listed: bool
    ) -> Iterator[Drive]:
        source, target = (self._instance(element, name) for name in ends)
        if source is None or target is None:
            return
        found = self._component(
            holder.attributes.get("synapse", ""), holder, ("baseSynapse", "baseSynapseDL"), "synapse"
        )
        if found is None:
            return
        segment, fraction = self._site(element, "postSegmentId", "postFractionAlong") if is_listed else (None, 0.5)
        weight = self._scope.number(element, "weight", 1.0, "none")
        delay_ms = 1e3 * self._scope.number(element, "delay", 0.0, "time")
        yield Drive(element, target, *found, segment, fraction, weight, delay_ms, source)

    def _instance(self, element: Element, attribute: str) -> Target | None:
        text = element.attributes.get(attribute, "")
        target, steps, fault = self._network.instance(text)
        if target is None:
            self._scope.fault("S012", f"{attribute} of <{element.tag}>: {fault}", element)
        elif steps:
            message = f"{attribute}='{text}' of <{element.tag}> points below an instance: '{'/'.join(steps)}'"
            self._scope.fault("S012", message, element, "write the path of the instance alone")
            return None
        return target

    def _component(
        self, wanted: str, holder: Element, bases: tuple[str, str], what: str
    ) -> tuple[Element, ComponentType] | None:
        candidates = self._scope.known.by_id.get(wanted, ())
        if len(candidates) != 1:
            problem = "is not defined" if not candidates else "is defined twice"
            message = f"the {what} '{wanted}' of <{holder.tag}> {problem}"
            self._scope.fault("S012", message, holder, "include the file that defines it" if not candidates else "")
            return None
        found = self._scope.type_of(candidates[0])
        if found is None or not any(found.extends(base) for base in bases):
            message = f"'{wanted}' (<{candidates[0].tag}>) is no {what} component"
            self._scope.fault("S012", message, holder)
            return None
        return candidates[0], found

    def _site(self, element: Element, segment: str, fraction: str) -> tuple[int, float]:
        number = self._scope.number(element, segment, 0.0, "none")
        if number != int(number):
            self._scope.fault("S005", f"{segment}='{element.attributes[segment]}' is no whole number", element)
        return int(number), self._scope.number(element, fraction, 0.5, "none")
