"""Cells with morphology: geometry, passive properties, channel densities and pools of a `<cell>`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nmlopt.document.model import Element
from nmlopt.errors import Issue, NmloptError, UnsupportedError
from nmlopt.ir.densities import Densities
from nmlopt.ir.geometry import build_geometry
from nmlopt.ir.mechanisms import Catalogue
from nmlopt.ir.model import Assignment, Geometry
from nmlopt.ir.numbers import Numbers
from nmlopt.ir.placing import Places
from nmlopt.ir.pools import lower_pools
from nmlopt.lems.expression import Expr, Num
from nmlopt.lems.resolve import Components, Instance
from nmlopt.lems.types import place

DEFAULT_INITIAL_V = -0.065
"""Where a document states no initMembPotential: NEURON's default, with which jNeuroML's export of such cells runs."""

SHAPE = "the shape of the cell is fixed while it is fitted"
_NOT_MEMBRANE = frozenset({"notes", "annotation", "property", "initMembPotential", "spikeThresh"})


@dataclass(frozen=True, slots=True)
class Membrane:
    """What a cell with morphology has beside mechanisms."""

    geometry: Geometry | None = None
    capacitance: tuple[Assignment, ...] = ()
    resistivity: tuple[Assignment, ...] = ()
    initial_v: tuple[Assignment, ...] = ()
    spike_threshold: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class _Parts:
    """The elements of a cell, wherever they stand."""

    morphology: Element
    membrane: Instance
    intracellular: Instance | None


def lower_membrane(
    known: Components, numbers: Numbers, cell: Instance, catalogue: Catalogue, issues: list[Issue]
) -> Membrane:
    """Lower a cell into `catalogue`; everything that is wrong or not supported goes into `issues`."""
    try:
        _check_type(known, cell)
        parts = _parts(known, cell)
        found: list[Issue] = []
        geometry = build_geometry(cell.element, parts.morphology, found, fixed=lambda e, a: numbers.fixed(e, a, SHAPE))
    except NmloptError as error:
        issues.extend(error.issues)
        return Membrane()
    issues.extend(found)
    places = Places(geometry, parts.morphology, issues)
    pools = lower_pools(known, numbers, parts.intracellular, places, catalogue)
    densities = Densities(known, numbers, places, pools, catalogue)
    for element in _channels(known, parts.membrane, issues):
        densities.add(element, parts.membrane)
    reader = _Properties(numbers, places)
    membrane, inside = parts.membrane.element, parts.intracellular.element if parts.intracellular else None
    return Membrane(
        geometry,
        capacitance=reader.required(membrane, "specificCapacitance", "I020"),
        resistivity=reader.required(inside, "resistivity", "I021")
        if _has_cable(geometry)
        else reader.read(inside, "resistivity"),
        initial_v=reader.with_default(membrane, "initMembPotential", DEFAULT_INITIAL_V),
        spike_threshold=reader.read(membrane, "spikeThresh"),
    )


def _check_type(known: Components, cell: Instance) -> None:
    """A type derived from cell may not have equations of its own. Raises UnsupportedError I004."""
    standard = {known.types.get(name).dynamics for name in ("cell", "cell2CaPools")}
    if cell.type.dynamics not in standard:
        message = f"the type '{cell.type.name}' of a cell with morphology has Dynamics of its own"
        raise UnsupportedError(Issue("I004", message, place(cell.element), "use <cell>, or a point cell"))


def _parts(known: Components, cell: Instance) -> _Parts:
    name = cell.element.attributes.get("id")
    morphology = _part(known, cell, "morphology")
    names = ("biophysicalProperties", "biophysicalProperties2CaPools")
    biophysics = next((found for n in names if (found := _part(known, cell, n))), None)
    if morphology is None or biophysics is None:
        missing = "morphology" if morphology is None else "biophysicalProperties"
        message = f"cell '{name}' has no {missing}"
        raise UnsupportedError(Issue("I005", message, place(cell.element), f"add a <{missing}>, or refer to one"))
    inner = known.instance(biophysics)
    membrane = next((e for e in biophysics.children if e.tag.startswith("membraneProperties")), None)
    inside = next((e for e in biophysics.children if e.tag.startswith("intracellularProperties")), None)
    if membrane is None:
        raise UnsupportedError(Issue("I005", "biophysicalProperties without membraneProperties", place(biophysics)))
    return _Parts(
        morphology, known.instance(membrane, inner), None if inside is None else known.instance(inside, inner)
    )


def _part(known: Components, cell: Instance, tag: str) -> Element | None:
    """A child of a cell, or the top-level element that its attribute of that name refers to."""
    for element in cell.element.children:
        if element.tag == tag:
            return element
    wanted = cell.element.attributes.get(tag)
    return None if wanted is None else known.reference(wanted, tag, cell.element)


def _channels(known: Components, membrane: Instance, issues: list[Issue]) -> Iterator[Element]:
    """The densities and populations of a membrane; what is neither they nor passive goes into `issues`."""
    for element in membrane.element.children:
        if element.tag in _NOT_MEMBRANE:
            continue
        try:
            found = known.type_of(element, membrane.type)
        except NmloptError as error:
            issues.extend(error.issues)
            continue
        if found is not None and (found.extends("baseChannelDensity") or found.extends("baseChannelPopulation")):
            yield element
        elif found is None or not found.extends("specificCapacitance"):
            message = f"<{element.tag}> in membraneProperties is not supported"
            issues.append(Issue("I006", message, place(element), "it is no known channel density or population"))


def _has_cable(geometry: Geometry) -> bool:
    return len(geometry.compartments) > 1


class _Properties:
    """Reads the elements `<x segmentGroup= value=>` of passive properties."""

    def __init__(self, numbers: Numbers, places: Places) -> None:
        self._numbers = numbers
        self._places = places

    def read(self, parent: Element | None, tag: str) -> tuple[Assignment, ...]:
        """The assignments that the elements of that name make, in document order."""
        found = []
        for element in parent.children if parent is not None else ():
            if element.tag != tag:
                continue
            with self._places.collecting():
                value: Expr = self._numbers.expr(element, "value", _DIMENSIONS[tag])
                found.append(Assignment(value, self._places.of(element)))
        return tuple(found)

    def required(self, parent: Element | None, tag: str, code: str) -> tuple[Assignment, ...]:
        """The same, and an issue if some compartment gets no value."""
        found = self.read(parent, tag)
        missing = set(self._places.region("all")) - {k for a in found for k in a.compartments}
        if missing and not self._places.issues:
            where = place(parent) if parent is not None else ""
            message = f"{len(missing)} of {len(self._places.region('all'))} compartments get no {tag}"
            self._places.issues.append(Issue(code, message, where, f'add <{tag} value="..."/> for the whole cell'))
        return found

    def with_default(self, parent: Element, tag: str, value: float) -> tuple[Assignment, ...]:
        """The same; compartments that the document leaves out get `value`."""
        found = self.read(parent, tag)
        everywhere = self._places.region("all")
        covered = {k for a in found for k in a.compartments}
        missing = tuple(k for k in everywhere if k not in covered)
        return (*found, Assignment(Num(value), missing)) if missing else found


_DIMENSIONS = {
    "specificCapacitance": "specificCapacitance",
    "resistivity": "resistivity",
    "initMembPotential": "voltage",
    "spikeThresh": "voltage",
}
