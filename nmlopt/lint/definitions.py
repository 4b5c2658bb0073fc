"""Checks of the ComponentTypes that a document defines: names, dimensions, what is declared and never used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from nmlopt.document.model import Document, Element
from nmlopt.document.numbers import EXPRESSIONS
from nmlopt.errors import Issue, LemsError, Severity, UnitsError
from nmlopt.ir.coverage import is_covered
from nmlopt.lems.expression import Expr
from nmlopt.lems.parse import parse
from nmlopt.lems.resolve import Components
from nmlopt.lems.trees import names
from nmlopt.lems.types import ComponentType, core_types, place
from nmlopt.lint.dimensions import Analysis, Dimension
from nmlopt.lint.walk import own_types
from nmlopt.units import NO_DIMENSION, Exponents, Quantity

_VARIABLES: Final = frozenset({"StateVariable", "DerivedVariable", "ConditionalDerivedVariable"})
_VALUES: Final = frozenset({"Parameter", "Constant", "DerivedParameter", "Property", "Requirement", "Exposure"})
_TYPED: Final = frozenset({"Child", "Children", "ComponentReference", "Link", "Attachments", "InstanceRequirement"})
_TIME: Final[Exponents] = (0, 0, 1, 0, 0, 0, 0)
_ANY: Final = frozenset({"*", "", None})
_WORD: Final = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that the equations of a type may read, with their dimensions, and the states among them."""

    type: ComponentType
    dynamics: Element
    dimensions: dict[str, Dimension]
    states: frozenset[str]


def definitions(document: Document, known: Components) -> Iterator[Issue]:
    """L001-L003 expressions, L010 types, L013 and L040-L046 names, dimensions and declarations."""
    for type_ in own_types(known):
        yield from _declarations(known, type_)
        dynamics = type_.dynamics
        if dynamics is not None and dynamics.parent is type_.element:
            scope = _scope(known, type_, dynamics)
            yield from _expressions(known, scope)
            yield from _targets(known, scope)
            yield from _exposures(known, scope)
            yield from _constant_states(known, scope)
        yield from _unused(known, type_)


def _scope(known: Components, type_: ComponentType, dynamics: Element) -> Scope:
    dimensions: dict[str, Dimension] = {"t": _TIME}
    for element in (e for e in known.top if e.tag == "Constant"):
        dimensions[element.attributes.get("symbol") or element.attributes.get("name", "")] = _named(known, element)
    for name, declared in type_.declarations.items():
        if declared.kind in _VALUES:
            dimensions[name] = _named(known, declared.element)
    variables = [e for e in dynamics.walk() if e.tag in _VARIABLES]
    dimensions.update({e.attributes.get("name", ""): _named(known, e) for e in variables})
    states = frozenset(e.attributes.get("name", "") for e in variables if e.tag == "StateVariable")
    return Scope(type_, dynamics, dimensions, states)


def _named(known: Components, element: Element) -> Dimension:
    name = element.attributes.get("dimension")
    return None if name in _ANY or name is None else known.units.dimensions.get(name)


# ------------------------------------------------------------------------------------------ declarations


def _declarations(known: Components, type_: ComponentType) -> Iterator[Issue]:
    for element in type_.element.walk():
        wanted = element.attributes.get("type", "")
        if element.tag in _TYPED and wanted and wanted != "Component" and wanted not in known.types:
            message = f"<{element.tag}> of ComponentType '{type_.name}' has the unknown type '{wanted}'"
            yield Issue("L010", message, place(element), _near(wanted, list(known.types.types)))
        dimension = element.attributes.get("dimension")
        if dimension not in _ANY and dimension not in known.units.dimensions:
            message = f"'{element.attributes.get('name', '')}' of {type_.name} has the unknown dimension '{dimension}'"
            hint = _near(str(dimension), list(known.units.dimensions)) or "define it: <Dimension name=... m=... l=.../>"
            yield Issue("L047", message, place(element), hint)
        elif element.tag == "Constant" and element.parent is type_.element:
            yield from _constant(known, type_, element)


