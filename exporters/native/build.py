"""Compiles a kernel with the system's C compiler, once per digest of its text, the compiler and the processor."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from nmlopt.codegen.build_cache import cached, failed_build
from nmlopt.errors import BackendError, Issue

# No contraction: a fused multiply-add rounds once where a vector loop and its remainder, or two processors, may differ.
# No trapping maths: comparisons may be computed on both sides of a choice, which changes no value. Never -ffast-math:
# it removes the tests for NaN, and a library linked with it switches the whole process to flush subnormal numbers.
FLAGS = (
    "-O3", "-std=gnu11", "-fPIC", "-shared", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math",
    "-fno-builtin-log", "-fno-builtin-pow", "-fno-builtin-sin", "-fno-builtin-cos", "-fno-builtin-tan",
    "-fno-builtin-sinh", "-fno-builtin-cosh", "-fno-builtin-tanh", "-fno-builtin-tgamma", "-pthread",
)  # fmt: skip
NATIVE = (("-march=native", "-mprefer-vector-width=512"), ("-march=native",), ("-mcpu=native",))
"""Flags for the processor at hand, the first that the compiler knows."""
INSTRUCTIONS = "NMLOPT_INSTRUCTIONS"
"""Environment variable: compile for this processor (what -march takes: x86-64-v3 has AVX2 and no AVX-512) instead."""
COMPILERS = ("cc", "gcc", "clang")
ZIG = "python -m pip install ziglang"
"""Brings a C compiler as a Python package."""
LIBRARY = "kernel.so"
PROCESSOR = "processor.txt"
"""Beside the library: what the processor can do for which it was compiled."""
_SETS = (
    "sse", "ssse", "avx", "fma", "bmi", "f16c", "popcnt", "abm", "aes", "vaes", "pclmul", "vpclmul", "sha", "gfni",
    "movbe", "adx", "amx", "xop", "fp", "asimd", "neon", "sve", "sme", "crc", "atomics", "i8mm", "bf16", "vfp",
)  # fmt: skip
"""How the names of instruction sets that a compiler uses begin; other features of a processor do not matter."""
_PROBE = ("-E", "-###", "-x", "c", os.devnull)


def compiler() -> tuple[str, ...]:
    """The C compiler's command: $CC, else cc, gcc or clang, else the package ziglang's. Raises BackendError B002."""
    found = find_compiler()
    if found is None:
        raise no_compiler("not found: cc")
    return found


def find_compiler() -> tuple[str, ...] | None:
    """The same; None where there is none. Raises BackendError B002 where $CC names what is not there."""
    given = tuple(shlex.split(os.environ.get("CC", "")))
    if given and not _is_there(given[0]):
        raise no_compiler(f"not found: {given[0]}, which CC names")
    if given:
        return given
    return next(((name,) for name in COMPILERS if _is_there(name)), None) or zig_compiler()


def _is_there(program: str) -> bool:
    """macOS has a /usr/bin/cc that asks people to install the compiler, where that is not installed."""
    path = shutil.which(program)
    if path is None or platform.system() != "Darwin" or Path(path).parent != Path("/usr/bin"):
        return path is not None
    return _run(["/usr/bin/xcode-select", "-p"]).returncode == 0


def zig_compiler() -> tuple[str, ...] | None:
    """The C compiler in the package ziglang, where that is installed: it needs nothing else on the machine."""
    return None if find_spec("ziglang") is None else (sys.executable, "-m", "ziglang", "cc")


@lru_cache(maxsize=8)
def _toolchain(command: tuple[str, ...], wanted: str) -> tuple[tuple[str, ...], str]:
    """(flags for this processor or the wanted one, what a compiled kernel depends on beside its text and FLAGS)."""
    version = _run([*command, "--version"]).stdout
    for flags in named(wanted) if wanted else NATIVE:
        told = _run([*command, *flags, *_PROBE])
        if told.returncode == 0:
            return flags, f"{version}|{told.stderr}"
    if wanted:
        raise BackendError(Issue("B003", f"the compiler does not know the processor '{wanted}'", INSTRUCTIONS))
    return (), f"{version}|{platform.machine()}"


def named(march: str) -> tuple[tuple[str], tuple[str]]:
    """The flag for a processor: as GCC and Clang write its name, and as Zig does."""
    return (f"-march={march}",), (f"-march={march.replace('-', '_')}",)


def _native(command: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    return _toolchain(command, os.environ.get(INSTRUCTIONS, ""))


@lru_cache(maxsize=1)
def processor() -> frozenset[str]:
    """This processor's architecture and, where the system tells them (Linux), the instruction sets that it has."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    told = next((line.partition(":")[2].split() for line in lines if line.startswith(("flags", "Features"))), [])
    sets = [word for word in told if word.startswith(_SETS)]
    return frozenset({platform.machine(), *(sets or [platform.processor() or "unknown"])})


