"""Non-uniform densities: the listed exception to the core types.

Their LEMS Dynamics is a current of 0; every multicompartment simulator takes the equations of the uniform type with the
varying number computed per compartment from `<variableParameter>`. The value of its expression is in SI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.ir.inhomogeneous import variable_values
from nmlopt.ir.numbers import Numbers
from nmlopt.ir.placing import Places
from nmlopt.lems.expression import Expr
from nmlopt.lems.resolve import Components
from nmlopt.lems.trees import names
from nmlopt.lems.types import ComponentType, place

UNIFORM: Final[Mapping[str, str]] = {
    "channelDensityNonUniform": "channelDensity",
    "channelDensityNonUniformNernst": "channelDensityNernst",
    "channelDensityNonUniformGHK": "channelDensityGHK",
}
METRIC_STYLE: Final = "how the inhomogeneous parameter is measured is fixed while the cell is fitted"


@dataclass(frozen=True, slots=True)
class Varying:
    """Numbers of one density that vary over its region: expressions over `locals` (name -> compartment -> value)."""

    compartments: tuple[int, ...] = ()
    values: Mapping[str, Expr] = field(default_factory=dict)
    locals: Mapping[str, Mapping[int, float]] = field(default_factory=dict)


def uniform_type(known: Components, type_: ComponentType) -> ComponentType:
    """The type whose equations a density follows."""
    for name in type_.lineage:
        if name in UNIFORM:
            return known.types.get(UNIFORM[name])
    return type_


def varying(numbers: Numbers, places: Places, element: Element) -> Varying:
    """The varying number of a non-uniform density. Raises LemsError I060..I063 and those of its metric."""
    parameter = _only_child(element, "variableParameter")
    value = _only_child(parameter, "inhomogeneousValue")
    wanted = value.attributes.get("inhomogeneousParameter", "")
    group = parameter.attributes.get("segmentGroup", "")
    definitions = [
        child
        for owner in places.morphology.children
        if owner.tag == "segmentGroup" and (not group or owner.attributes.get("id") == group)
        for child in owner.children
        if child.tag == "inhomogeneousParameter" and child.attributes.get("id") == wanted
    ]
    if len(definitions) != 1:
        message = f"segmentGroup '{group}' has {len(definitions) or 'no'} inhomogeneousParameter '{wanted}'"
        raise LemsError(Issue("I061", message, place(value)))
    compartments = places.of(parameter)
    distances = variable_values(
        places.geometry, definitions[0], compartments, fixed=lambda e, a: numbers.fixed(e, a, METRIC_STYLE)
    )
    variable = definitions[0].attributes.get("variable", "p")
    expr = numbers.expression(value, "value")
    unknown = names(expr) - {variable}
    if unknown:
        message = f"'{sorted(unknown)[0]}' is not known in this expression"
        raise LemsError(Issue("I062", message, place(value), f"its only variable is '{variable}'"))
    local = {variable: dict(zip(compartments, distances, strict=True))}
    return Varying(compartments, {parameter.attributes.get("parameter", ""): expr}, local)


def _only_child(element: Element, tag: str) -> Element:
    found = [e for e in element.children if e.tag == tag]
    if len(found) != 1:
        message = f"<{element.tag}> has {len(found) or 'no'} <{tag}>, it needs one"
        raise LemsError(Issue("I060", message, place(element)))
    return found[0]
