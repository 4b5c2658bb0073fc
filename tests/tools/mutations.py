"""Breaks documents in every way that a structure can break, the same way for the same seed.

A mutation takes the tree of a document, changes it in place and tells what it did; one that leaves a reference without
its target also tells the name that must then be reported.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

from lxml import etree

Tree = etree._Element

REFERENCES = frozenset(
    (
        *("ionChannel", "concentrationModel", "morphology", "biophysicalProperties", "component", "input", "synapse"),
        *("segmentGroup", "inhomogeneousParameter", "type", "extends", "population", "href", "file"),
    )
)
"""Attributes that name something else."""

_LINKS = {"member": "segment", "parent": "segment", "forwardTransition": "from", "reverseTransition": "to"}
_NUMBERS = (
    "1e308",
    "-1e308",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "0",
    "-1",
    "-0",
    "1e-320",
    "text",
    "",
    "1e",
    "--1",
    "0x10",
)
_UNITS = ("mV", "ms", "pS", "K", "degC", "S_per_cm2", "um", "furlongs", "Hz", "e", "per_ms")
_WORDS = (
    "",
    " ",
    "a b",
    "../x",
    "na",
    "v",
    "t",
    "exp",
    "SUFFIX",
    "é",
    "x" * 3000,
    "1",
    "a'b",
    'a"b',
    "{0}",
    "%s",
    "a/b[0]",
)
MISSING = "nowhere_to_be_found"
_TRIES = 20


@dataclass(frozen=True)
class Mutant:
    """The bytes of a broken document, how it was broken, and a name that must be reported ('': none must)."""

    data: bytes
    how: str
    dangling: str = ""


def mutate(data: bytes, seed: int, files: Sequence[str] = ()) -> Mutant:
    """One to three mutations of a document; those that make a reference dangle stand alone.

    `files` are the names of the files of the model, which may then include each other in circles.
    """
    rng = random.Random(seed)
    if rng.random() < 0.08:
        return _bytes(data, rng)
    root = etree.fromstring(data)
    if rng.random() < 0.25:
        dangling = rng.choice((_retargeted, _renamed, _retargeted))(root, rng)
        if dangling is not None:
            return Mutant(etree.tostring(root), *dangling)
    done = []
    if files and rng.random() < 0.05:
        done.append(f"includes {_included(root, rng.choice(files))}")
    wanted = len(done) + rng.choice((1, 1, 1, 2, 3))
    for _ in range(_TRIES):
        change = rng.choice(CHANGES)
        try:
            done.append(f"{change.__name__[1:]}: {change(root, rng)}")
        except (IndexError, ValueError):  # nothing to change in this document, or not in XML
            continue
        if len(done) >= wanted:
            break
    return Mutant(etree.tostring(root), "; ".join(done))


def _bytes(data: bytes, rng: random.Random) -> Mutant:
    """Truncated, with some bytes changed, or with a piece cut out."""
    at, kind = rng.randrange(len(data)), rng.randrange(3)
    if kind == 0:
        return Mutant(data[:at], f"truncated at {at}")
    if kind == 1:
        broken = bytearray(data)
        for _ in range(rng.randint(1, 5)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        return Mutant(bytes(broken), "bytes changed")
    end = min(len(data), at + rng.randint(1, 200))
    return Mutant(data[:at] + data[end:], f"bytes {at} to {end} cut out")


# ------------------------------------------------------------------------------------------ dangling references


def _retargeted(root: Tree, rng: random.Random) -> tuple[str, str] | None:
    """A reference that leads nowhere."""
    found = [(e, a) for e in _elements(root) for a in e.attrib if _is_reference(e, a)]
    if not found:
        return None
    element, attribute = rng.choice(found)
    name = "987654" if attribute == "segment" else MISSING
    element.set(attribute, name)
    return f"{attribute} of <{_tag(element)}> leads nowhere", name


def _renamed(root: Tree, rng: random.Random) -> tuple[str, str] | None:
    """A component or group that others refer to gets another id, or goes."""
    referred = {e.get(a) for e in _elements(root) for a in e.attrib if _is_reference(e, a)}
    kinds = ("ionChannel", "ionChannelHH", "ionChannelKS", "morphology", "segmentGroup", "segment", "ComponentType")
    found = [e for e in _elements(root) if _tag(e) in kinds and (e.get("id") or e.get("name")) in referred - {"all"}]
    if not found:
        return None
    element = rng.choice(found)
    key = "name" if _tag(element) == "ComponentType" else "id"
    name = element.get(key)
    assert name is not None
    others = [e for e in _elements(root) if e is not element and name in (e.get("id"), e.get("name"))]
    inside = set(element.iter())
    users = [
        e for e in _elements(root) if e not in inside for a in e.attrib if _is_reference(e, a) and e.get(a) == name
    ]
    if others or not users:
        return None
    if rng.random() < 0.5:
        element.set(key, "987655" if _tag(element) == "segment" else "renamed_away")
        return f"<{_tag(element)}> '{name}' renamed", name
    _remove(element)
    return f"<{_tag(element)}> '{name}' removed", name


def _is_reference(element: Tree, attribute: str) -> bool:
    tag = _tag(element)
    if _LINKS.get(tag) == attribute:
        return True
    if attribute in ("href", "file"):
        return tag in ("include", "Include")
    if attribute == "type":
        return tag not in ("Child", "Children", "population", "ionChannel") and "Component" not in tag and tag != "Link"
    return attribute in REFERENCES and (attribute, element.get(attribute)) != ("segmentGroup", "all")


# ------------------------------------------------------------------------------------------ changes of any kind


def _attribute_dropped(root: Tree, rng: random.Random) -> str:
    element, attribute = _an_attribute(root, rng)
    del element.attrib[attribute]
    return f"{attribute} of <{_tag(element)}>"


def _number_changed(root: Tree, rng: random.Random) -> str:
    found = [(e, a) for e in _elements(root) for a, text in e.attrib.items() if text[:1] in "-.0123456789" and text]
    element, attribute = rng.choice(found)
    old = element.get(attribute, "")
    unit = old.lstrip("-+.0123456789eE ") if rng.random() < 0.7 else rng.choice(("", *_UNITS))
    element.set(attribute, f"{rng.choice(_NUMBERS)} {unit}".strip())
    return f"{attribute} of <{_tag(element)}> {old} -> {element.get(attribute)}"


def _unit_changed(root: Tree, rng: random.Random) -> str:
    found = [(e, a) for e in _elements(root) for a, text in e.attrib.items() if text[:1] in "-.0123456789" and text]
    element, attribute = rng.choice(found)
    old = element.get(attribute, "")
    element.set(attribute, old.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_2 ") + rng.choice(_UNITS))
    return f"{attribute} of <{_tag(element)}> {old} -> {element.get(attribute)}"


def _word_changed(root: Tree, rng: random.Random) -> str:
    element, attribute = _an_attribute(root, rng)
    element.set(attribute, rng.choice(_WORDS))
    return f"{attribute} of <{_tag(element)}> -> {element.get(attribute, '')[:20]!r}"


def _values_swapped(root: Tree, rng: random.Random) -> str:
    """Two elements exchange an attribute: ids, references, numbers."""
    element, attribute = _an_attribute(root, rng)
    other = rng.choice([e for e in _elements(root) if attribute in e.attrib])
    mine, its = element.get(attribute, ""), other.get(attribute, "")
    element.set(attribute, its)
    other.set(attribute, mine)
    return f"{attribute}: {mine[:20]} <-> {its[:20]}"


def _element_removed(root: Tree, rng: random.Random) -> str:
    element = _an_element(root, rng)
    _remove(element)
    return f"<{_tag(element)}>"


def _element_doubled(root: Tree, rng: random.Random) -> str:
    element = _an_element(root, rng)
    for _ in range(rng.choice((1, 1, 1, 200))):
        element.addnext(deepcopy(element))
    return f"<{_tag(element)}>"


def _element_moved(root: Tree, rng: random.Random) -> str:
    element = _an_element(root, rng)
    inside = set(element.iter())
    target = rng.choice([e for e in _elements(root) if e not in inside])
    target.append(element)
    return f"<{_tag(element)}> into <{_tag(target)}>"


def _tag_changed(root: Tree, rng: random.Random) -> str:
    element, other = _an_element(root, rng), _an_element(root, rng)
    old = _tag(element)
    element.tag = other.tag
    return f"<{old}> -> <{_tag(element)}>"


def _type_given(root: Tree, rng: random.Random) -> str:
    """A type attribute that makes something else of an element."""
    element = _an_element(root, rng)
    element.set(
        "type", rng.choice(("baseCell", "cell", "gateKS", "gateHHrates", "HHExpRate", "network", "unknown", ""))
    )
    return f"<{_tag(element)} type='{element.get('type')}'>"


def _children_shuffled(root: Tree, rng: random.Random) -> str:
    parent = rng.choice([e for e in _elements(root) if len(e) > 1])
    children = list(parent)
    rng.shuffle(children)
    parent[:] = children
    return f"<{_tag(parent)}>"


def _nested_deeply(root: Tree, rng: random.Random) -> str:
    """An element wrapped in itself many times."""
    element, depth = _an_element(root, rng), rng.choice((20, 150, 400))
    shell = etree.Element(element.tag, dict(element.attrib))
    inner = shell
    for _ in range(depth):
        inner = etree.SubElement(inner, element.tag, dict(element.attrib))
    element.addnext(shell)
    return f"<{_tag(element)}> {depth} deep"


def _groups_in_a_circle(root: Tree, rng: random.Random) -> str:
    groups = [e for e in _elements(root) if _tag(e) == "segmentGroup"]
    first, second = rng.choice(groups), rng.choice(groups)
    for one, other in ((first, second), (second, first)):
        etree.SubElement(one, _named(root, "include"), {"segmentGroup": other.get("id", "")})
    return f"{first.get('id')} and {second.get('id')}"


def _groups_in_a_chain(root: Tree, rng: random.Random) -> str:
    parent = rng.choice([e for e in _elements(root) if _tag(e) == "morphology"])
    length = rng.choice((50, 3000))
    for k in range(length):
        group = etree.SubElement(parent, _named(root, "segmentGroup"), {"id": f"chain{k}"})
        etree.SubElement(group, _named(root, "include"), {"segmentGroup": f"chain{k + 1}" if k + 1 < length else "all"})
    return f"{length} groups"


def _parents_in_a_circle(root: Tree, rng: random.Random) -> str:
    segments = [e for e in _elements(root) if _tag(e) == "segment"]
    one, other = rng.choice(segments), rng.choice(segments)
    for child, parent in ((one, other), (other, one)):
        for old in child.findall("{*}parent"):
            child.remove(old)
        child.insert(0, etree.Element(_named(root, "parent"), {"segment": parent.get("id", "")}))
    return f"{one.get('id')} and {other.get('id')}"


def _long_chain_of_segments(root: Tree, rng: random.Random) -> str:
    parent = rng.choice([e for e in _elements(root) if _tag(e) == "morphology"])
    last = rng.choice([e for e in parent if _tag(e) == "segment"]).get("id", "0")
    for k in range(3000):
        segment = etree.SubElement(parent, _named(root, "segment"), {"id": str(100000 + k)})
        etree.SubElement(segment, _named(root, "parent"), {"segment": last})
        etree.SubElement(segment, _named(root, "distal"), {"x": "0", "y": str(k), "z": "0", "diameter": "1"})
        last = str(100000 + k)
    return "3000 segments"


def _included(root: Tree, name: str) -> str:
    root.insert(0, etree.Element(_named(root, "include"), {"href": name}))
    return name


def _included_itself(root: Tree, rng: random.Random) -> str:
    href = rng.choice(("model.nml", ".", "..", "", "model.nml/", "a" * 5000, "./model.nml", "nul\u00e9.nml"))
    return repr(_included(root, href)[:20])


def _types_in_a_circle(root: Tree, rng: random.Random) -> str:
    length = rng.choice((1, 2, 3000))
    for k in range(length):
        other = f"circle{(k + 1) % length}"
        etree.SubElement(root, _named(root, "ComponentType"), {"name": f"circle{k}", "extends": other})
    return f"{length} types"


def _expression_changed(root: Tree, rng: random.Random) -> str:
    places = ("value", "condition", "test")
    tags = ("DerivedVariable", "TimeDerivative", "Case", "StateAssignment", "OnCondition", "inhomogeneousValue")
    found = [(e, a) for e in _elements(root) if _tag(e) in tags for a in places if a in e.attrib]
    element, attribute = rng.choice(found)
    old = element.get(attribute, "")
    new = rng.choice(
        (
            *("(" * 5000 + "v" + ")" * 5000, "(" * 50 + "1" + ")" * 50, "1" + "+1" * 20000, "1/0", "exp(1e9)", "0/0"),
            *(
                "v v",
                "*",
                "",
                ".and.",
                "random(1)",
                "factorial(1e9)",
                "factorial(-1)",
                "sqrt(-1)",
                "log(0)",
                "undefined_x",
            ),
            *(
                "x .gt.",
                f"{old}*{old}",
                old[: len(old) // 2],
                f"({old})^1e9",
                "exp",
                "exp()",
                "exp(1,2)",
                "1e999",
                "v .gt. 0",
            ),
            *(
                "((v))^((v))^((v))",
                "sum(1)",
                "__import__('os')",
                "1;2",
                "\u03bb",
                "v.x",
                "t",
                "-" * 3000 + "1",
                ".not. v",
            ),
        )
    )
    element.set(attribute, new)
    return f"{attribute} of <{_tag(element)}> -> {new[:30]!r}"


def _definition_circular(root: Tree, rng: random.Random) -> str:
    element = rng.choice([e for e in _elements(root) if _tag(e) == "DerivedVariable" and "value" in e.attrib])
    element.set("value", f"{element.get('name')} + 1")
    return element.get("name", "")


def _case_changed(root: Tree, rng: random.Random) -> str:
    case = rng.choice([e for e in _elements(root) if _tag(e) == "Case"])
    if "condition" in case.attrib and rng.random() < 0.5:
        del case.attrib["condition"]
        return "condition dropped"
    _remove(case)
    return "removed"


def _divisions_changed(root: Tree, rng: random.Random) -> str:
    group = rng.choice([e for e in _elements(root) if _tag(e) == "segmentGroup"])
    value = rng.choice(("0", "-1", "1e9", "2.5", "100000000000", "nan", "1e308", "many"))
    group.set("neuroLexId", "sao864921383")
    group.insert(0, etree.Element(_named(root, "property"), {"tag": "numberInternalDivisions", "value": value}))
    return f"{group.get('id')}: {value}"


CHANGES: tuple[Callable[[Tree, random.Random], str], ...] = (
    *(_attribute_dropped, _attribute_dropped, _number_changed, _number_changed, _number_changed, _unit_changed),
    *(_word_changed, _word_changed, _values_swapped, _values_swapped, _element_removed, _element_removed),
    *(_element_doubled, _element_moved, _element_moved, _tag_changed, _tag_changed, _type_given, _children_shuffled),
    *(_nested_deeply, _groups_in_a_circle, _groups_in_a_chain, _parents_in_a_circle, _long_chain_of_segments),
    *(_included_itself, _types_in_a_circle, _expression_changed, _expression_changed, _definition_circular),
    *(_case_changed, _divisions_changed),
)


# ------------------------------------------------------------------------------------------ trees


def _elements(root: Tree) -> list[Tree]:
    """All elements, without comments and what stands in annotations and notes."""
    skipped: set[Tree] = set()
    for e in root.iter():
        if isinstance(e.tag, str) and _tag(e) in ("annotation", "notes"):
            skipped.update(e.iter())
    return [e for e in root.iter() if isinstance(e.tag, str) and e not in skipped]


def _an_element(root: Tree, rng: random.Random) -> Tree:
    return rng.choice(_elements(root)[1:])


def _an_attribute(root: Tree, rng: random.Random) -> tuple[Tree, str]:
    element = rng.choice([e for e in _elements(root) if e.attrib])
    return element, rng.choice(list(element.attrib))


def _remove(element: Tree) -> None:
    parent = element.getparent()
    assert parent is not None  # the top element is never removed
    parent.remove(element)


def _tag(element: Tree) -> str:
    return etree.QName(element).localname


def _named(root: Tree, tag: str) -> str:
    """A tag in the namespace of the document."""
    namespace = etree.QName(root).namespace
    return f"{{{namespace}}}{tag}" if namespace else tag
