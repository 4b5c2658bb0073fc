"""Kernels that were compiled ahead and lie in the package, for machines without a compiler.

They hold no mechanism: they interpret what a compiled kernel has as code (`generic`), with the same results and slower.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from nmlopt.errors import BackendError, Issue
from nmlopt.exporters.native.build import INSTRUCTIONS, LIBRARY, PROCESSOR, runs_here
from nmlopt.exporters.native.generic_sources import name_of, source_text
from nmlopt.exporters.native.platforms import PLATFORMS, this_platform
from nmlopt.exporters.native.source import Layout

ROOT = Path(__file__).parent / "prebuilt"
"""Here each platform has a folder, in which each level has one, in which each kernel has one."""
MADE = "made.json"
"""Beside a library: the digest of its text, and what compiled it."""


def prebuilt(layout: Layout) -> Path | None:
    """The folder of the best prebuilt kernel of that layout that this processor can run; None where there is none.

    With NMLOPT_INSTRUCTIONS that very one. Raises BackendError B003 if that is there for no platform, B130 if this
    processor cannot run it.
    """
    name = name_of(layout)
    known = PLATFORMS.get(this_platform())
    levels = tuple(known.levels)[::-1] if known is not None else ()
    wanted = os.environ.get(INSTRUCTIONS, "")
    if wanted and levels:
        return _wanted(name, wanted, levels)
    folders = (ROOT / this_platform() / level / name for level in levels)
    return next((folder for folder in folders if _is_of(folder, name) and runs_here(folder)), None)


def _wanted(name: str, level: str, levels: tuple[str, ...]) -> Path | None:
    if level not in levels:
        hint = f"there are: {', '.join(sorted(levels))}"
        raise BackendError(Issue("B003", f"no kernel is prebuilt for the processor '{level}'", INSTRUCTIONS, hint))
    folder = ROOT / this_platform() / level / name
    if not _is_of(folder, name):
        return None
    if not runs_here(folder):
        hint = f"leave {INSTRUCTIONS} out"
        raise BackendError(Issue("B130", f"this processor cannot run kernels for '{level}'", str(folder), hint))
    return folder


def made_ahead(folder: Path, lanes: int) -> dict[str, Any]:
    """Compiler, flags and instruction sets of a prebuilt kernel, for records as those of a compiled one."""
    made = json.loads((folder / MADE).read_text(encoding="utf-8"))
    sets = (folder / PROCESSOR).read_text(encoding="utf-8").split("\n")
    return {
        "kernel": "prebuilt",
        "level": folder.parent.name,
        "compiler": made["compiler"],
        "command": made["command"],
        "lanes": lanes,
        "instruction_sets": [name for name in sets if name],
    }


def described(folder: Path) -> str:
    """What a prebuilt kernel is, as text, for digests."""
    return f"prebuilt|{this_platform()}|{folder.parent.name}|{(folder / MADE).read_text(encoding='utf-8')}"


def text_digest(text: str) -> str:
    """What tells whether a library is of the present text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _is_of(folder: Path, name: str) -> bool:
    """Whether a whole kernel of the present text lies there: one of another version would misread what it is given."""
    try:
        made = json.loads((folder / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (folder / LIBRARY).is_file() and made.get("text") == _present(name)


@lru_cache(maxsize=8)
def _present(name: str) -> str:
    return text_digest(source_text(name))
