"""LEMS simulations to read: a sound one, and changes of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nmlopt.document.read import read
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.importers.simulation_model import LemsSimulation


@pytest.fixture(scope="session")
def lems_folder(root: Path) -> Path:
    """The folder of small simulations that we wrote."""
    return root / "tests" / "data" / "lems"


@pytest.fixture
def simulation_of(lems_folder: Path, tmp_path: Path) -> Callable[..., LemsSimulation]:
    """Read a simulation with parts of its text replaced: pairs of old and new."""

    def make(name: str, *changes: tuple[str, str]) -> LemsSimulation:
        copy = tmp_path / "model"
        shutil.copytree(lems_folder, copy, dirs_exist_ok=True)
        text = (copy / name).read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        (copy / name).write_text(text)
        return read_simulation(read(copy / name, root=copy))

    return make
