"""The `select` paths of LEMS: `gates[*]/fcond`, `populations[ion='ca']/i`, `forwardRate/r`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nmlopt.document.model import Element
from nmlopt.errors import Issue, LemsError
from nmlopt.lems.resolve import Instance
from nmlopt.lems.types import place

_STEP = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\[\s*(?:(\*)|([A-Za-z_]\w*)\s*=\s*['\"]([^'\"]*)['\"])\s*\])?\s*\Z")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a child name and, if stated, the attribute value that it must have."""

    name: str
    key: str = ""
    wanted: str = ""


@dataclass(frozen=True, slots=True)
class Select:
    """Steps to components, then the variable that is read there."""

    text: str
    steps: tuple[Step, ...]
    variable: str


def parse_select(item: Element) -> Select:
    """The select of a `<DerivedVariable>`. Raises LemsError L014."""
    text = item.attributes.get("select", "")
    *path, variable = text.split("/")
    steps = []
    for part in path:
        match = _STEP.match(part)
        if match is None:
            raise LemsError(Issue("L014", f"select '{text}' cannot be read", place(item)))
        steps.append(Step(match.group(1), match.group(3) or "", match.group(4) or ""))
    if not steps or not re.fullmatch(r"\s*[A-Za-z_]\w*\s*", variable):
        raise LemsError(Issue("L014", f"select '{text}' cannot be read", place(item)))
    return Select(text, tuple(steps), variable.strip())


def matching(step: Step, instances: Iterable[Instance]) -> list[Instance]:
    """The instances that the filter of a step lets through."""
    return [i for i in instances if not step.key or i.element.attributes.get(step.key) == step.wanted]
