"""Ion concentrations: species of a cell and the pools that hold them."""

from __future__ import annotations

from dataclasses import dataclass

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.bind import TEMPERATURE
from nmlopt.ir.flat import Own
from nmlopt.ir.flatten import Flattener
from nmlopt.ir.mechanisms import Catalogue, Prototype
from nmlopt.ir.model import MechanismKind, Placement, State
from nmlopt.ir.numbers import Numbers
from nmlopt.ir.passes import run
from nmlopt.ir.placing import Places
from nmlopt.lems.expression import Expr, Sym
from nmlopt.lems.resolve import Components, Instance
from nmlopt.lems.types import place

IONS = {"ca": ("caConc", "caConcExt"), "ca2": ("caConc2", "caConcExt2")}
"""Ions whose concentrations the core types can read, and the names under which they do."""

_INPUTS = {name: Sym(name) for name in ("v", "t", TEMPERATURE, "surfaceArea", "iCa", "iCa2", "caConc", "caConc2")}


@dataclass(frozen=True, slots=True)
class Pool:
    """One species where it lies.

    `external` is its concentration outside, over numbers and slots; None if that changes in a run.
    """

    ion: str
    id: str
    compartments: tuple[int, ...]
    external: Expr | None


def lower_pools(
    known: Components, numbers: Numbers, intracellular: Instance | None, places: Places, catalogue: Catalogue
) -> tuple[Pool, ...]:
    """Add a mechanism and a placement for every species that the equations of a cell can read (ions ca and ca2)."""
    builder = _Pools(known, numbers, places, catalogue)
    for element in intracellular.element.children if intracellular is not None else ():
        if element.tag == "species" or element.attributes.get("type") == "species":
            with places.collecting():
                builder.add(element)
    return tuple(builder.pools)


class _Pools:
    """Lowers species one after the other."""

    def __init__(self, known: Components, numbers: Numbers, places: Places, catalogue: Catalogue) -> None:
        self._known = known
        self._numbers = numbers
        self._places = places
        self._catalogue = catalogue
        self._prototypes: dict[tuple[Element, str], Prototype] = {}
        self.pools: list[Pool] = []

    def add(self, element: Element) -> None:
        """Lower one species. Raises LemsError (I040 overlap, I041 concentrations that are no states, ...)."""
        ion = element.attributes.get("ion", "")
        if ion not in IONS:
            return
        compartments = self._places.of(element)
        if not compartments:
            return
        self._refuse_overlap(element, ion, compartments)
        species = self._known.instance(element)
        models = self._known.children(species, "concentrationModel")
        if not models:
            raise LemsError(Issue("I042", f"species '{ion}' has no concentrationModel", place(element)))
        key = (models[0].element, ion)
        if key not in self._prototypes:
            self._prototypes[key] = self._prototype(species, models[0], ion)
        prototype = self._prototypes[key]
        given: dict[str, Expr] = {
            own.name: self._numbers.expr(element, own.attribute, own.dimension) for own in prototype.own
        }
        id_ = element.attributes.get("id", ion)
        self._catalogue.place(key, prototype, Placement("", id_, compartments, prototype.values(given)))
        external = None if _moves_outside(prototype) else prototype.resolved(_outside(prototype).initial, given)
        self.pools.append(Pool(ion, id_, compartments, external))

    def _prototype(self, species: Instance, model: Instance, ion: str) -> Prototype:
        flattener = Flattener(self._known, self._numbers, _INPUTS, owner=species)
        wanted = [s.name for s in flattener.want(model, "concentration", "extConcentration") if isinstance(s, Sym)]
        flat = flattener.finish()
        bound = run(flat, wanted)
        states = {s.name: s for s in bound.dynamics.states}
        if wanted != ["concentration", "extConcentration"] or not states.keys() >= set(wanted):
            message = f"{model.type.name} does not hold concentration and extConcentration as states"
            raise LemsError(Issue("I041", message, place(model.element)))
        own: tuple[Own, ...] = flat.own
        name = model.element.attributes.get("id", model.type.name)
        return Prototype(bound, own, MechanismKind.POOL, name, ion, where=place(model.element))

    def _refuse_overlap(self, element: Element, ion: str, compartments: tuple[int, ...]) -> None:
        for pool in self.pools:
            if pool.ion == ion and set(pool.compartments) & set(compartments):
                message = f"species '{element.attributes.get('id', ion)}' and '{pool.id}' of ion '{ion}' overlap"
                raise LemsError(Issue("I040", message, place(element), "give each its own segmentGroup"))


def _outside(prototype: Prototype) -> State:
    return next(s for s in prototype.bound.dynamics.states if s.name == "extConcentration")


def _moves_outside(prototype: Prototype) -> bool:
    assigned = {name for c in prototype.bound.dynamics.conditions for name, _ in c.assignments}
    return _outside(prototype).derivative is not None or "extConcentration" in assigned