def _constant(known: Components, type_: ComponentType, element: Element) -> Iterator[Issue]:
    name, text, wanted = element.attributes.get("name", ""), element.attributes.get("value"), _named(known, element)
    if text is None or wanted is None:
        return
    try:
        quantity = Quantity.parse(text)
        found = quantity.exponents(known.units)
    except UnitsError:
        return  # D030, D031 and U say so
    if found != wanted and not (found == NO_DIMENSION and quantity.value == 0.0):
        kind = Analysis({}, known.units).name(found)
        message = f"the constant {name}='{text}' of {type_.name} is {kind}, not a {element.attributes['dimension']}"
        yield Issue("L041", message, place(element), "mend its unit or its dimension", Severity.WARNING)


def _unused(known: Components, type_: ComponentType) -> Iterator[Issue]:
    """L042: parameters that nothing reads: not the type, nor one derived from it, nor a select, nor a requirement."""
    if type_.dynamics is None:  # holds data for others
        return
    related = [t.element for t in own_types(known) if t.extends(type_.name) or type_.extends(t.name)]
    inherited = [core.element for core in map(known.types.get, type_.lineage) if core.element not in related]
    words = {w for e in (*related, *inherited) for w in _words(e)} | _asked_for(known)
    for element in type_.element.children:
        name = element.attributes.get("name", "")
        if element.tag == "Parameter" and name not in words:
            message = f"the parameter '{name}' of ComponentType '{type_.name}' enters none of its equations"
            yield Issue("L042", message, place(element), "use it or remove it", Severity.WARNING)


def _words(type_element: Element) -> Iterator[str]:
    """All words of the Dynamics, Structure and derived parameters of a type."""
    for child in type_element.children:
        if child.tag in ("Parameter", "Exposure", "Requirement"):
            continue
        for element in child.walk():
            for attribute, text in element.attributes.items():
                if attribute not in ("description", "name", "dimension"):
                    yield from _WORD.findall(text)


def _asked_for(known: Components) -> set[str]:
    """Names that some type of the document selects or requires from others."""
    elements = [e for t in own_types(known) for e in t.element.walk()]
    selected = {w for e in elements for w in _WORD.findall(e.attributes.get("select", ""))}
    return selected | {e.attributes.get("name", "") for e in elements if e.tag == "Requirement"}


# ------------------------------------------------------------------------------------------ equations


def _expressions(known: Components, scope: Scope) -> Iterator[Issue]:
    for element in scope.dynamics.walk():
        for attribute, text in element.attributes.items():
            if (element.tag, attribute) not in EXPRESSIONS:
                continue
            try:
                tree = parse(text)
            except LemsError as error:
                for i in error.issues:
                    yield Issue(i.code, f"{i.message} in <{element.tag}>", place(element), i.hint)
                continue
            yield from _names(scope, element, tree)
            yield from _dimensions(known, scope, element, attribute, tree)
        if element.tag == "ConditionalDerivedVariable":
            yield from _cases(element)


def _names(scope: Scope, element: Element, tree: Expr) -> Iterator[Issue]:
    for name in sorted(names(tree) - scope.dimensions.keys()):
        message = f"'{name}' is not known in {scope.type.name}"
        if name in _exchanged():
            hint = f'declare it: <Requirement name="{name}" dimension="..."/>'
            yield Issue("L040", f"{message}, only outside of it", place(element), hint, Severity.WARNING)
        else:
            near = _near(name, list(scope.dimensions))
            yield Issue("L013", message, place(element), near or "define it, or require it from outside")


@lru_cache(maxsize=1)
def _exchanged() -> frozenset[str]:
    """Names that core types expose or require: what an enclosing component may hold."""
    found = (d for t in core_types().types.values() for d in t.declarations.values())
    return frozenset(d.name for d in found if d.kind in ("Exposure", "Requirement"))


def _dimensions(known: Components, scope: Scope, element: Element, attribute: str, tree: Expr) -> Iterator[Issue]:
    analysis = Analysis(scope.dimensions, known.units)
    found = analysis.dimension(tree)
    said = f"'{_shown(element.attributes[attribute])}' of {scope.type.name}"
    hint = "divide by a Constant that holds the unit, such as 1 mV"
    if analysis.faults:
        yield Issue("L041", f"{said} {analysis.faults[0]}", place(element), hint, Severity.WARNING)
        return
    wanted = _wanted(known, scope, element, attribute)
    if found is not None and wanted is not None and found != wanted:
        message = f"{said} is {analysis.name(found)} where {analysis.name(wanted)} is declared"
        yield Issue("L041", message, place(element), "mend the expression or the dimension", Severity.WARNING)


