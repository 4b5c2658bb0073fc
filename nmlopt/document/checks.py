"""All checks of a document: the schema, then what the schema cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from nmlopt.document import checks_morphology as morphology
from nmlopt.document import checks_numbers as numbers
from nmlopt.document import checks_references as references
from nmlopt.document.checks_schema import schema_issues
from nmlopt.document.model import Document
from nmlopt.errors import Issue

RULES: Final[tuple[Callable[[Document], Iterator[Issue]], ...]] = (
    schema_issues,
    numbers.not_finite,
    numbers.unknown_units,
    references.duplicate_components,
    references.duplicate_parts,
    references.missing_components,
    morphology.parents,
    morphology.roots,
    morphology.ends,
    morphology.group_members,
    morphology.group_cycles,
    morphology.group_references,
)


def check(document: Document) -> tuple[Issue, ...]:
    """All findings about a document, by file (main first) and line; codes as in `nmlopt.codes`."""
    order = {source.path: at for at, source in enumerate(document.files)}

    def place(issue: Issue) -> tuple[int, int]:
        file, _, line = issue.where.rpartition(":")
        return (order.get(file, len(order)), int(line) if line.isdigit() else 0)

    return tuple(sorted((issue for rule in RULES for issue in rule(document)), key=place))
