"""Canonical names of what is recorded as LEMS paths below a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from nmlopt.document.model import Element
from nmlopt.lems.resolve import Components, Instance, label

Names = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A path below a cell, and whether it leads to a state: what is computed from states is written a step late."""

    path: str
    is_state: bool = True


def path_of(known: Components, cell: Element, variable: str, name: Names) -> Recorded | None:
    """The path below `cell` of 'v' or '<placement>/<exposure>'; None if there is none.

    `name` tells what a top-level component is called in the text. The core types name a channel in the path of its
    gates, canonical names do not.
    """
    if "/" not in variable:
        return Recorded(variable)
    placement, _, rest = variable.partition("/")
    steps = rest.split("/")
    root = known.instance(cell)
    if label(cell) == placement and not root.type.extends("cell"):
        return _below(known, root, steps, name)
    for holders, instance in placements(known, root):
        if label(instance.element) == placement:
            found = _below(known, instance, steps, name)
            if found is not None:
                return _after((*holders, placement), found)
    return None


def input_path(known: Components, component: Element, exposure: str, name: Names) -> Recorded | None:
    """The path of an exposure below an attached input or synapse."""
    return _below(known, known.instance(component), exposure.split("/"), name)


def _after(before: Sequence[str], found: Recorded) -> Recorded:
    return replace(found, path="/".join((*before, found.path)))


def placements(known: Components, cell: Instance) -> Iterator[tuple[tuple[str, ...], Instance]]:
    """Densities, populations and species of a cell with morphology, and the steps that lead to them."""
    for name in ("biophysicalProperties", "biophysicalProperties2CaPools"):
        for biophysics in _owned(known, cell, name):
            for holder in biophysics.element.children:
                if not holder.tag.startswith(("membraneProperties", "intracellularProperties")):
                    continue
                inner = known.instance(holder, biophysics)
                for element in holder.children:
                    if known.type_of(element, inner.type) is not None:
                        yield (label(biophysics.element), label(holder)), known.instance(element, inner)


def _owned(known: Components, cell: Instance, name: str) -> Iterator[Instance]:
    for element in cell.element.children:
        if element.tag == name:
            yield known.instance(element, cell)
    wanted = cell.element.attributes.get(name)
    if wanted is not None:
        yield known.instance(known.reference(wanted, name, cell.element), cell)


def _below(known: Components, instance: Instance, steps: Sequence[str], name: Names) -> Recorded | None:
    """The LEMS steps for canonical steps below an instance; references add the id of what they refer to."""
    defined = _definition(instance, steps[0])
    if len(steps) == 1 and defined is not None:
        return Recorded(steps[0], defined.tag == "StateVariable")
    for child_name, declared in instance.type.children.items():
        if declared.kind not in ("Child", "Children", "ComponentReference"):
            continue
        is_reference = declared.kind == "ComponentReference" and child_name in instance.element.attributes
        for child in known.children(instance, child_name) or ():
            called = name(label(child.element)) if is_reference else label(child.element)
            if is_reference:
                found = _below(known, child, steps, name)
                if found is not None:
                    return _after((called,), found)
            if label(child.element) == steps[0] and len(steps) > 1:
                found = _below(known, child, steps[1:], name)
                if found is not None:
                    return _after((called,), found)
    return None


def _definition(instance: Instance, variable: str) -> Element | None:
    """What defines a variable in the Dynamics of an instance, or the exposure of that name."""
    dynamics = instance.type.dynamics
    for item in dynamics.children if dynamics is not None else ():
        if variable in (item.attributes.get("exposure"), item.attributes.get("name")):
            return item
    return None
