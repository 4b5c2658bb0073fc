"""All codes of findings about documents, and their reference page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nmlopt.codes.backends import BACKENDS
from nmlopt.codes.cells import CELLS
from nmlopt.codes.definitions import DEFINITIONS
from nmlopt.codes.document import DOCUMENT, PATHS, UNITS
from nmlopt.codes.model import Meaning

CODES: Final[Mapping[str, Meaning]] = MappingProxyType(
    {**DOCUMENT, **UNITS, **PATHS, **DEFINITIONS, **CELLS, **BACKENDS}
)
"""Every code about a document and about simulators, in the order of the page."""

_PARTS: Final = (
    ("Documents: files, schema, references (D)", DOCUMENT),
    ("Units (U)", UNITS),
    ("Paths (P)", PATHS),
    ("Definitions and expressions (L)", DEFINITIONS),
    ("Cells (I)", CELLS),
    ("Simulators (B) and their comparison (V)", BACKENDS),
)
_HEAD: Final = """# What `nmlopt check` finds

Made by `python -m nmlopt.codes`; do not edit.

`nmlopt check model.nml` reports every fault of a document at once, each with a code that never changes its meaning, a
place, and what to do. An *error* means that the document is wrong or cannot be run (exit code 2); a *warning* that it
runs, but perhaps not as meant (exit code 0; 2 with `--strict`). `nmlopt check --explain CODE` prints one entry.

`--json` prints one document `{"issues": [...], "resolved": ...}`. Each issue has `code`, `severity` (`error`,
`warning`, `info`), `message`, `hint` (may be empty), `where` (the place as it is shown to people), and `file`
(seen from the current folder), `line`, `column` (numbers, or null where the finding has none).
`resolved` is what a fit would do, where targets are given and nothing is wrong, else null.

`--github` prints one workflow command per finding (`::error file=...,line=...,title=CODE::message`), which GitHub
shows at the line in a pull request; run it from the top folder of the repository.
"""


def page() -> str:
    """The reference page of all codes, as Markdown."""
    parts = [_HEAD]
    for title, codes in _PARTS:
        parts.append(f"\n## {title}\n\n| code | severity | what it means | what to do |\n|---|---|---|---|\n")
        parts += [
            f"| {code} | {'warning' if m.is_warning else 'error'} | {_cell(m.title)} | {_cell(m.remedy)} |\n"
            for code, m in codes.items()
        ]
    return "".join(parts)


def _cell(text: str) -> str:
    """Text that a Markdown table shows as it is."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
