"""Paths: the names of the numbers of a document, and the numbers they lead to.

A path may leave out levels (`cell:hh/channelDensity:na/condDensity`). If it is the full path of a number, that number
is meant even if shorter readings exist; so every number has one canonical path, the full one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from nmlopt.document.grammar import ANY, ParsedPath, parse_path, quoted
from nmlopt.document.index import Index, index
from nmlopt.document.model import Document, Element
from nmlopt.document.numbers import is_expression, is_text, literals, quantity
from nmlopt.document.suggest import near_numbers, near_paths
from nmlopt.errors import Issue, PathError
from nmlopt.units import Quantity


@dataclass(frozen=True, slots=True)
class Address:
    """One number of a document: its canonical path, where it stands, and the quantity as written.

    `literal` is k for the k-th number literal of an expression, else None.
    """

    path: str
    element: Element
    attribute: str
    literal: int | None
    quantity: Quantity

    @property
    def where(self) -> str:
        """`file:line` of the element."""
        return self.element.where


def resolve(document: Document, path: str) -> tuple[Address, ...]:
    """The numbers that a path means: exactly one, unless it holds '*'.

    Raises PathError: P001 no match (with near paths), P002 several matches (listed), P003 syntax, P004 not a number.
    """
    parsed = parse_path(path)
    known = index(document)
    elements = _elements(known, parsed)
    if not any(elements):
        raise PathError(Issue("P001", f"'{path}' matches nothing", hint=near_paths(known, parsed)))
    full, skipping = ([e for e in some if parsed.attribute in e.attributes] for some in elements)
    holders = full or skipping
    if not holders:
        raise PathError(_no_attribute(known, parsed, path, elements[0] or elements[1]))
    if len(holders) > 1 and not parsed.is_wild:
        raise PathError(_ambiguous(known, parsed, path, holders))
    found: list[Address] = []
    faults: list[Issue] = []
    for element in holders:
        item = _address(known, parsed, path, element)
        if isinstance(item, Issue):
            faults.append(item)
        else:
            found.append(item)
    if faults:
        raise PathError(faults)
    return tuple(found)


def listing(document: Document, pattern: str | None = None) -> tuple[Address, ...]:
    """Every number of a document: quantities in attributes and literals of expressions, in the order of its text.

    `pattern` keeps the canonical paths that hold it; `*` and `?` in it stand for any text and any one sign.
    """
    known = index(document)
    found = (address for element in known.elements for address in _numbers(known, element))
    if pattern is None:
        return tuple(found)
    if any(sign in pattern for sign in "*?"):
        return tuple(a for a in found if fnmatchcase(a.path, f"*{pattern}*"))
    return tuple(a for a in found if pattern in a.path)


def _elements(known: Index, path: ParsedPath) -> tuple[list[Element], list[Element]]:
    """Elements that the steps mean: those with exactly these steps, and those where levels are left out."""
    last = path.steps[-1]
    candidates = known.elements if last.type == ANY else known.by_type.get(last.type, [])
    ending = [e for e in candidates if known.matches(last, e)]
    skipping: list[Element] = []
    full: list[Element] = []
    for element in ending:
        chain = known.chain(element)
        if len(chain) == len(path.steps) and all(
            known.matches(s, e) for s, e in zip(path.steps, reversed(chain), strict=True)
        ):
            full.append(element)
        elif _skips(known, path, chain):
            skipping.append(element)
    return full, skipping


def _skips(known: Index, path: ParsedPath, chain: Sequence[Element]) -> bool:
    """Whether the steps before the last are found, in order, among the ancestors."""
    above = iter(chain[1:])
    return all(any(known.matches(step, e) for e in above) for step in reversed(path.steps[:-1]))


def _numbers(known: Index, element: Element) -> Iterator[Address]:
    for attribute, text in element.attributes.items():
        if is_text(element, attribute):
            continue
        if is_expression(element, attribute):
            path = f"{known.path(element)}/{quoted(attribute)}"
            for k, literal in enumerate(literals(text), 1):
                yield Address(f"{path}{{{k}}}", element, attribute, k, Quantity(literal.value))
        elif (value := quantity(text)) is not None:
            yield Address(f"{known.path(element)}/{quoted(attribute)}", element, attribute, None, value)


def _address(known: Index, path: ParsedPath, written: str, element: Element) -> Address | Issue:
    attribute = path.attribute
    text = element.attributes[attribute]
    if is_text(element, attribute):
        hint = near_numbers(known, element)
        return Issue("P004", f"'{written}' is a name or reference ('{text}'), not a number", element.where, hint)
    canonical = f"{known.path(element)}/{quoted(attribute)}"
    if is_expression(element, attribute):
        return _literal_address(canonical, path, written, element)
    value = quantity(text)
    if value is None:
        hint = "a number must be finite, with or without a unit"
        return Issue("P004", f"'{written}' holds '{text}', which is not a number", element.where, hint)
    if path.literal is not None:
        hint = f"leave out {{{path.literal}}}"
        return Issue("P004", f"'{written}' holds one number ('{text}'), not an expression", element.where, hint)
    return Address(canonical, element, attribute, None, value)


def _literal_address(canonical: str, path: ParsedPath, written: str, element: Element) -> Address | Issue:
    text = element.attributes[path.attribute]
    found = literals(text)
    if path.literal is not None and path.literal <= len(found):
        value = Quantity(found[path.literal - 1].value)
        return Address(f"{canonical}{{{path.literal}}}", element, path.attribute, path.literal, value)
    numbers = ", ".join(f"{{{k}}} is {literal.value:g}" for k, literal in enumerate(found, 1))
    hint = f"choose one of its numbers: {numbers}" if found else "it holds no numbers"
    shown = " ".join(text.split())
    return Issue("P004", f"'{written}' is the expression '{shown}', not one number", element.where, hint)


def _no_attribute(known: Index, path: ParsedPath, written: str, elements: Sequence[Element]) -> Issue:
    first = elements[0]
    message = f"'{written}': <{first.tag}> has no attribute '{path.attribute}'"
    return Issue("P001", message, first.where, near_numbers(known, first, path.attribute))


def _ambiguous(known: Index, path: ParsedPath, written: str, elements: Sequence[Element]) -> Issue:
    shown = [f"{known.path(e)}/{quoted(path.attribute)} ({e.where})" for e in elements[:8]]
    more = [f"and {len(elements) - 8} more"] if len(elements) > 8 else []
    hint = "add steps to choose one of " + "; ".join(shown + more) + "; or write * to mean all"
    return Issue("P002", f"'{written}' matches {len(elements)} numbers", hint=hint)
