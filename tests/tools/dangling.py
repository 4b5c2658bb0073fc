"""Makes references of a document lead nowhere; each function tells what it did and the name that must be reported."""

from __future__ import annotations

import random

from xml_trees import Tree, elements, remove, tag

REFERENCES = frozenset(
    (
        *("ionChannel", "concentrationModel", "morphology", "biophysicalProperties", "component", "input", "synapse"),
        *("segmentGroup", "inhomogeneousParameter", "type", "extends", "population", "href", "file"),
    )
)
"""Attributes that name something else."""

_LINKS = {"member": "segment", "parent": "segment", "forwardTransition": "from", "reverseTransition": "to"}
MISSING = "nowhere_to_be_found"


def retargeted(root: Tree, rng: random.Random) -> tuple[str, str] | None:
    """A reference that leads nowhere."""
    found = [(e, a) for e in elements(root) for a in e.attrib if _is_reference(e, a)]
    if not found:
        return None
    element, attribute = rng.choice(found)
    name = "987654" if attribute == "segment" else MISSING
    element.set(attribute, name)
    return f"{attribute} of <{tag(element)}> leads nowhere", name


def renamed(root: Tree, rng: random.Random) -> tuple[str, str] | None:
    """A component or group that others refer to gets another id, or goes."""
    referred = {e.get(a) for e in elements(root) for a in e.attrib if _is_reference(e, a)}
    kinds = ("ionChannel", "ionChannelHH", "ionChannelKS", "morphology", "segmentGroup", "segment", "ComponentType")
    found = [e for e in elements(root) if tag(e) in kinds and (e.get("id") or e.get("name")) in referred - {"all"}]
    if not found:
        return None
    element = rng.choice(found)
    key = "name" if tag(element) == "ComponentType" else "id"
    name = element.get(key)
    assert name is not None
    others = [e for e in elements(root) if e is not element and name in (e.get("id"), e.get("name"))]
    inside = set(element.iter())
    users = [e for e in elements(root) if e not in inside for a in e.attrib if _is_reference(e, a) and e.get(a) == name]
    if others or not users:
        return None
    if rng.random() < 0.5:
        element.set(key, "987655" if tag(element) == "segment" else "renamed_away")
        return f"<{tag(element)}> '{name}' renamed", name
    remove(element)
    return f"<{tag(element)}> '{name}' removed", name


def _is_reference(element: Tree, attribute: str) -> bool:
    name = tag(element)
    if _LINKS.get(name) == attribute:
        return True
    if attribute in ("href", "file"):
        return name in ("include", "Include")
    if attribute == "type":
        return "Component" not in name and name not in ("Child", "Children", "Link", "population", "ionChannel")
    return attribute in REFERENCES and (attribute, element.get(attribute)) != ("segmentGroup", "all")
