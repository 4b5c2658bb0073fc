"""References of components: to other components, to siblings, to populations by path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from nmlopt.document.checks_references import is_reference
from nmlopt.document.model import Document, Element
from nmlopt.errors import Issue, NmloptError, Severity
from nmlopt.lems.resolve import Components
from nmlopt.lems.types import ComponentType, Declaration, place
from nmlopt.lint.walk import file_is_lems, typed

_PATHS: Final = frozenset({"target", "from", "to", "preCellId", "postCellId", "preCell", "postCell"})
"""Attributes declared as Path that lead to a cell of a population."""

_ALSO_TAKEN: Final = {"baseCell": "baseSpikeSource", "basePointCurrent": "basePointCurrentDL"}
"""Populations hold spike sources as well, and dimensionless cells take dimensionless inputs."""

_CELL: Final = re.compile(r"(?:\.\./)*([A-Za-z_]\w*)(?:\[(\d+)\]|/(\d+)(?:/|$))?")


def references(document: Document, known: Components) -> Iterator[Issue]:
    """L010 an unknown type, L020 a reference that leads nowhere, L021 a path that leads to no cell."""
    for item in typed(known):
        if item.issue is not None:
            yield item.issue
        elif item.type is not None:
            yield from _of_component(known, item.element, item.type)
        elif _must_have_type(item.element):
            name = item.element.attributes.get("type", item.element.tag)
            message = f"no ComponentType '{name}' for <{item.element.tag}>"
            yield Issue("L010", message, place(item.element), _near(name, list(known.types.types)))
    for target in (e for e in known.top if e.tag == "Target"):
        wanted = target.attributes.get("component", "")
        if wanted not in known.by_id:
            message = f"<Target> names the component '{wanted}', which is not defined"
            yield Issue("L020", message, place(target), _near(wanted, list(known.by_id)))


def _must_have_type(element: Element) -> bool:
    """Whether nothing else (the schema) will complain of an element without type."""
    is_top = element.parent is not None and element.parent.parent is None
    return is_top and (element.tag == "Component" or file_is_lems(element))


def _of_component(known: Components, element: Element, type_: ComponentType) -> Iterator[Issue]:
    for name, declared in type_.children.items():
        wanted = element.attributes.get(name)
        if wanted is None:
            continue
        if declared.kind == "Link" or declared.element.attributes.get("local") == "true":
            yield from _sibling(element, name, wanted)
        elif declared.kind == "ComponentReference":
            yield from _component(known, element, declared, wanted)
    if type_.extends("Simulation"):
        yield from _quantities(known, element)
    elif (_PATHS | {"population"}) & element.attributes.keys():
        yield from _cells(element, type_)


def _component(known: Components, element: Element, declared: Declaration, wanted: str) -> Iterator[Issue]:
    if is_reference(element.tag, declared.name) and wanted not in known.by_id:
        return  # D034 says so
    if declared.type in known.types:
        try:
            if not _is_also_taken(known, declared.type, wanted):
                known.reference(wanted, declared.type, element)
        except NmloptError as error:
            yield from error.issues
    elif wanted not in known.by_id:
        message = f"{declared.name}='{wanted}' of <{element.tag}> names nothing in the model"
        yield Issue("L020", message, place(element), _near(wanted, list(known.by_id)))


def _is_also_taken(known: Components, type_name: str, id_: str) -> bool:
    """Whether an id is that of something that is used in this place, though the core types declare another type."""
    found = [known.type_of(e) for e in known.by_id.get(id_, ())]
    other = _ALSO_TAKEN.get(type_name)
    return len(found) == 1 and other is not None and found[0] is not None and found[0].extends(other)


def _sibling(element: Element, name: str, wanted: str) -> Iterator[Issue]:
    siblings = [e.attributes.get("id", "") for e in element.parent.children] if element.parent is not None else []
    if wanted not in siblings:
        message = f"{name}='{wanted}' names no sibling of <{element.tag}>"
        yield Issue("L020", message, place(element), _near(wanted, [s for s in siblings if s]))


def _cells(element: Element, type_: ComponentType) -> Iterator[Issue]:
    """Paths from within a network to cells of its populations."""
    network = element.parent
    while network is not None and "network" not in network.tag.lower():
        network = network.parent
    if network is None:
        return
    declared = {d.name for d in type_.declarations.values() if d.kind == "Path"}
    population = element.attributes.get("population")
    if population is not None and "population" not in type_.children:  # of an inputList: a text to the core types
        for issue in _cell(network, element, f"population='{population}'", population):
            hint = f"the paths of its inputs count; {issue.hint}" if issue.hint else "the paths of its inputs count"
            yield Issue("L023", issue.message, issue.where, hint, Severity.WARNING)
    for name in sorted(_PATHS & declared):
        path = element.attributes.get(name)
        if path is not None and not path.isdigit():
            yield from _cell(network, element, f"{name}='{path}'", path)


def _cell(network: Element, element: Element, said: str, path: str) -> Iterator[Issue]:
    match = _CELL.match(path)
    populations = {e.attributes.get("id", ""): e for e in network.children if e.tag == "population"}
    name = match[1] if match else path
    population = populations.get(name)
    if population is None:
        if any(e.attributes.get("id") == name for e in network.children):
            return
        message = f"{said} of <{element.tag}> leads to no population of the network"
        yield Issue("L021", message, place(element), _near(name, list(populations)))
        return
    index = next((part for part in (match[2], match[3]) if part is not None), None) if match else None
    known = _members(population)
    if index is not None and known is not None and int(index[:9]) not in known:
        message = f"{said} of <{element.tag}> names cell {index} of '{name}', which has {len(known)}"
        yield Issue("L021", message, place(element), "cells are counted from 0")


def _members(population: Element) -> Sequence[int] | None:
    """Indices of the cells of a population; None if they cannot be told."""
    instances = [e.attributes.get("id", "") for e in population.children if e.tag == "instance"]
    if instances:
        return [int(i) for i in instances if i.isdigit()] if all(i.isdigit() for i in instances) else None
    size = population.attributes.get("size", "")
    return range(int(size)) if size.isdecimal() and len(size) < 10 else None


def _quantities(known: Components, simulation: Element) -> Iterator[Issue]:
    """What a simulation records, as far as it stands in a network."""
    target = next(iter(known.by_id.get(simulation.attributes.get("target", ""), ())), None)
    if target is None or "network" not in target.tag.lower():
        return
    for element in simulation.walk():
        name = "quantity" if element.tag in ("Line", "OutputColumn") else "select"
        path = element.attributes.get(name)
        if path is not None and element.tag in ("Line", "OutputColumn", "EventSelection"):
            yield from _cell(target, element, f"{name}='{path}'", path)


def _near(word: str, words: Sequence[str]) -> str:
    near = get_close_matches(word, words, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(words[:8])}" if words else ""
