"""The machines for which kernels are compiled ahead: what a compiler calls them, what their processors must have."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_V2 = frozenset({"x86_64", "popcnt", "sse", "sse2", "sse4_1", "sse4_2", "ssse3"})
_V3 = _V2 | {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}
_V4 = _V3 | {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}
"""Of the levels of x86-64 (System V ABI, AMD64 supplement), the sets that the kernel may use, as Linux calls them."""


@dataclass(frozen=True, slots=True)
class Level:
    """A set of instructions: `march` names it to a compiler ('': what it takes by itself); a processor runs it that has
    all of `needs`."""

    march: str
    needs: frozenset[str]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Platform:
    """A system and an architecture, with its levels, the best last. `triple`: how Zig calls it, with the oldest system
    that it shall run on; `wheel`: how wheels call that; `flags`: those that make another compiler keep to it."""

    triple: str
    wheel: str
    levels: Mapping[str, Level]
    flags: tuple[str, ...] = ()


_X86_64 = MappingProxyType(
    {
        "x86-64-v2": Level("x86-64-v2", _V2),
        "x86-64-v3": Level("x86-64-v3", _V3),
        "x86-64-v4": Level("x86-64-v4", _V4, ("-mprefer-vector-width=512",)),
    }
)
PLATFORMS: Final[Mapping[str, Platform]] = MappingProxyType(
    {
        "linux-x86_64": Platform("x86_64-linux-gnu.2.17", "manylinux_2_17_x86_64", _X86_64),
        "linux-aarch64": Platform(
            "aarch64-linux-gnu.2.17",
            "manylinux_2_17_aarch64",
            MappingProxyType({"armv8-a": Level("", frozenset({"aarch64", "fp", "asimd"}))}),
        ),
        "darwin-arm64": Platform(
            "aarch64-macos.11.0",
            "macosx_11_0_arm64",
            MappingProxyType({"armv8-a": Level("", frozenset({"arm64"}))}),
            ("-mmacosx-version-min=11.0",),
        ),
        # macOS does not tell what a processor has as Linux does; all that run 10.14 have what the second level needs.
        "darwin-x86_64": Platform(
            "x86_64-macos.10.14",
            "macosx_10_14_x86_64",
            MappingProxyType({"x86-64-v2": Level("x86-64-v2", frozenset({"x86_64"}))}),
            ("-mmacosx-version-min=10.14",),
        ),
    }
)
"""By the name that folders have."""


def this_platform() -> str:
    """The name of the machine at hand, whether kernels are compiled ahead for it or not."""
    return f"{platform.system().lower()}-{platform.machine()}"
