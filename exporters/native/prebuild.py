"""Compiles the kernels of `prebuilt` ahead: `python -m nmlopt.exporters.native.prebuild FOLDER [--target PLATFORM]`.

Without a target for the machine at hand with its compiler; with targets by Zig's compiler (python -m pip install
ziglang), for any of them on any machine.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from nmlopt.errors import BackendError, Issue, NmloptError
from nmlopt.exporters.native.build import FLAGS, LIBRARY, PROCESSOR, ZIG, compile_into, compiler, named, zig_compiler
from nmlopt.exporters.native.generic_sources import SOURCES, source_text
from nmlopt.exporters.native.platforms import PLATFORMS, Level, Platform, this_platform
from nmlopt.exporters.native.prebuilt import MADE, ROOT, text_digest

WHEEL: Final = "wheel.txt"
"""In the folder of a platform: the tag of wheels that hold it."""
_OLDEST_GLIBC: Final = 17
"""manylinux_2_17 is the oldest for which numpy and the other packages that nmlopt needs have wheels."""
_GLIBC: Final = re.compile(rb"GLIBC_2\.(\d+)")


@dataclass(frozen=True, slots=True)
class _Work:
    """One kernel to compile into `folder`."""

    folder: Path
    name: str
    level: Level
    command: tuple[str, ...]


def prebuild(
    folder: Path, target: str | None = None, names: Sequence[str] = tuple(SOURCES), levels: Sequence[str] = ()
) -> Path:
    """Compile kernels (of all levels, if none is named) into `folder`/PLATFORM/LEVEL/NAME, on all cores; the folder
    of the platform, which also says what wheels with it are tagged.

    Raises BackendError: B002 no compiler, B003 it fails, or the platform is unknown.
    """
    name = target or this_platform()
    if name not in PLATFORMS:
        raise BackendError(Issue("B003", f"no kernels are prebuilt for '{name}'", hint=f"there are: {_names()}"))
    platform, base = PLATFORMS[name], folder / name
    command = _command(platform, is_cross=target is not None)
    wanted = levels or tuple(platform.levels)
    work = [_Work(base / k / each, each, platform.levels[k], command) for each in names for k in wanted]
    version = _version(command)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(partial(_make, version=version), work))
    (base / WHEEL).write_text(tag(platform, base), encoding="utf-8")
    return base


def _command(platform: Platform, *, is_cross: bool) -> tuple[str, ...]:
    zig = zig_compiler()
    if is_cross and zig is None:
        raise BackendError(Issue("B002", "other platforms are compiled for by Zig, which is not there", hint=ZIG))
    command = (zig or ()) if is_cross else compiler()
    kept = ("-target", platform.triple) if command == zig else platform.flags
    return (*command, *kept, *FLAGS, "-Wl,-s")


def _make(work: _Work, version: str) -> None:
    """Compile aside and move into place, what tells a whole kernel last."""
    text = source_text(work.name)
    work.folder.parent.mkdir(parents=True, exist_ok=True)
    is_zig = "ziglang" in work.command
    march = named(work.level.march)[is_zig] if work.level.march else ()
    order = (*work.command, *march, *work.level.flags)
    with tempfile.TemporaryDirectory(prefix=".", dir=work.folder.parent) as place:
        aside = Path(place)
        compile_into(aside, text, SOURCES[work.name].width, order, work.level.needs)
        shown = shlex.join(order[2:] if is_zig else order)
        made = {"text": text_digest(text), "compiler": version, "command": shown}
        (aside / MADE).write_text(json.dumps(made, indent=1), encoding="utf-8")
        work.folder.mkdir(exist_ok=True)
        for file in (LIBRARY, PROCESSOR, MADE):
            (aside / file).replace(work.folder / file)


def _version(command: Sequence[str]) -> str:
    said = subprocess.run([*command[: 4 if "ziglang" in command else 1], "--version"], capture_output=True, text=True)
    return said.stdout.partition("\n")[0]


def tag(platform: Platform, base: Path) -> str:
    """The tag of a wheel with these libraries: on Linux of the oldest C library that has all symbols they need."""
    if not platform.wheel.startswith("manylinux"):
        return platform.wheel
    minor = max([_OLDEST_GLIBC, *_minors(base)])
    return f"manylinux_2_{minor}_{platform.wheel.partition('_2_17_')[2]}"


def _minors(base: Path) -> Iterator[int]:
    """N of every GLIBC_2.N that a library names."""
    for library in base.glob(f"*/*/{LIBRARY}"):
        yield from (int(n) for n in _GLIBC.findall(library.read_bytes()))


def _names() -> str:
    return ", ".join(PLATFORMS)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit code 3 where a compiler is missing or fails."""
    parser = argparse.ArgumentParser("python -m nmlopt.exporters.native.prebuild", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT, help="where they go (the package itself)")
    parser.add_argument("--target", action="append", choices=[*PLATFORMS, "all"], help="a platform; may be repeated")
    args = parser.parse_args(arguments)
    targets = [*PLATFORMS] if "all" in (args.target or ()) else args.target or [None]
    try:
        for target in targets:
            begin = time.monotonic()
            base = prebuild(args.folder, target)
            took, name = time.monotonic() - begin, (base / WHEEL).read_text(encoding="utf-8")
            sys.stdout.write(f"{base}: {len(list(base.glob('*/*')))} kernels in {took:.1f} s, wheels {name}\n")
    except NmloptError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
