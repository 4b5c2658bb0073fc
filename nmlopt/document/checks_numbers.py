"""Checks of the numbers of a document: finite, and in units that are known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from difflib import get_close_matches

from nmlopt.document.index import index, unit_table
from nmlopt.document.model import Document
from nmlopt.document.numbers import is_expression, is_not_finite, is_text, literals, quantity
from nmlopt.errors import Issue, UnitsError


def not_finite(document: Document) -> Iterator[Issue]:
    """D030: an attribute or literal that is NaN, infinite or too large."""
    for element in index(document).elements:
        for attribute, text in element.attributes.items():
            if is_text(element, attribute):
                continue
            if is_expression(element, attribute):
                faulty = any(math.isinf(literal.value) for literal in literals(text))
            else:
                faulty = is_not_finite(text)
            if faulty:
                message = f"{attribute}='{text}' of <{element.tag}> is not a finite number"
                yield Issue("D030", message, element.where, "write a finite number")


def unknown_units(document: Document) -> Iterator[Issue]:
    """D031: a number with a unit that neither NeuroML nor the document knows."""
    try:
        units = unit_table(document).units
    except UnitsError as error:
        yield from error.issues
        return
    for element in index(document).elements:
        for attribute, text in element.attributes.items():
            if is_text(element, attribute) or is_expression(element, attribute) or element.tag == "property":
                continue
            found = quantity(text)
            if found is None or not found.unit or found.unit in units:
                continue
            near = get_close_matches(found.unit, units, n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else "units are spelt as in NeuroML: mV, ms, S_per_cm2"
            message = f"{attribute}='{text}' of <{element.tag}> has the unknown unit '{found.unit}'"
            yield Issue("D031", message, element.where, hint)
