"""Channel densities and populations: flattened once per kind, placed wherever the membrane has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from nmlopt.document.model import Element
from nmlopt.ir.bind import TEMPERATURE
from nmlopt.ir.flat import EMPTY_SUM
from nmlopt.ir.flatten import Flattener
from nmlopt.ir.mechanisms import Catalogue, Prototype
from nmlopt.ir.model import MechanismKind, Placement
from nmlopt.ir.nonuniform import Varying, uniform_type, varying
from nmlopt.ir.numbers import Numbers
from nmlopt.ir.passes import run
from nmlopt.ir.placing import Places
from nmlopt.ir.pools import IONS, Pool
from nmlopt.lems.expression import Expr, Num, Sym
from nmlopt.lems.resolve import Components, Instance
from nmlopt.lems.types import ComponentType, place

CURRENTS: Final = {MechanismKind.DENSITY: "iDensity", MechanismKind.POPULATION: "i"}
SHARE: Final = "share"
"""The part of a population's channels that a compartment holds."""
_ALSO_RECORDED: Final = ("gDensity",)
_INPUTS: Final[Mapping[str, Expr]] = {
    name: Sym(name) for name in ("v", "t", TEMPERATURE, "surfaceArea", *(n for pair in IONS.values() for n in pair))
}
_OUTSIDE: Final = frozenset(outside for _, outside in IONS.values())
_SIMPLE: Final = frozenset({"notes", "annotation", "property", "variableParameter"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """The ions of the pools that a density sees, and those of them whose concentration outside changes in a run."""

    ions: frozenset[str]
    moving_outside: frozenset[str]


class Densities:
    """Lowers the channel densities and populations of one cell into a catalogue."""

    def __init__(
        self, known: Components, numbers: Numbers, places: Places, pools: tuple[Pool, ...], catalogue: Catalogue
    ) -> None:
        self._known = known
        self._numbers = numbers
        self._places = places
        self._pools = pools
        self._catalogue = catalogue
        self._prototypes: dict[tuple[object, ...], Prototype] = {}

    def add(self, element: Element, membrane: Instance) -> None:
        """Lower one density or population; what is wrong goes into the issues of `places`."""
        with self._places.collecting():
            written = self._known.type_of(element, membrane.type)
            assert written is not None  # the caller asks for channels only
            type_ = uniform_type(self._known, written)
            if type_ is written:
                given, compartments = Varying(), self._places.of(element)
            else:
                given = varying(self._numbers, self._places, element)
                compartments = given.compartments
            kind = MechanismKind.DENSITY if type_.extends("baseChannelDensity") else MechanismKind.POPULATION
            if kind is MechanismKind.POPULATION and len(compartments) > 1:
                given = self._shared_out(compartments)
            for pools, where in self._by_pools(compartments):
                self._place(element, type_, kind, pools, where, given)

    def _shared_out(self, compartments: tuple[int, ...]) -> Varying:
        """A population on several compartments: each holds its share of the channels, by area."""
        areas = {k: self._places.geometry.compartments[k].area_m2 for k in compartments}
        total = sum(areas.values())
        return Varying(compartments, {SHARE: Sym(SHARE)}, {SHARE: {k: area / total for k, area in areas.items()}})

    def _by_pools(self, compartments: tuple[int, ...]) -> Iterator[tuple[tuple[Pool, ...], tuple[int, ...]]]:
        """The compartments in groups that see the same pools."""
        groups: dict[tuple[int, ...], list[int]] = {}
        members = [set(pool.compartments) for pool in self._pools]
        for k in compartments:
            key = tuple(i for i, held in enumerate(members) if k in held)
            groups.setdefault(key, []).append(k)
        for key, held in groups.items():  # none if the region is empty
            yield tuple(self._pools[i] for i in key), tuple(held)

    def _place(
        self,
        element: Element,
        type_: ComponentType,
        kind: MechanismKind,
        pools: tuple[Pool, ...],
        compartments: tuple[int, ...],
        given: Varying,
    ) -> None:
        seen = _Seen(frozenset(p.ion for p in pools), frozenset(p.ion for p in pools if p.external is None))
        key, prototype = self._prototype(element, type_, kind, seen, SHARE in given.values)
        outside: dict[str, Expr] = {name: Num(0.0) for name in _OUTSIDE}
        outside.update({IONS[p.ion][1]: p.external for p in pools if p.external is not None})
        numbers: dict[str, Expr] = {}
        for own in prototype.own:
            if not own.attribute:
                numbers[own.name] = outside[own.name]
            elif own.attribute in given.values:
                numbers[own.name] = given.values[own.attribute]
            else:
                numbers[own.name] = self._numbers.expr(element, own.attribute, own.dimension)
        id_ = element.attributes.get("id", element.tag)
        local = tuple((name, tuple(values[k] for k in compartments)) for name, values in given.locals.items())
        self._catalogue.place(key, prototype, Placement("", id_, compartments, prototype.values(numbers), local))

    def _prototype(
        self, element: Element, type_: ComponentType, kind: MechanismKind, seen: _Seen, is_shared: bool
    ) -> tuple[tuple[object, ...], Prototype]:
        ion = element.attributes.get("ion", "")
        ion = ion if ion in IONS else ""
        channel = element.attributes.get("ionChannel", "")
        special = element if any(e.tag not in _SIMPLE for e in element.children) else None
        loose = (type_.name, channel, kind, ion, special, is_shared)
        key: tuple[object, ...] = (*loose, seen)
        if key not in self._prototypes:
            root = Instance(element, type_)
            built, reads = self._build(root, kind, ion, seen, is_shared)
            # where no concentration is read, one mechanism serves compartments with and without pools
            key_if_blind = (*loose, None)
            self._prototypes[key] = built if reads else self._prototypes.setdefault(key_if_blind, built)
        found = self._prototypes[key]
        shared = self._prototypes.get((*loose, None))
        return ((*loose, None) if found is shared else key), found

    def _build(
        self, root: Instance, kind: MechanismKind, ion: str, seen: _Seen, is_shared: bool
    ) -> tuple[Prototype, bool]:
        """The prototype of a density, and whether its equations read a concentration."""
        absent = {name for other, pair in IONS.items() if other not in seen.ions for name in pair}
        moving = {IONS[ion][1] for ion in seen.moving_outside}
        inputs = {name: EMPTY_SUM if name in absent else expr for name, expr in _INPUTS.items()}
        flattener = Flattener(self._known, self._numbers, inputs, owner=root, own_inputs=_OUTSIDE - absent - moving)
        (current,) = flattener.want(root, CURRENTS[kind])
        if not isinstance(current, Sym):
            current = flattener.force(root, CURRENTS[kind], current)
        if is_shared:
            current = flattener.scaled(root, CURRENTS[kind], current, SHARE)
        wanted = [current.name]
        for name in _ALSO_RECORDED:
            if flattener.has(root, name):
                wanted.extend(s.name for s in flattener.want(root, name) if isinstance(s, Sym))
        flat = flattener.finish()
        bound = run(flat, wanted)
        element = root.element
        name = element.attributes.get("ionChannel") or element.attributes.get("id", element.tag)
        return Prototype(
            bound, flat.own, kind, name, ion, current.name, where=place(element)
        ), flattener.reads_concentration
