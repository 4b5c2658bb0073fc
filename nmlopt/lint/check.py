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
from nmlopt.lint.cells import cells
from nmlopt.lint.components import components as parts_of_components
from nmlopt.lint.definitions import definitions
from nmlopt.lint.gates import gates
from nmlopt.lint.rates import rates
from nmlopt.lint.references import references
from nmlopt.lint.unused import unused

RULES: Final[tuple[Callable[[Document, Components], Iterator[Issue]], ...]] = (
    references,
    parts_of_components,
    definitions,
    gates,
    rates,
    cells,
    unused,
)

_SPEAK_FIRST: Final = frozenset({"D034", "D040", "D041", "D042", "D043", "D045", "D030", "D031", "I011"})
_ECHOES: Final = frozenset(
    ("L020", "L043", "I030", "I031", "I101", "I103", "I104", "I105", "I107", "I111", "U001", "U002", "D020")
)
"""What is not said where the reason was said already, by a code of the first set."""


def check(document: Document) -> tuple[Issue, ...]:
    """All findings about a document and what keeps any of its cells from being compiled, each once, by place."""
    try:
        known = components(document)
    except NmloptError:
        return findings(document)  # holds the reason
    return ordered(document, (*findings(document), *_guarded(_lowered, document, known)))


def findings(document: Document) -> tuple[Issue, ...]:
    """All findings about a document as it is written, each once, by file (main first) and line."""
    found = list(check_document(document))
    try:
        known = components(document)
    except NmloptError as error:
        return ordered(document, (*found, *error.issues))
    for rule in RULES:
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

    return tuple(sorted(_once(issues), key=place))


def _once(issues: Iterable[Issue]) -> Iterator[Issue]:
    """Findings without repetitions: of one fault that several rules see, the first that names it by place."""
    distinct = dict.fromkeys(issues)
    seen = {i.where for i in distinct if i.code in _SPEAK_FIRST}
    said: set[tuple[str, str, str]] = set()
    for issue in distinct:
        is_echo = issue.code in _ECHOES and issue.where in seen
        key = (issue.code, issue.where, issue.message)
        if not is_echo and key not in said:
            said.add(key)
            yield issue
