"""Compiles a kernel with the system's C compiler, once per digest of its text, the compiler and the processor."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
from functools import lru_cache
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
    """The C compiler's command: $CC, else cc. Raises BackendError B002 where there is none."""
    command = tuple(shlex.split(os.environ.get("CC", ""))) or ("cc",)
    if shutil.which(command[0]) is None:
        raise _no_compiler(command[0])
    return command


@lru_cache(maxsize=8)
def _toolchain(command: tuple[str, ...], wanted: str) -> tuple[tuple[str, ...], str]:
    """(flags for this processor or the wanted one, what a compiled kernel depends on beside its text and FLAGS)."""
    version = _run([*command, "--version"]).stdout
    for flags in ((f"-march={wanted}",),) if wanted else NATIVE:
        told = _run([*command, *flags, *_PROBE])
        if told.returncode == 0:
            return flags, f"{version}|{told.stderr}"
    if wanted:
        raise BackendError(Issue("B003", f"the compiler does not know the processor '{wanted}'", INSTRUCTIONS))
    return (), f"{version}|{platform.machine()}"


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
    (working / "kernel.c").write_text(text, encoding="utf-8")
    command = compiler()
    native, _ = _native(command)
    order = [*command, *FLAGS, *native, f"-DW={lanes}", "-o", f".{LIBRARY}", "kernel.c", "-lm"]
    done = _run(order, working)
    (working / "build.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode != 0:
        raise failed_build(command[0], working, done.stdout + done.stderr)
    (working / PROCESSOR).write_text("\n".join(sorted(processor())), encoding="utf-8")
    (working / f".{LIBRARY}").rename(working / LIBRARY)


def _run(command: list[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise _no_compiler(f"{command[0]}: {error.strerror}") from None


def _no_compiler(name: str) -> BackendError:
    hint = "install one: xcode-select --install" if platform.system() == "Darwin" else (
        "install one: sudo apt-get install gcc libc6-dev (Fedora: sudo dnf install gcc)"
    )  # fmt: skip
    return BackendError(Issue("B002", f"the native backend needs a C compiler (not found: {name})", hint=hint))
