"""Where children of an element begin and end in the text of a well-formed XML file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    r"|</(?P<end>[^\s>]+)\s*>"
    r"""|<(?P<start>[^\s/>!?]+)(?:\s+[^\s=/>]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*(?P<empty>/?)>""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A start or end tag in a text: its name as written, its span, how many elements are open before it."""

    name: str
    start: int
    end: int
    depth: int
    is_end: bool
    is_empty: bool

    @property
    def local(self) -> str:
        """The name without its prefix."""
        return self.name.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Span:
    """An element in a text: its start tag, and its end tag (None when it is written `<a/>`)."""

    first: Tag
    last: Tag | None

    @property
    def end(self) -> int:
        """Where the text after the element begins."""
        return (self.last or self.first).end


def element(text: str, at: int) -> tuple[Span, tuple[Span, ...]]:
    """The element whose start tag begins at `at`, and its children."""
    tags = list(_tags(text, at))
    children = []
    opened: Tag | None = None
    for tag in tags[1:]:
        if tag.depth == 1 and tag.is_empty:
            children.append(Span(tag, None))
        elif tag.depth == 1 and not tag.is_end:
            opened = tag
        elif tag.depth == 1 and opened is not None:
            children.append(Span(opened, tag))
    return Span(tags[0], tags[-1] if len(tags) > 1 else None), tuple(children)


def _tags(text: str, at: int) -> Iterator[Tag]:
    """The tags of one element; a start tag and its end tag have the same depth."""
    depth = 0
    for match in _TOKEN.finditer(text, at):
        if match.group("end"):
            depth -= 1
            yield Tag(match.group("end"), match.start(), match.end(), depth, is_end=True, is_empty=False)
        elif match.group("start"):
            empty = bool(match.group("empty"))
            yield Tag(match.group("start"), match.start(), match.end(), depth, is_end=False, is_empty=empty)
            depth += not empty
        else:
            continue
        if depth == 0:
            return
