"""Quantities: numbers with a unit as NeuroML writes them, their conversion and their text.

The units are those of the LEMS core file `NeuroMLCoreDimensions.xml` (read from the installed pyNeuroML), extended
by the `<Dimension>`/`<Unit>` elements of a document. Conversion to SI: value * scale * 10^power + offset.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from lxml import etree

from nmlopt.errors import Issue, UnitsError
from nmlopt.resources import core_type_files

Exponents = tuple[int, int, int, int, int, int, int]
"""SI exponents in the order of LEMS: m (mass), l, t, i, k, n, j."""

NO_DIMENSION: Exponents = (0, 0, 0, 0, 0, 0, 0)
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z_][A-Za-z0-9_]*)?\s*\Z")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit symbol: its dimension and its way to SI."""

    symbol: str
    exponents: Exponents
    power: int = 0
    scale: float = 1.0
    offset: float = 0.0

    def to_si(self, value: float) -> float:
        """The SI value of `value`; decimal powers divide where they can, so that 65 mV is the double 0.065."""
        scaled = value * self.scale
        scaled = scaled * 10.0**self.power if self.power >= 0 else scaled / 10.0**-self.power
        return scaled + self.offset if self.offset else scaled

    def from_si(self, value: float) -> float:
        """The value in this unit of an SI value."""
        shifted = (value - self.offset if self.offset else value) / self.scale
        return shifted / 10.0**self.power if self.power >= 0 else shifted * 10.0**-self.power


DIMENSIONLESS = Unit("", NO_DIMENSION)