def runs_here(folder: Path) -> bool:
    """Whether this processor has all that a compiled kernel may use: caches and programs travel between machines."""
    try:
        needed = (folder / PROCESSOR).read_text(encoding="utf-8").split("\n")
    except OSError:
        return False
    return processor().issuperset(filter(None, needed))


def toolchain() -> str:
    """The compiler, its flags and the processor's features as text, for digests."""
    command = compiler()
    native, described = _native(command)
    return "|".join((platform.system(), *command, *FLAGS, *native, described, *sorted(processor())))


def made_with(folder: Path, lanes: int) -> dict[str, str | int | list[str]]:
    """Compiler, flags and instruction sets of a compiled kernel, for records: results are those of these to the bit."""
    command = compiler()
    native, described = _native(command)
    version = described.partition("\n")[0]
    sets = (folder / PROCESSOR).read_text(encoding="utf-8").split("\n")
    return {
        "kernel": "compiled",
        "compiler": version or " ".join(command),
        "command": shlex.join([*command, *FLAGS, *native]),
        "lanes": lanes,
        "instruction_sets": [name for name in sets if name],
    }


def build(text: str, lanes: int) -> Path:
    """The folder with the compiled kernel.

    Raises BackendError: B002 no compiler, B003 it fails, B004 the cache cannot be written.
    """
    digest = hashlib.sha256("\0".join((text, str(lanes), toolchain())).encode()).hexdigest()
    return cached("native", digest, lambda folder: (folder / LIBRARY).is_file(), lambda f: _compile(text, lanes, f))


def _compile(text: str, lanes: int, working: Path) -> None:
    command = compiler()
    native, _ = _native(command)
    compile_into(working, text, lanes, (*command, *FLAGS, *native), processor())


def compile_into(folder: Path, text: str, lanes: int, command: Sequence[str], needs: Iterable[str]) -> None:
    """Leave a kernel and what a processor `needs` for it in a folder that is there. Raises BackendError B002, B003."""
    (folder / "kernel.c").write_text(text, encoding="utf-8")
    done = _run([*command, f"-DW={lanes}", "-o", f".{LIBRARY}", "kernel.c", "-lm"], folder)
    (folder / "build.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode != 0:
        name = "zig cc" if "ziglang" in command else command[0]
        raise failed_build(name, folder, done.stdout + done.stderr)
    (folder / PROCESSOR).write_text("\n".join(sorted(needs)), encoding="utf-8")
    (folder / f".{LIBRARY}").rename(folder / LIBRARY)


def _run(command: list[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise no_compiler(f"{command[0]}: {error.strerror}") from None


def no_compiler(detail: str) -> BackendError:
    """BackendError B002 with the commands that bring a compiler."""
    system = "xcode-select --install" if platform.system() == "Darwin" else (
        "sudo apt-get install gcc libc6-dev (Fedora: sudo dnf install gcc)"
    )  # fmt: skip
    hint = f"install one: {system}; without administrator's rights: {ZIG}"
    return BackendError(Issue("B002", f"the native backend needs a C compiler ({detail})", hint=hint))
