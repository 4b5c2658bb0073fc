"""The grammar of paths: steps `type`, `type:id`, `type[@attribute=value]`, `type[2]`, joined by '/'.

The last step is an attribute, with `{k}` for the k-th literal of an expression. `*` stands for any type or id. What
holds one of the signs `/ : [ ] { } * = @ ' "` or a space is put in quotes; a quote inside quotes is doubled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from nmlopt.document.model import Element
from nmlopt.errors import Issue, PathError

ANY: Final = "\0*"  # an unquoted star; no text of XML holds it
_PLAIN: Final = r"""[^/:\[\]{}*=@'"\s]+"""
_QUOTED: Final = r"""'(?:[^']|'')*'|"(?:[^"]|"")*\""""
_WORD: Final = rf"(?:{_QUOTED}|{_PLAIN})"
_STEP: Final = re.compile(
    rf"(?P<type>\*|{_WORD})(?::(?P<id>\*|{_WORD}))?(?P<tests>(?:\[@{_WORD}={_WORD}\])*)(?:\[(?P<ordinal>[1-9]\d*)\])?"
)
_TEST: Final = re.compile(rf"\[@({_WORD})=({_WORD})\]")
_ATTRIBUTE: Final = re.compile(rf"(?P<name>{_WORD})(?:\{{(?P<literal>[1-9]\d*)\}})?\Z")


_ON_ALL: Final = frozenset({"specificCapacitance", "resistivity", "initMembPotential", "spikeThresh"})


@dataclass(frozen=True, slots=True)
class Step:
    """One element of a path; `id` None means any element of that type, `ordinal` counts from 1 among siblings."""

    type: str
    id: str | None = None
    tests: tuple[tuple[str, str], ...] = ()
    ordinal: int | None = None

    @property
    def is_wild(self) -> bool:
        """Whether several elements are meant."""
        return ANY in (self.type, self.id)

    def matches(self, element: Element) -> bool:
        """Whether type, id and tests fit; the ordinal is the caller's, who knows the siblings."""
        return (
            (self.type == ANY or self.type in (element.tag, element.attributes.get("type")))
            and (self.id is None or (self.id == ANY or self.id == identity(element)))
            and all(reference(element, name) == value for name, value in self.tests)
        )

    def __str__(self) -> str:
        text = quoted(self.type) if self.id is None else f"{quoted(self.type)}:{quoted(self.id)}"
        text += "".join(f"[@{quoted(name)}={quoted(value)}]" for name, value in self.tests)
        return text + (f"[{self.ordinal}]" if self.ordinal else "")


@dataclass(frozen=True, slots=True)
class ParsedPath:
    """A path as written, in parts."""

    steps: tuple[Step, ...]
    attribute: str
    literal: int | None = None

    @property
    def is_wild(self) -> bool:
        """Whether several numbers are meant."""
        return any(step.is_wild for step in self.steps)

    def __str__(self) -> str:
        literal = f"{{{self.literal}}}" if self.literal else ""
        return "/".join([*map(str, self.steps), quoted(self.attribute)]) + literal


def parse_path(text: str) -> ParsedPath:
    """The parts of a path. Raises PathError P003 with the place of the fault."""
    steps: list[Step] = []
    at = 0
    while match := _STEP.match(text, at):
        if not text.startswith("/", match.end()):
            break
        steps.append(_step(match))
        at = match.end() + 1
    last = _ATTRIBUTE.match(text, at)
    if last is None or not steps:
        hint = "write type:id/type:id/attribute, such as cell:hh/channelDensity:na/condDensity"
        fault = f"at '{text[at:]}'" if text[at:] else "at its end"
        what = "an element must come before the attribute" if last is not None else f"is not a path: fault {fault}"
        raise PathError(Issue("P003", f"'{text}': {what}", hint=hint))
    literal = last.group("literal")
    return ParsedPath(tuple(steps), _unquoted(last.group("name")), int(literal) if literal else None)


def identity(element: Element) -> str | None:
    """What stands behind ':' for an element: its id, else its name."""
    attributes = element.attributes
    return attributes["id"] if "id" in attributes else attributes.get("name")


def reference(element: Element, name: str) -> str | None:
    """An attribute, with the default that the NeuroML schema gives: a property without segmentGroup is on 'all'."""
    text = element.attributes.get(name)
    if text is None and name == "segmentGroup" and "segment" not in element.attributes and element.tag in _ON_ALL:
        return "all"
    return text


def quoted(word: str) -> str:
    """The word as a path holds it."""
    if word == ANY:
        return "*"
    if re.fullmatch(_PLAIN, word):
        return word
    return "'" + word.replace("'", "''") + "'"


def _step(match: re.Match[str]) -> Step:
    id_ = match.group("id")
    tests = tuple((_unquoted(n), _unquoted(v)) for n, v in _TEST.findall(match.group("tests")))
    ordinal = match.group("ordinal")
    return Step(
        _unquoted(match.group("type")),
        None if id_ is None else _unquoted(id_),
        tests,
        int(ordinal) if ordinal else None,
    )


def _unquoted(word: str) -> str:
    if word == "*":
        return ANY
    if word[:1] in ("'", '"'):
        return word[1:-1].replace(word[0] * 2, word[0])
    return word