@dataclass(frozen=True)
class UnitTable:
    """Unit symbols and dimension names that are known in a document."""

    units: Mapping[str, Unit]
    dimensions: Mapping[str, Exponents]

    def unit(self, symbol: str) -> Unit:
        """The unit of that exact symbol ('' is dimensionless). Raises UnitsError (U002) with the nearest names."""
        if not symbol:
            return DIMENSIONLESS
        try:
            return self.units[symbol]
        except KeyError:
            near = get_close_matches(symbol, self.units, n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else "units are spelt as in NeuroML: mV, ms, S_per_cm2"
            raise UnitsError(Issue("U002", f"unknown unit '{symbol}'", hint=hint)) from None

    def dimension_name(self, exponents: Exponents) -> str:
        """The LEMS name of a dimension, 'none' for a plain number, else its exponents as text."""
        if exponents == NO_DIMENSION:
            return "none"
        return next((name for name, e in self.dimensions.items() if e == exponents), str(exponents))

    def extended(self, root: etree._Element) -> UnitTable:
        """This table with the `<Dimension>` and `<Unit>` children of a LEMS element added."""
        return extend(self, _rows(root, "Dimension"), _rows(root, "Unit"))


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with the unit its author wrote ('' for a plain number)."""

    value: float
    unit: str = ""

    @staticmethod
    def parse(text: str) -> Quantity:
        """Read '10 mV', '-65mV', '0.3'. Raises UnitsError: U001 not a quantity (or not finite)."""
        match = _NUMBER.match(text)
        value = float(match.group(1)) if match else math.nan
        if match is None or not math.isfinite(value):
            raise UnitsError(
                Issue("U001", f"'{text}' is not a quantity", hint="write a finite number and a unit, such as '-65 mV'")
            )
        return Quantity(value, match.group(2) or "")

    def si(self, table: UnitTable | None = None) -> float:
        """The value in SI units."""
        return (table or core_units()).unit(self.unit).to_si(self.value)

    def exponents(self, table: UnitTable | None = None) -> Exponents:
        """The dimension of the unit."""
        return (table or core_units()).unit(self.unit).exponents

    def to(self, symbol: str, table: UnitTable | None = None) -> Quantity:
        """The same quantity in another unit of the same dimension; unchanged bits when the unit is the same.

        Raises UnitsError U003 when the dimensions differ.
        """
        if symbol == self.unit:
            return self
        known = table or core_units()
        here, there = known.unit(self.unit), known.unit(symbol)
        if here.exponents != there.exponents:
            raise UnitsError(
                Issue(
                    "U003",
                    f"'{self}' is a {known.dimension_name(here.exponents)}, "
                    f"not a {known.dimension_name(there.exponents)} ({symbol or 'plain number'})",
                )
            )
        return Quantity(convert(self.value, here, there), symbol)

    def __str__(self) -> str:
        number = format_number(self.value)
        return f"{number} {self.unit}" if self.unit else number


def format_number(value: float) -> str:
    """The shortest text that reads back the same double, in the grammar of the NeuroML XSD.

    The XSD takes `-?digits(.digits)?([eE]-?digits)?`: no '+', no bare dot at the end.
    Raises UnitsError U004 if not finite.
    """
    if not math.isfinite(value):
        raise UnitsError(Issue("U004", f"{value} cannot be written into a document", hint="only finite numbers can"))
    text = repr(float(value)).replace("e+", "e")
    return text.removesuffix(".0")


@lru_cache(maxsize=1)
def core_units() -> UnitTable:
    """The units of the NeuroML core types."""
    root = etree.fromstring(core_type_files()["NeuroMLCoreDimensions.xml"])
    return UnitTable({}, {"none": NO_DIMENSION}).extended(root)


def extend(table: UnitTable, dimensions: Iterable[Mapping[str, str]], units: Iterable[Mapping[str, str]]) -> UnitTable:
    """`table` with the attributes of `<Dimension>` and `<Unit>` elements added. Raises UnitsError U005."""
    names = dict(table.dimensions)
    symbols = dict(table.units)
    for row in dimensions:
        m, l, t, i, k, n, j = (_whole(row, letter) for letter in "mltiknj")  # noqa: E741 - SI letters of LEMS
        names[_text(row, "name")] = (m, l, t, i, k, n, j)
    for row in units:
        symbol, dimension = _text(row, "symbol"), _text(row, "dimension")
        if dimension not in names:
            raise UnitsError(Issue("U005", f"unit '{symbol}' has the unknown dimension '{dimension}'"))
        scale, offset = _finite(row, "scale", 1.0), _finite(row, "offset", 0.0)
        if scale == 0.0:
            raise UnitsError(Issue("U005", f"unit '{symbol}' has the scale 0", hint="leave it out for 1"))
        symbols[symbol] = Unit(symbol, names[dimension], _whole(row, "power"), scale, offset)
    return UnitTable(symbols, names)


_LARGEST_POWER = 99


def _text(row: Mapping[str, str], name: str) -> str:
    if not row.get(name):
        kind = f"the unit '{row['symbol']}'" if row.get("symbol") else f"'{row.get('name', '')}'"
        raise UnitsError(Issue("U005", f"{kind} has no {name}", hint="units need a symbol and a dimension"))
    return row[name]


def _whole(row: Mapping[str, str], name: str) -> int:
    text = row.get(name, "0").strip()
    if not re.fullmatch(r"[-+]?\d{1,4}", text, re.ASCII) or abs(int(text)) > _LARGEST_POWER:
        what = row.get("symbol") or row.get("name", "")
        raise UnitsError(Issue("U005", f"{name}='{text}' of '{what}' is not a whole number up to {_LARGEST_POWER}"))
    return int(text)


def _finite(row: Mapping[str, str], name: str, default: float) -> float:
    text = row.get(name)
    if text is None:
        return default
    try:
        quantity = Quantity.parse(text)
    except UnitsError:
        quantity = None
    if quantity is None or quantity.unit:
        message = f"{name}='{text}' of the unit '{row.get('symbol', '')}' is not a finite number"
        raise UnitsError(Issue("U005", message))
    return quantity.value


def convert(value: float, here: Unit, there: Unit) -> float:
    """From one unit to another of the same dimension; the same bits if they are the same unit.

    A pure power of ten is one correctly rounded operation.
    """
    if here == there:
        return value
    if here.scale == there.scale and not here.offset and not there.offset:
        power = here.power - there.power
        return value * 10.0**power if power >= 0 else value / 10.0**-power
    return there.from_si(here.to_si(value))


def _rows(root: etree._Element, tag: str) -> list[Mapping[str, str]]:
    found = [e for e in root.iter() if isinstance(e.tag, str) and etree.QName(e).localname == tag]
    return [{str(k): str(v) for k, v in e.attrib.items()} for e in found]
