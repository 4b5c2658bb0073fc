"""The rules of the house, checked by machine: style, types, layers, file sizes, declared packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("nmlopt", "exporters", "schemas", "mods")


def _python_files() -> list[Path]:
    folders = [*SOURCES, "tests", "benchmarks"]
    return [p for f in folders for p in (ROOT / f).rglob("*.py") if not _behind_link(p)]


def _behind_link(path: Path) -> bool:
    return any(parent.is_symlink() for parent in path.parents)


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
    ],
    ids=["ruff check", "ruff format", "mypy strict"],
)
def test_tool_finds_nothing(command):
    run = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_import_contracts_hold():
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ)
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_file_is_over_400_lines():
    long = {str(p.relative_to(ROOT)): n for p in _python_files() if (n := len(p.read_text().splitlines())) > 400}
    assert not long


def test_no_type_error_is_silenced():
    pattern = re.compile("type:" + r"\s*ignore")
    silenced = [str(p) for p in _python_files() if "tests" not in p.parts and pattern.search(p.read_text())]
    assert not silenced


def test_every_package_on_disk_is_declared():
    declared = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = set()
    for folder in SOURCES:
        prefix = "" if folder == "nmlopt" else "nmlopt."
        for init in (ROOT / folder).rglob("__init__.py"):
            if not _behind_link(init):
                found.add(prefix + ".".join(init.parent.relative_to(ROOT).parts))
    assert found == declared


def test_links_make_one_package():
    for name in ("exporters", "schemas", "mods"):
        assert (ROOT / "nmlopt" / name).is_symlink()
        assert (ROOT / "nmlopt" / name).resolve() == ROOT / name
