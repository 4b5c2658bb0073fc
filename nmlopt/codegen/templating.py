"""The one Jinja environment of the code generators: templates print, Python thinks.

A missing name is an error, and so is a float that does not go through `num`, so that no number can lose digits.
"""

from __future__ import annotations

import math
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nmlopt.errors import BackendError, Issue


def num(value: float) -> str:
    """The shortest text that reads back the same double. Raises BackendError (B020) for nan and inf."""
    if not math.isfinite(value):
        raise BackendError(Issue("B020", f"the number {value} cannot be written into generated code"))
    return repr(float(value))


def environment(folder: Path) -> Environment:
    """A strict environment for the templates in `folder`."""
    env = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        finalize=_no_bare_float,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    env.filters["num"] = num
    return env


def _no_bare_float(value: object) -> object:
    if isinstance(value, float):
        raise TypeError(f"the float {value!r} is printed without the filter 'num'")
    return value
