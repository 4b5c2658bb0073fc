"""Small steps in the lxml trees of documents: elements without annotations, picks, removals."""

from __future__ import annotations

import random

from lxml import etree

Tree = etree._Element


def elements(root: Tree) -> list[Tree]:
    """All elements, without comments and what stands in annotations and notes."""
    skipped: set[Tree] = set()
    for e in root.iter():
        if isinstance(e.tag, str) and tag(e) in ("annotation", "notes"):
            skipped.update(e.iter())
    return [e for e in root.iter() if isinstance(e.tag, str) and e not in skipped]


def an_element(root: Tree, rng: random.Random) -> Tree:
    return rng.choice(elements(root)[1:])


def an_attribute(root: Tree, rng: random.Random) -> tuple[Tree, str]:
    element = rng.choice([e for e in elements(root) if e.attrib])
    return element, rng.choice(list(element.attrib))


def remove(element: Tree) -> None:
    parent = element.getparent()
    assert parent is not None  # the top element is never removed
    parent.remove(element)


def tag(element: Tree) -> str:
    return etree.QName(element).localname


def named(root: Tree, tag: str) -> str:
    """A tag in the namespace of the document."""
    namespace = etree.QName(root).namespace
    return f"{{{namespace}}}{tag}" if namespace else tag
