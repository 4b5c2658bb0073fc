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


_BREAK_AFTER = ("+", "-", "*", "/", "&&", "||", ">", "<", ">=", "<=", "==", "!=", "=")


def wrapped(line: str, width: int = 110) -> str:
    """A long line of code broken after commas and binary operators, continued with a deeper indent.

    NMODL's lexer reads lines of at most 512 characters.
    """
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 8)
    rows = [""]
    words = line.split(" ")
    for position, word in enumerate(words):
        before = words[position - 1] if position else ""
        if len(rows[-1]) + len(word) > width and (before.endswith(",") or before in _BREAK_AFTER):
            rows.append(indent + word)
        else:
            rows[-1] += f" {word}" if position else word
    return "\n".join(rows)


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
    env.filters["wrapped"] = wrapped
    return env


def _no_bare_float(value: object) -> object:
    if isinstance(value, float):
        raise TypeError(f"the float {value!r} is printed without the filter 'num'")
    return value
