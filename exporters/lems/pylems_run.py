"""Runs a LEMS file in pyLEMS, as a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from nmlopt.exporters.lems.java import run
from nmlopt.resources import core_type_files

_CORE: Final = "core_types"
_START: Final = "from lems.run import main; main()"


def run_in_pylems(folder: Path, file: str, limit_s: float) -> str:
    """Run `file` in `folder`, the core types beside it; what was printed. Raises RunError if it takes too long."""
    core = folder / _CORE
    core.mkdir()
    for name, data in core_type_files().items():
        (core / name).write_bytes(data)
    return run([sys.executable, "-c", _START, "-I", _CORE, "-nogui", file], folder, limit_s)
