"""Makes the tables of docs/backends.md from what each backend states of itself.

python tests/tools/backends_page.py            writes them
python tests/tools/backends_page.py --check    exit code 1 if they are stale
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from nmlopt.exporters.registry import load, names

TARGET = Path(__file__).parents[2] / "docs" / "backends.md"
START, END = "<!-- made by tests/tools/backends_page.py -->", "<!-- end -->"
COLUMNS = ("backend", "simulator", "numerics", "integrators", "tables", "GPU", "threads", "brought by", "programs")


def table() -> str:
    """What each backend offers; the first of numerics and of integrators is its default."""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS)]
    for name in names():
        offer = load(name).offer
        rows.append(
            (
                f"`{name}`",
                offer.title,
                ", ".join(f"`{n}`" for n in offer.numerics),
                ", ".join(f"`{i}`" for i in offer.integrators),
                *("yes" if has else "no" for has in (offer.tables, offer.gpu, offer.threads)),
                f"`{offer.install}`",
                ", ".join(f"`{p}`" for p in offer.programs),
            )
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def page(text: str) -> str:
    """The page with its table made anew. Raises ValueError where the marks are missing."""
    before, mark, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"{TARGET.name} has no place for the table ({START} ... {END})")
    return f"{before}{START}\n\n{table()}\n\n{END}{after}"


def main(arguments: Sequence[str]) -> int:
    """Write the page, or compare it."""
    text = TARGET.read_text(encoding="utf-8")
    made = page(text)
    if "--check" in arguments:
        return 0 if made == text else 1
    TARGET.write_text(made, encoding="utf-8")
    print(f"{TARGET} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
