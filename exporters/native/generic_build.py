"""When the generic kernel is used, and where its libraries come from."""

from __future__ import annotations

import os
from pathlib import Path

from nmlopt.exporters.native.build import build
from nmlopt.exporters.native.generic_sources import name_of, source_text
from nmlopt.exporters.native.source import Layout

KERNEL = "NMLOPT_KERNEL"
"""Environment variable: `generic` takes the generic kernel though there is a compiler."""


def is_generic() -> bool:
    """Whether programs are made for the generic kernel."""
    return os.environ.get(KERNEL, "") == "generic"


def generic_folder(layout: Layout) -> Path:
    """The folder with the generic kernel for a layout. Raises BackendError as `build` does."""
    return build(source_text(name_of(layout)), layout.width)
