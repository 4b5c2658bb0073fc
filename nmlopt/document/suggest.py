"""What a path that matches nothing was perhaps meant to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from nmlopt.document.grammar import ANY, ParsedPath, Step, identity, quoted
from nmlopt.document.index import Index
from nmlopt.document.model import Element
from nmlopt.document.numbers import is_expression, is_text, literals, quantity

_MOST_NAMES = 3000
_SHOWN = 5


def near_paths(known: Index, path: ParsedPath) -> str:
    """A hint for the first step of a path that leads nowhere."""
    scope: Sequence[Element] = known.elements
    for at, step in enumerate(path.steps):
        here = [e for e in scope if known.matches(step, e)]
        if not here:
            before = "/".join(map(str, path.steps[:at]))
            near = _near_steps(scope, step)
            place = f"below '{before}'" if before else "in the document"
            if not near:
                return f"there is no '{step}' {place}"
            good = [str(replace(path, steps=(*path.steps[:at], s, *path.steps[at + 1 :]))) for s in near]
            return f"there is no '{step}' {place}; did you mean {' or '.join(good)}?"
        scope = [below for e in here for below in list(e.walk())[1:]]
    return ""


def near_numbers(known: Index, element: Element, attribute: str = "") -> str:
    """A hint with numbers at or below an element, those with a similar name first."""
    paths = {
        f"{known.path(e)}/{quoted(name)}" + ("{1}" if is_expression(e, name) else ""): name
        for e in element.walk()
        if e is element or e.tag not in ("notes", "annotation")
        for name, text in e.attributes.items()
        if _is_number(known, e, name, text)
    }
    if not paths:
        return f"<{element.tag}> holds no numbers"
    near = get_close_matches(attribute, set(paths.values()), n=_SHOWN, cutoff=0.6) if attribute else []
    tags = {p: p.rpartition("/")[0].rpartition("/")[2] for p in paths}
    wanted = [p for p, name in paths.items() if name in near or (attribute and tags[p].startswith(attribute))]
    chosen = (wanted or list(paths))[:_SHOWN]
    return ("did you mean " if wanted else "its numbers: ") + ", ".join(chosen) + ("?" if wanted else "")


def _is_number(known: Index, element: Element, name: str, text: str) -> bool:
    if is_text(element, name) or not known.holds(element):
        return False
    return bool(literals(text)) if is_expression(element, name) else quantity(text) is not None


def _near_steps(scope: Sequence[Element], step: Step) -> list[Step]:
    """Steps of elements that are spelt similarly: same id, same type and near id, or near type."""
    same = list(dict.fromkeys(e.tag for e in scope if identity(e) == step.id)) if step.id is not None else []
    if same:
        return [replace(step, type=tag) for tag in same[:3]]
    ids = list(dict.fromkeys(i for e in scope if step.type in (e.tag, ANY) and (i := identity(e)) is not None))
    if step.id is not None and ids:
        near = get_close_matches(step.id, ids[:_MOST_NAMES], n=3, cutoff=0.5)
        return [replace(step, id=i) for i in near or ids[:3]]
    tags = list(dict.fromkeys(e.tag for e in scope))
    return [replace(step, type=tag) for tag in get_close_matches(step.type, tags, n=3, cutoff=0.5)]