def _wanted(known: Components, scope: Scope, element: Element, attribute: str) -> Dimension:
    """The dimension that an expression must have by its place."""
    if attribute in ("condition", "test"):
        return None
    if element.tag == "Case":
        return _named(known, element.parent) if element.parent is not None else None
    if element.tag in ("StateAssignment", "TimeDerivative"):
        of = scope.dimensions.get(element.attributes.get("variable", ""))
        if of is None or element.tag == "StateAssignment":
            return of
        m, l, t, i, k, n, j = of  # noqa: E741 - SI letters of LEMS
        return (m, l, t - 1, i, k, n, j)
    return _named(known, element)


def _cases(element: Element) -> Iterator[Issue]:
    """L043: cases that may all be false."""
    cases = [e for e in element.children if e.tag == "Case"]
    if any("condition" not in case.attributes for case in cases):
        return
    try:
        tests = [parse(case.attributes["condition"]) for case in cases]
    except LemsError:
        return
    if not is_covered(tests):
        message = f"the cases of '{element.attributes.get('name')}' may all be false, and it has no default"
        yield Issue("L043", message, place(element), "add a <Case> without a condition", Severity.WARNING)


# ------------------------------------------------------------------------------------------ what equations refer to


def _targets(known: Components, scope: Scope) -> Iterator[Issue]:
    """L044: states, ports and regimes that equations name and nothing defines."""
    lineage = [known.types.get(name).element for name in scope.type.lineage if name in known.types]
    ports = {e.attributes.get("name") for of in lineage for e in of.children if e.tag == "EventPort"}
    regimes = {e.attributes.get("name") for e in scope.dynamics.children if e.tag == "Regime"}
    places = {
        "TimeDerivative": ("variable", scope.states, "state variable"),
        "StateAssignment": ("variable", scope.states, "state variable"),
        "EventOut": ("port", ports, "event port"),
        "OnEvent": ("port", ports, "event port"),
        "Transition": ("regime", regimes, "regime"),
    }
    for element in scope.dynamics.walk():
        if element.tag not in places or (element.parent is not None and element.parent.tag == "KineticScheme"):
            continue
        attribute, there, what = places[element.tag]
        wanted = element.attributes.get(attribute, "")
        if wanted not in there:
            message = f"<{element.tag}> names the {what} '{wanted}', which {scope.type.name} has not"
            yield Issue("L044", message, place(element), _near(wanted, [str(x) for x in there]))


def _exposures(known: Components, scope: Scope) -> Iterator[Issue]:
    """L045: exposures that the type or an abstract one above it declares, and that its Dynamics do not provide."""
    given = {e.attributes.get("exposure") for e in scope.dynamics.walk()} | {
        e.attributes.get("name") for e in scope.dynamics.walk() if e.tag in _VARIABLES
    }
    for declared in scope.type.declarations.values():
        is_own = declared.owner == scope.type.name or known.types.get(declared.owner).dynamics is None
        if declared.kind == "Exposure" and is_own and declared.name not in given:
            message = f"the Dynamics of {scope.type.name} give the exposure '{declared.name}' no value"
            hint = f'write exposure="{declared.name}" at the variable that holds it'
            where = declared.element if declared.owner == scope.type.name else scope.type.element
            yield Issue("L045", message, place(where), hint, Severity.WARNING)


def _constant_states(known: Components, scope: Scope) -> Iterator[Issue]:
    """L046: states that nothing changes, not even a kinetic scheme around the type."""
    changed = {
        e.attributes.get("variable") for e in scope.dynamics.walk() if e.tag in ("TimeDerivative", "StateAssignment")
    }
    schemes = (e for t in known.types.types.values() if t.dynamics is not None for e in t.dynamics.children)
    changed |= {e.attributes.get("stateVariable") for e in schemes if e.tag == "KineticScheme"}
    if any(e.tag in ("Run", "Simulation") for e in scope.type.element.children):
        changed.add("t")  # a simulation counts time by itself
    for element in scope.dynamics.children:
        if element.tag == "StateVariable" and element.attributes.get("name") not in changed:
            message = f"nothing changes the state variable '{element.attributes.get('name')}' of {scope.type.name}"
            hint = "give it a TimeDerivative, or make it a Constant"
            yield Issue("L046", message, place(element), hint, Severity.WARNING)


def _near(word: str, words: list[str]) -> str:
    near = get_close_matches(word, words, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else ""


def _shown(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
