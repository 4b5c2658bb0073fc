"""From a document to a cell: the front door of the compiler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Literal, TypeAlias

from nmlopt.document.model import Document
from nmlopt.document.packed import pack
from nmlopt.document.paths import Address
from nmlopt.errors import Issue, LemsError, NmloptError, PathError, UnsupportedError, raise_errors
from nmlopt.ir.choose import choose_cell, networks_with_temperature, temperature_of
from nmlopt.ir.inputs import lower_input
from nmlopt.ir.mechanisms import Catalogue
from nmlopt.ir.membrane import Membrane, lower_membrane
from nmlopt.ir.model import Cell
from nmlopt.ir.numbers import Numbers, slots_of
from nmlopt.ir.point import lower_point_cell
from nmlopt.lems.expression import Expr, SlotRef
from nmlopt.lems.resolve import Components, Instance, components

Use: TypeAlias = Literal["bindable", "structural", "unused"]

IN_MORPHOLOGY = "the shape of the cell is fixed while it is fitted"
_MORPHOLOGY = frozenset({"morphology", "segment", "segmentGroup"})


def lower(
    document: Document, free: Sequence[Address] = (), *, component: str | None = None, inputs: Sequence[str] = ()
) -> Cell:
    """The cell of a document, with a slot for each address of `free`, in order.

    `component` is the id of the cell; by default the only one, or that of the network's only population. `inputs` are
    ids of input and synapse components to compile in, so that experiments can attach them (`Cell.input_mechanism`).
    Raises UnsupportedError with everything that is not supported (I..., L...), PathError for addresses that cannot be
    slots: P020 structural, P021 not part of this cell's equations, P022 given twice.
    """
    cell, numbers = _lowered(document, free, component, inputs)
    issues = _unusable(free, cell, numbers)
    raise_errors(issues, PathError)
    return cell


def classify(
    document: Document, addresses: Sequence[Address], *, component: str | None = None, inputs: Sequence[str] = ()
) -> Mapping[str, Use]:
    """For each address (by path) what it is to the cell: bindable, structural or unused. Raises as `lower`."""
    distinct = tuple({a.path: a for a in addresses}.values())
    cell, numbers = _lowered(document, distinct, component, inputs)
    used = _slots_in(cell)
    return {a.path: _use(i, a, used, numbers) for i, a in enumerate(distinct)}


def _lowered(
    document: Document, free: Sequence[Address], component: str | None, inputs: Sequence[str]
) -> tuple[Cell, Numbers]:
    try:
        return _lower(document, free, component, inputs)
    except RecursionError:
        issue = Issue("L003", "the definitions of this cell rest on each other too deeply", hint="simplify them")
        raise UnsupportedError(issue) from None


def _lower(
    document: Document, free: Sequence[Address], component: str | None, inputs: Sequence[str]
) -> tuple[Cell, Numbers]:
    try:
        known = components(document)
        numbers = Numbers(known.units, free)
        instance = known.instance(choose_cell(known, component))
    except LemsError as error:
        raise UnsupportedError(error.issues) from None
    catalogue = Catalogue()
    membrane = Membrane()
    capacitance: Expr | None = None
    issues: list[Issue] = []
    if instance.type.extends("cell"):
        membrane = lower_membrane(known, numbers, instance, catalogue, issues)
    else:
        capacitance = _point_cell(known, numbers, instance, catalogue, issues)
    for name in dict.fromkeys(inputs):
        with collecting(issues):
            lower_input(known, numbers, name, catalogue)
    temperature = _temperature(known, numbers, issues)
    raise_errors(issues, UnsupportedError)
    cell = Cell(
        id=instance.element.attributes.get("id", ""),
        type=instance.type.name,
        slots=slots_of(free, known.units),
        geometry=membrane.geometry,
        mechanisms=tuple(catalogue.mechanisms),
        placements=tuple(catalogue.placements),
        capacitance=membrane.capacitance,
        resistivity=membrane.resistivity,
        initial_v=membrane.initial_v,
        spike_threshold=membrane.spike_threshold,
        point_capacitance=capacitance,
        document_digest=document.digest,
        temperature_K=temperature,
        document=pack(document),
    )
    return cell, numbers


@contextmanager
def collecting(issues: list[Issue]) -> Iterator[None]:
    """Errors raised inside are added to `issues`."""
    try:
        yield
    except NmloptError as error:
        issues.extend(error.issues)


def _point_cell(
    known: Components, numbers: Numbers, instance: Instance, catalogue: Catalogue, issues: list[Issue]
) -> Expr | None:
    try:
        return lower_point_cell(known, numbers, instance, catalogue)
    except NmloptError as error:
        issues.extend(error.issues)
        return None


def _temperature(known: Components, numbers: Numbers, issues: list[Issue]) -> float | None:
    try:
        found = temperature_of(known, numbers)
    except LemsError as error:
        issues.extend(error.issues)
        return None
    if found is not None and found <= 0.0:
        message = f"the temperature of the network, {found:g} K, is at or below absolute zero"
        where = next(e.where for e in networks_with_temperature(known))
        issues.append(Issue("I008", message, where, "such as 34degC"))
    return found


def _unusable(free: Sequence[Address], cell: Cell, numbers: Numbers) -> Iterable[Issue]:
    used = _slots_in(cell)
    seen: set[str] = set()
    for index, address in enumerate(free):
        if address.path in seen:
            yield Issue("P022", f"'{address.path}' is given twice", address.where, "name each number once")
            continue
        seen.add(address.path)
        use = _use(index, address, used, numbers)
        if use == "structural":
            reason = numbers.structural.get(index, IN_MORPHOLOGY)
            message = f"'{address.path}' is structural: {reason}"
            yield Issue("P020", message, address.where, "it cannot be fitted; 'nmlopt paths' shows what is bindable")
        elif use == "unused":
            message = f"'{address.path}' does not enter the equations of this cell"
            yield Issue("P021", message, address.where, "it cannot be fitted; 'nmlopt paths' shows what is bindable")


def _use(index: int, address: Address, used: frozenset[int], numbers: Numbers) -> Use:
    if index in numbers.structural or _in_morphology(address):
        return "structural"
    return "bindable" if index in used else "unused"


def _in_morphology(address: Address) -> bool:
    element = address.element
    while element is not None:
        if element.tag in _MORPHOLOGY:
            return True
        if element.parent is None:
            return False
        element = element.parent
    return False


def _slots_in(cell: Cell) -> frozenset[int]:
    """Every slot that some expression of the cell reads (geometry holds none)."""
    parts = (cell.mechanisms, cell.placements, cell.capacitance, cell.resistivity, cell.initial_v, cell.spike_threshold)
    return frozenset(_walk((*parts, cell.point_capacitance)))


def _walk(thing: object) -> Iterator[int]:
    if isinstance(thing, SlotRef):
        yield thing.index
    elif isinstance(thing, tuple):
        for part in thing:
            if not isinstance(part, int | float | str):
                yield from _walk(part)
    elif is_dataclass(thing):
        for field in fields(thing):
            yield from _walk(getattr(thing, field.name))
