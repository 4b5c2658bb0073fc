"""Quantity strings as field types of targets.json: text that is known to parse, of a known dimension, or refused.

Only units of the NeuroML core are known here; what is compared with a document (bounds, amplitudes) is `Quantity text`
of any dimension, which `experiment.checks` looks at again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from nmlopt.errors import UnitsError
from nmlopt.units import Quantity, core_units

CODE_OF: Final = {"U001": "T021", "U002": "T022", "U003": "T023"}
"""Codes of unreadable quantities, by the code that `units` gives them."""

PATTERN: Final = r"^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*([A-Za-z_][A-Za-z0-9_]*)?\s*$"


def fault(code: str, message: str, hint: str = "") -> PydanticCustomError:
    """A finding in the form in which a validator can raise it; `faults` turns it into an Issue again."""
    return PydanticCustomError("nmlopt", "{message}", {"code": code, "message": message, "hint": hint})


def _dimension(name: str, example: str) -> Callable[[str], str]:
    """A validator: a finite number with a unit of dimension `name`."""

    def validate(text: str) -> str:
        try:
            quantity = Quantity.parse(text)
            found = quantity.exponents()
        except UnitsError as error:
            issue = error.issues[0]
            raise fault(CODE_OF[issue.code], issue.message, issue.hint) from None
        table = core_units()
        if found != table.dimensions[name]:
            raise fault("T023", f"'{text}' is {_a(table.dimension_name(found))}, not a {name}", f"such as '{example}'")
        return text

    return validate


def _any(text: str) -> str:
    try:
        Quantity.parse(text)
    except UnitsError as error:
        issue = error.issues[0]
        raise fault(CODE_OF[issue.code], issue.message, issue.hint) from None
    return text


def _a(dimension: str) -> str:
    return "a plain number" if dimension == "none" else f"a {dimension}"


def _schema(name: str, example: str) -> object:
    return Field(examples=[example], json_schema_extra={"pattern": PATTERN, "x-dimension": name})


Time = Annotated[str, AfterValidator(_dimension("time", "500 ms")), _schema("time", "500 ms")]
Voltage = Annotated[str, AfterValidator(_dimension("voltage", "-65 mV")), _schema("voltage", "-65 mV")]
Length = Annotated[str, AfterValidator(_dimension("length", "120 um")), _schema("length", "120 um")]
Resistance = Annotated[str, AfterValidator(_dimension("resistance", "10 Mohm")), _schema("resistance", "10 Mohm")]
Temperature = Annotated[str, AfterValidator(_dimension("temperature", "34 degC")), _schema("temperature", "34 degC")]
Amplitude = Annotated[str, AfterValidator(_any), _schema("current", "0.2 nA")]
Bound = Annotated[str, AfterValidator(_any), _schema("any", "10 mS_per_cm2")]


def number(text: str, unit: str) -> float:
    """The number of a quantity of the core units, in `unit`. Raises UnitsError."""
    return Quantity.parse(text).to(unit).value
