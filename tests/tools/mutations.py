"""Breaks documents in every way that a structure can break, the same way for the same seed.

A mutation takes the tree of a document, changes it in place and tells what it did; one that leaves a reference without
its target also tells the name that must then be reported.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

from dangling import renamed, retargeted
from lxml import etree
from xml_trees import Tree, an_attribute, an_element, elements, named, remove, tag

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
        dangling = rng.choice((retargeted, renamed, retargeted))(root, rng)
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


# ------------------------------------------------------------------------------------------ changes of any kind


def _attribute_dropped(root: Tree, rng: random.Random) -> str:
    element, attribute = an_attribute(root, rng)
    del element.attrib[attribute]
    return f"{attribute} of <{tag(element)}>"


def _number_changed(root: Tree, rng: random.Random) -> str:
    found = [(e, a) for e in elements(root) for a, text in e.attrib.items() if text[:1] in "-.0123456789" and text]
    element, attribute = rng.choice(found)
    old = element.get(attribute, "")
    unit = old.lstrip("-+.0123456789eE ") if rng.random() < 0.7 else rng.choice(("", *_UNITS))
    element.set(attribute, f"{rng.choice(_NUMBERS)} {unit}".strip())
    return f"{attribute} of <{tag(element)}> {old} -> {element.get(attribute)}"


def _unit_changed(root: Tree, rng: random.Random) -> str:
    found = [(e, a) for e in elements(root) for a, text in e.attrib.items() if text[:1] in "-.0123456789" and text]
    element, attribute = rng.choice(found)
    old = element.get(attribute, "")
    element.set(attribute, old.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_2 ") + rng.choice(_UNITS))
    return f"{attribute} of <{tag(element)}> {old} -> {element.get(attribute)}"


def _word_changed(root: Tree, rng: random.Random) -> str:
    element, attribute = an_attribute(root, rng)
    element.set(attribute, rng.choice(_WORDS))
    return f"{attribute} of <{tag(element)}> -> {element.get(attribute, '')[:20]!r}"


def _values_swapped(root: Tree, rng: random.Random) -> str:
    """Two elements exchange an attribute: ids, references, numbers."""
    element, attribute = an_attribute(root, rng)
    other = rng.choice([e for e in elements(root) if attribute in e.attrib])
    mine, its = element.get(attribute, ""), other.get(attribute, "")
    element.set(attribute, its)
    other.set(attribute, mine)
    return f"{attribute}: {mine[:20]} <-> {its[:20]}"


def _element_removed(root: Tree, rng: random.Random) -> str:
    element = an_element(root, rng)
    remove(element)
    return f"<{tag(element)}>"


def _element_doubled(root: Tree, rng: random.Random) -> str:
    element = an_element(root, rng)
    for _ in range(rng.choice((1, 1, 1, 200))):
        element.addnext(deepcopy(element))
    return f"<{tag(element)}>"


def _element_moved(root: Tree, rng: random.Random) -> str:
    element = an_element(root, rng)
    inside = set(element.iter())
    target = rng.choice([e for e in elements(root) if e not in inside])
    target.append(element)
    return f"<{tag(element)}> into <{tag(target)}>"


def _tag_changed(root: Tree, rng: random.Random) -> str:
    element, other = an_element(root, rng), an_element(root, rng)
    old = tag(element)
    element.tag = other.tag
    return f"<{old}> -> <{tag(element)}>"


def _type_given(root: Tree, rng: random.Random) -> str:
    """A type attribute that makes something else of an element."""
    element = an_element(root, rng)
    element.set(
        "type", rng.choice(("baseCell", "cell", "gateKS", "gateHHrates", "HHExpRate", "network", "unknown", ""))
    )
    return f"<{tag(element)} type='{element.get('type')}'>"


def _children_shuffled(root: Tree, rng: random.Random) -> str:
    parent = rng.choice([e for e in elements(root) if len(e) > 1])
    children = list(parent)
    rng.shuffle(children)
    parent[:] = children
    return f"<{tag(parent)}>"


def _nested_deeply(root: Tree, rng: random.Random) -> str:
    """An element wrapped in itself many times."""
    element, depth = an_element(root, rng), rng.choice((20, 150, 400))
    shell = etree.Element(element.tag, dict(element.attrib))
    inner = shell
    for _ in range(depth):
        inner = etree.SubElement(inner, element.tag, dict(element.attrib))
    element.addnext(shell)
    return f"<{tag(element)}> {depth} deep"


def _groups_in_a_circle(root: Tree, rng: random.Random) -> str:
    groups = [e for e in elements(root) if tag(e) == "segmentGroup"]
    first, second = rng.choice(groups), rng.choice(groups)
    for one, other in ((first, second), (second, first)):
        etree.SubElement(one, named(root, "include"), {"segmentGroup": other.get("id", "")})
    return f"{first.get('id')} and {second.get('id')}"


def _groups_in_a_chain(root: Tree, rng: random.Random) -> str:
    parent = rng.choice([e for e in elements(root) if tag(e) == "morphology"])
    length = rng.choice((50, 3000))
    for k in range(length):
        group = etree.SubElement(parent, named(root, "segmentGroup"), {"id": f"chain{k}"})
        etree.SubElement(group, named(root, "include"), {"segmentGroup": f"chain{k + 1}" if k + 1 < length else "all"})
    return f"{length} groups"


def _parents_in_a_circle(root: Tree, rng: random.Random) -> str:
    segments = [e for e in elements(root) if tag(e) == "segment"]
    one, other = rng.choice(segments), rng.choice(segments)
    for child, parent in ((one, other), (other, one)):
        for old in child.findall("{*}parent"):
            child.remove(old)
        child.insert(0, etree.Element(named(root, "parent"), {"segment": parent.get("id", "")}))
    return f"{one.get('id')} and {other.get('id')}"


def _long_chain_of_segments(root: Tree, rng: random.Random) -> str:
    parent = rng.choice([e for e in elements(root) if tag(e) == "morphology"])
    last = rng.choice([e for e in parent if tag(e) == "segment"]).get("id", "0")
    for k in range(3000):
        segment = etree.SubElement(parent, named(root, "segment"), {"id": str(100000 + k)})
        etree.SubElement(segment, named(root, "parent"), {"segment": last})
        etree.SubElement(segment, named(root, "distal"), {"x": "0", "y": str(k), "z": "0", "diameter": "1"})
        last = str(100000 + k)
    return "3000 segments"


def _included(root: Tree, name: str) -> str:
    root.insert(0, etree.Element(named(root, "include"), {"href": name}))
    return name


def _included_itself(root: Tree, rng: random.Random) -> str:
    href = rng.choice(("model.nml", ".", "..", "", "model.nml/", "a" * 5000, "./model.nml", "nul\u00e9.nml"))
    return repr(_included(root, href)[:20])


def _types_in_a_circle(root: Tree, rng: random.Random) -> str:
    length = rng.choice((1, 2, 3000))
    for k in range(length):
        other = f"circle{(k + 1) % length}"
        etree.SubElement(root, named(root, "ComponentType"), {"name": f"circle{k}", "extends": other})
    return f"{length} types"


def _expression_changed(root: Tree, rng: random.Random) -> str:
    places = ("value", "condition", "test")
    tags = ("DerivedVariable", "TimeDerivative", "Case", "StateAssignment", "OnCondition", "inhomogeneousValue")
    found = [(e, a) for e in elements(root) if tag(e) in tags for a in places if a in e.attrib]
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
    return f"{attribute} of <{tag(element)}> -> {new[:30]!r}"


def _definition_circular(root: Tree, rng: random.Random) -> str:
    element = rng.choice([e for e in elements(root) if tag(e) == "DerivedVariable" and "value" in e.attrib])
    element.set("value", f"{element.get('name')} + 1")
    return element.get("name", "")


def _case_changed(root: Tree, rng: random.Random) -> str:
    case = rng.choice([e for e in elements(root) if tag(e) == "Case"])
    if "condition" in case.attrib and rng.random() < 0.5:
        del case.attrib["condition"]
        return "condition dropped"
    remove(case)
    return "removed"


def _divisions_changed(root: Tree, rng: random.Random) -> str:
    group = rng.choice([e for e in elements(root) if tag(e) == "segmentGroup"])
    value = rng.choice(("0", "-1", "1e9", "2.5", "100000000000", "nan", "1e308", "many"))
    group.set("neuroLexId", "sao864921383")
    group.insert(0, etree.Element(named(root, "property"), {"tag": "numberInternalDivisions", "value": value}))
    return f"{group.get('id')}: {value}"


CHANGES: tuple[Callable[[Tree, random.Random], str], ...] = (
    *(_attribute_dropped, _attribute_dropped, _number_changed, _number_changed, _number_changed, _unit_changed),
    *(_word_changed, _word_changed, _values_swapped, _values_swapped, _element_removed, _element_removed),
    *(_element_doubled, _element_moved, _element_moved, _tag_changed, _tag_changed, _type_given, _children_shuffled),
    *(_nested_deeply, _groups_in_a_circle, _groups_in_a_chain, _parents_in_a_circle, _long_chain_of_segments),
    *(_included_itself, _types_in_a_circle, _expression_changed, _expression_changed, _definition_circular),
    *(_case_changed, _divisions_changed),
)
