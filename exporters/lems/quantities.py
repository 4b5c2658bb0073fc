"""Canonical names of what is recorded as LEMS paths below a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nmlopt.document.model import Element
from nmlopt.lems.resolve import Components, Instance, label

Names = Callable[[str], str]


def path_of(known: Components, cell: Element, variable: str, name: Names) -> str | None:
    """The path below `cell` of 'v' or '<placement>/<exposure>'; None if there is none.

    `name` tells what a top-level component is called in the text. The core types name a channel in the path of its
    gates, canonical names do not.
    """
    if "/" not in variable:
        return variable
    placement, _, rest = variable.partition("/")
    steps = rest.split("/")
    root = known.instance(cell)
    if label(cell) == placement and not root.type.extends("cell"):
        found = _below(known, root, steps, name)
        return None if found is None else "/".join(found)
    for holders, instance in _placements(known, root):
        if label(instance.element) == placement:
            found = _below(known, instance, steps, name)
            if found is not None:
                return "/".join((*holders, placement, *found))
    return None


def input_path(known: Components, component: Element, exposure: str, name: Names) -> str | None:
    """The path of an exposure below an attached input or synapse."""
    found = _below(known, known.instance(component), exposure.split("/"), name)
    return None if found is None else "/".join(found)


def _placements(known: Components, cell: Instance) -> Iterator[tuple[tuple[str, ...], Instance]]:
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


def _below(known: Components, instance: Instance, steps: Sequence[str], name: Names) -> tuple[str, ...] | None:
    """The LEMS steps for canonical steps below an instance; references add the id of what they refer to."""
    if len(steps) == 1 and _defines(instance, steps[0]):
        return (steps[0],)
    for child_name, declared in instance.type.children.items():
        if declared.kind not in ("Child", "Children", "ComponentReference"):
            continue
        is_reference = declared.kind == "ComponentReference" and child_name in instance.element.attributes
        for child in known.children(instance, child_name) or ():
            called = name(label(child.element)) if is_reference else label(child.element)
            if is_reference:
                found = _below(known, child, steps, name)
                if found is not None:
                    return (called, *found)
            if label(child.element) == steps[0] and len(steps) > 1:
                found = _below(known, child, steps[1:], name)
                if found is not None:
                    return (called, *found)
    return None


def _defines(instance: Instance, variable: str) -> bool:
    dynamics = instance.type.dynamics
    return dynamics is not None and any(
        variable in (item.attributes.get("exposure"), item.attributes.get("name")) for item in dynamics.children
    )
