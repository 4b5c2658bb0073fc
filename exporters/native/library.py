"""The library that a program runs in: compiled for it or, where there is no compiler, prebuilt, to interpret it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nmlopt.errors import BackendError, Issue, Severity
from nmlopt.exporters.native.build import build, find_compiler, made_with, no_compiler, toolchain, zig_compiler
from nmlopt.exporters.native.generic_sources import name_of, source_text
from nmlopt.exporters.native.platforms import this_platform
from nmlopt.exporters.native.prebuilt import described, made_ahead, prebuilt
from nmlopt.exporters.native.source import Kernel, Layout

KERNEL = "NMLOPT_KERNEL"
"""Environment variable. compiled: never a prebuilt kernel; prebuilt: that, although there is a compiler; generic: the
text of the prebuilt kernel, compiled here."""
_KERNELS = ("", "compiled", "prebuilt", "generic")


@dataclass(frozen=True, slots=True)
class Library:
    """`digest`: text of what of the machine went into it. `made`: for records. `is_generic`: it interprets mechanisms.
    `issues`: what users should know of it."""

    folder: Path
    digest: str
    made: dict[str, Any]
    is_generic: bool = False
    issues: tuple[Issue, ...] = field(default=())


def library(kernel: Kernel) -> Library:
    """The library for a kernel.

    Raises BackendError: B002 neither a compiler nor a prebuilt kernel, B003 it fails, or an environment variable asks
    for what does not exist, B004 the cache cannot be written, B130 a prebuilt kernel is asked for that cannot run here.
    """
    asked, width = _asked(), kernel.layout.width
    if asked == "generic":
        folder = build(source_text(name_of(kernel.layout)), width)
        made = {**made_with(folder, width), "kernel": "generic"}
        return Library(folder, f"generic|{toolchain()}", made, is_generic=True)
    if asked != "prebuilt" and find_compiler() is not None:
        folder = build(kernel.text, width)
        return Library(folder, toolchain(), made_with(folder, width))
    folder = _prebuilt(kernel.layout, asked)
    issues = () if asked else (_slow(folder),)
    return Library(folder, described(folder), made_ahead(folder, width), is_generic=True, issues=issues)


def instead_of_compiler() -> str | None:
    """What does a C compiler's work where the system has none, for people: the package ziglang, a prebuilt kernel."""
    if zig_compiler() is not None:
        return f"{version('ziglang')} (the package ziglang)"
    found = prebuilt(Layout(1))
    return None if found is None else f"prebuilt kernel {found.parent.name} (slower than a compiled one)"


def _asked() -> str:
    asked = os.environ.get(KERNEL, "")
    if asked not in _KERNELS:
        hint = f"{', '.join(_KERNELS[1:])}, or leave it out"
        raise BackendError(Issue("B003", f"there is no kernel '{asked}'", KERNEL, hint))
    return asked


def _prebuilt(layout: Layout, asked: str) -> Path:
    found = prebuilt(layout) if asked != "compiled" else None
    if found is not None:
        return found
    none = f"this installation has no prebuilt kernel for {this_platform()} that this processor can run"
    if asked == "prebuilt":
        raise BackendError(Issue("B002", none, KERNEL, f"leave {KERNEL} out, or install a wheel that has one"))
    raise no_compiler("not found: cc" if asked == "compiled" else f"not found: cc; {none}")


def _slow(folder: Path) -> Issue:
    """B132: what runs here, and how to make it faster."""
    message = f"there is no C compiler: the prebuilt kernel is used ({folder.parent.name}), {SLOWER}"
    return Issue("B132", message, "", no_compiler("").issues[0].hint, Severity.WARNING)


SLOWER = "with the same results, in 1.5 (large cells) to 4 times (small ones) the time"
