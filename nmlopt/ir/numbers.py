"""The one reader of numbers: every number of the document enters the equations, or fixes the structure, through it."""

from __future__ import annotations

from collections.abc import Sequence

from nmlopt.document.model import Element
from nmlopt.document.paths import Address
from nmlopt.errors import Issue, LemsError, UnitsError
from nmlopt.ir.model import Slot
from nmlopt.lems.expression import Expr, Num, SlotRef
from nmlopt.lems.parse import parse
from nmlopt.lems.trees import rebuild
from nmlopt.lems.types import place
from nmlopt.units import NO_DIMENSION, Quantity, UnitTable


class Numbers:
    """Reads numbers as SI literals, or as slots where their address is free; remembers which were structural."""

    def __init__(self, table: UnitTable, free: Sequence[Address] = ()) -> None:
        self._table = table
        self._free: dict[tuple[Element, str, int], int] = {}
        for index, address in enumerate(free):
            self._free.setdefault((address.element, address.attribute, address.literal or 0), index)
        self._defaults = tuple(a.quantity.si(table) for a in free)
        self.structural: dict[int, str] = {}
        """Free addresses that were read as structure: index of the address -> reason."""

    def expr(self, element: Element, attribute: str, dimension: str = "*") -> Num | SlotRef:
        """A number of the equations, in SI. Raises LemsError (L030 missing, L031 dimension, U... unreadable)."""
        slot = self._free.get((element, attribute, 0))
        quantity = self._quantity(element, attribute)
        self._check_dimension(element, attribute, quantity, dimension)
        return Num(quantity.si(self._table)) if slot is None else SlotRef(slot)

    def fixed(self, element: Element, attribute: str, reason: str) -> float:
        """A number that shapes the structure, in SI; a slot on it is refused with `reason`. Raises as `expr`."""
        slot = self._free.get((element, attribute, 0))
        if slot is not None:
            self.structural[slot] = reason
        return self._quantity(element, attribute).si(self._table)

    def expression(self, element: Element, attribute: str) -> Expr:
        """An expression attribute as a tree; its free literals are slots. Raises LemsError with the place."""
        text = element.attributes.get(attribute)
        if text is None:
            raise LemsError(Issue("L030", f"<{element.tag}> has no attribute '{attribute}'", place(element)))

        def leaf(position: int, value: float) -> Expr:
            slot = self._free.get((element, attribute, position))
            return Num(value) if slot is None else SlotRef(slot)

        try:
            return parse(text, leaf)
        except LemsError as error:
            raise LemsError(_placed(error, element)) from None

    def with_defaults(self, expr: Expr) -> Expr:
        """An expression with the document's present numbers in the place of its slots."""
        if isinstance(expr, SlotRef):
            return Num(self._defaults[expr.index])
        return rebuild(expr, self.with_defaults)

    def _quantity(self, element: Element, attribute: str) -> Quantity:
        text = element.attributes.get(attribute)
        if text is None:
            raise LemsError(
                Issue("L030", f"<{element.tag}> has no attribute '{attribute}'", place(element), "give it a value")
            )
        try:
            quantity = Quantity.parse(text)
            self._table.unit(quantity.unit)
        except UnitsError as error:
            raise LemsError(_placed(error, element)) from None
        return quantity

    def _check_dimension(self, element: Element, attribute: str, quantity: Quantity, dimension: str) -> None:
        wanted = self._table.dimensions.get(dimension)
        found = quantity.exponents(self._table)
        if wanted is None or wanted == found or (found == NO_DIMENSION and quantity.value == 0.0):
            return
        name = self._table.dimension_name(found)
        message = f"{attribute}='{quantity}' of <{element.tag}> is a {name}, not a {dimension}"
        raise LemsError(Issue("L031", message, place(element)))


def slots_of(addresses: Sequence[Address], table: UnitTable) -> tuple[Slot, ...]:
    """One slot per free address, in order."""
    return tuple(Slot(a.path, table.unit(a.quantity.unit), a.quantity.value) for a in addresses)


def _placed(error: LemsError | UnitsError, element: Element) -> list[Issue]:
    return [
        Issue(i.code, f"{i.message} in <{element.tag}>", i.where or place(element), i.hint, i.severity)
        for i in error.issues
    ]
