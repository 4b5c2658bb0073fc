"""All that can be said of a document without running it: schema, references, definitions, cells, rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from nmlopt.document.checks import check as check_document
from nmlopt.document.model import Document
from nmlopt.errors import Issue, NmloptError
from nmlopt.ir.choose import is_cell
from nmlopt.ir.lower import lower
from nmlopt.lems.resolve import Components, components
from nmlopt.lint.definitions import definitions
from nmlopt.lint.references import references

RULES: Final[tuple[Callable[[Document, Components], Iterator[Issue]], ...]] = (references, definitions)


def check(document: Document) -> tuple[Issue, ...]:
    """All findings about a document, each once, by file (main first) and line."""
    found = list(check_document(document))
    try:
        known = components(document)
    except NmloptError as error:
        return ordered(document, (*found, *error.issues))
    for rule in (*RULES, _lowered):
        found.extend(_guarded(rule, document, known))
    return ordered(document, found)


def _guarded(
    rule: Callable[[Document, Components], Iterator[Issue]], document: Document, known: Components
) -> list[Issue]:
    """What a rule finds; faults that keep it from looking are findings of their own."""
    found: list[Issue] = []
    try:
        found.extend(rule(document, known))
    except NmloptError as error:
        found.extend(error.issues)
    except RecursionError:
        found.append(Issue("L003", "the definitions of this model rest on each other too deeply", hint="simplify them"))
    return found


def _lowered(document: Document, known: Components) -> Iterator[Issue]:
    """What keeps a cell of the document from being compiled."""
    for element in known.top:
        if is_cell(known, element) and "id" in element.attributes:
            try:
                lower(document, component=element.attributes["id"])
            except NmloptError as error:
                yield from error.issues


def ordered(document: Document, issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Findings without repetitions, by file (main first) and line; those without a place first."""
    order = {source.path: at for at, source in enumerate(document.files)}

    def place(issue: Issue) -> tuple[int, int]:
        file, _, line = issue.where.rpartition(":")
        return (order.get(file, -1), int(line) if line.isdigit() else 0)

    distinct = dict.fromkeys(issues)
    missing = {issue.where for issue in distinct if issue.code == "D034"}
    kept = (i for i in distinct if not (i.code == "L020" and i.where in missing))  # one fault, found twice
    return tuple(sorted(kept, key=place))
