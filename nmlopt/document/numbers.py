"""Which texts of a document are numbers: quantities in attributes, and the literals of expression strings."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from nmlopt.document.model import Element
from nmlopt.units import Quantity, format_number

TEXT_ATTRIBUTES: Final = frozenset(
    (
        # identity and description
        *("id", "name", "metaid", "description", "notes", "tag", "neuroLexId", "symbol", "label", "title", "color"),
        # files
        *("href", "file", "fileName", "reportFile", "schemaLocation", "resource", "about", "path"),
        # references to components, variables and types
        *("type", "extends", "component", "target", "variable", "dimension", "parameter", "exposure", "requirement"),
        *("segment", "segmentId", "segmentGroup", "parent", "ion", "ionChannel", "concentrationModel", "species"),
        *("morphology", "biophysicalProperties", "inhomogeneousParameter", "cell", "population", "synapse", "from"),
        *("to", "select", "quantity", "eventPort", "format", "destination", "presynapticPopulation"),
        *("postsynapticPopulation", "preCell", "postCell", "preCellId", "postCellId", "preSegment", "postSegment"),
        *("preSegmentId", "postSegmentId", "preComponent", "postComponent", "regime", "initial", "normalizationEnd"),
        *("state", "species2", "port", "defaultAnnotation", "subTree", "translationEnd"),
    )
)
"""Attributes that name something, also where their text looks like a number (`<member segment="3"/>`)."""

TEXT_ELEMENTS: Final = frozenset({"notes", "annotation", "Dimension", "Unit", "include", "Include"})
"""Elements that hold no number of the model, in themselves or below."""

EXPRESSIONS: Final = frozenset(
    (
        *(("DerivedVariable", "value"), ("DerivedParameter", "value"), ("TimeDerivative", "value")),
        *(("StateAssignment", "value"), ("Case", "value"), ("Case", "condition"), ("OnCondition", "test")),
        ("inhomogeneousValue", "value"),
    )
)
"""(element, attribute) pairs whose text is an expression."""

_TOKEN: Final = re.compile(
    r"""(?P<number>(?:\d+(?:\.(?![A-Za-z]+\.)\d*)?|\.\d+)(?:[eE][-+]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<word>\.[A-Za-z]+\.)
      | (?P<sign>[^\s])""",
    re.VERBOSE,
)
_QUANTITY: Final = re.compile(
    r"[ \t\r\n]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)[ \t\r\n]*([A-Za-z_][A-Za-z0-9_]*)?[ \t\r\n]*\Z", re.ASCII
)
_NOT_FINITE: Final = re.compile(r"\s*[-+]?(?:nan|inf|infinity)(?:\s+[A-Za-z_]\w*)?\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Literal:
    """A number literal of an expression: its value and its span in the text.

    `(-3)` is one literal of value -3; elsewhere a minus is an operator and the literal has none. `enclosed` tells
    whether the literal stands alone in parentheses, so that a sign can be written without new ones.
    """

    value: float
    start: int
    end: int
    enclosed: bool


def is_text(element: Element, attribute: str) -> bool:
    """Whether the attribute is a name, reference or description rather than a number or expression."""
    if element.tag == "property":
        return attribute != "value"
    return attribute in TEXT_ATTRIBUTES


def is_expression(element: Element, attribute: str) -> bool:
    """Whether the attribute holds an expression, whose literals are addressed by `{k}`."""
    return (element.tag, attribute) in EXPRESSIONS


def quantity(text: str) -> Quantity | None:
    """The quantity that a text is, or None (also for one that is not finite)."""
    match = _QUANTITY.match(text)
    if match is None:
        return None
    value = float(match.group(1))
    return Quantity(value, match.group(2) or "") if math.isfinite(value) else None


def is_not_finite(text: str) -> bool:
    """Whether a text is a number that no simulator can use: NaN, inf, 1e999."""
    match = _QUANTITY.match(text)
    return not math.isfinite(float(match.group(1))) if match else bool(_NOT_FINITE.match(text))


def literals(text: str) -> tuple[Literal, ...]:
    """The number literals of an expression, in the order of the text (which is that of `lems.parse`)."""
    tokens = [(m.lastgroup, m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]
    ends = [("sign", "", 0, 0)]
    padded = ends * 2 + tokens + ends
    found: list[Literal] = []
    for at, (kind, token, start, end) in enumerate(padded):
        if kind != "number":
            continue
        closed = padded[at + 1][1] == ")"
        signed = closed and padded[at - 1][1] == "-" and padded[at - 2][1] == "("
        enclosed = signed or (closed and padded[at - 1][1] == "(")
        value = -float(token) if signed else float(token)
        found.append(Literal(value, padded[at - 1][2] if signed else start, end, enclosed))
    return tuple(found)


def quantity_patch(text: str, value: float) -> tuple[int, int, str]:
    """Span and replacement that give a quantity text another number; its unit and spaces stay."""
    match = _QUANTITY.match(text)
    assert match is not None  # the address was made from this text
    return match.start(1), match.end(1), format_number(value)


def literal_patch(literal: Literal, value: float) -> tuple[int, int, str]:
    """Span and replacement that give a literal another value; a negative one is put in parentheses."""
    number = format_number(value)
    if number.startswith("-") and not literal.enclosed:
        number = f"({number})"
    return literal.start, literal.end, number
