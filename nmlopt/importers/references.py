"""How LEMS files point at instances of a population: `pop[0]`, `pop/0/cell`, `../pop/0/cell`, and what follows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_INDEXED: Final = re.compile(r"(?P<population>[^/\[\]]+)\[\s*(?P<index>\d+)\s*\](?:/(?P<rest>.*))?\Z", re.DOTALL)
_LISTED: Final = re.compile(r"(?P<population>[^/\[\]]+)/(?P<index>\d+)(?:/(?P<rest>.*))?\Z", re.DOTALL)
_UP: Final = re.compile(r"\A(?:\.{1,2}/)+")


@dataclass(frozen=True, slots=True)
class Reference:
    """An instance of a population and the steps below it (without the id of its component)."""

    population: str
    index: int
    is_listed: bool
    steps: tuple[str, ...]


def reference(text: str) -> Reference | None:
    """What a path of LEMS points at; None if it does not begin with an instance of a population.

    `is_listed` tells `pop/3/cell` (the instance whose id is 3) from `pop[3]` (the fourth one). In the former the first
    step names the component.
    """
    plain = _UP.sub("", text.strip())
    found = _INDEXED.match(plain) or _LISTED.match(plain)
    if found is None:
        return None
    steps = tuple(step.strip() for step in (found["rest"] or "").split("/") if step.strip())
    return Reference(found["population"].strip(), int(found["index"]), found.re is _LISTED, steps)
