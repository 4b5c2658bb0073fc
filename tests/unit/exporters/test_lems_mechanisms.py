"""Compiled mechanisms of jNeuroML's export: shared by equal mod files, and not kept for ever."""

from __future__ import annotations

import os
import time

import pytest

from nmlopt.exporters.lems import mechanisms
from nmlopt.exporters.lems.java import RunError

pytestmark = pytest.mark.usefixtures("compiler")


@pytest.fixture
def compiler(monkeypatch, tmp_path):
    """An nrnivmodl that writes down what it compiles; `compiled` lists that."""
    compiled = []

    def run(_command, folder):
        compiled.append(sorted(path.read_text() for path in folder.glob("*.mod")))
        if "fault" not in compiled[-1][0]:
            (folder / "x86_64").mkdir()
            (folder / "x86_64" / "libnrnmech.so").write_text("".join(compiled[-1]))
            (folder / "x86_64" / "a.o").write_text("")
        return "syntax error in a.mod"

    monkeypatch.setattr(mechanisms, "run", run)
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "nrnivmodl").write_text("")
    return compiled


def built(tmp_path, name, text):
    """What is loaded in a folder with one mod file after `build`."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "a.mod").write_text(text)
    mechanisms.build(folder, tmp_path / "nrnivmodl")
    return (folder / "x86_64" / "libnrnmech.so").read_text()


def test_equal_files_are_compiled_once(tmp_path, compiler):
    assert [built(tmp_path, name, text) for name, text in (("1", "one"), ("2", "one"), ("3", "two"))] == [
        "one",
        "one",
        "two",
    ]
    assert compiler == [["one"], ["two"]]


def test_without_a_cache_each_run_compiles_for_itself(tmp_path, compiler, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path / "file" / "cache"))
    assert [built(tmp_path, name, "one") for name in "12"] == ["one", "one"]
    assert len(compiler) == 2


def test_what_cannot_be_compiled_is_said_and_not_kept(tmp_path, compiler):
    for name in "12":
        with pytest.raises(RunError, match="syntax error"):
            built(tmp_path, name, "fault")
    assert len(compiler) == 2


def test_the_oldest_go_unless_they_may_be_in_use(tmp_path):
    now = time.time()
    for age_h in (0.5, 2, 3, 0.1, 5):
        folder = tmp_path / f"{age_h}"
        folder.mkdir()
        os.utime(folder, (now - 3600 * age_h,) * 2)
    (tmp_path / ".being-built").mkdir()
    mechanisms.prune(tmp_path, kept=1)
    assert sorted(p.name for p in tmp_path.iterdir() if p.name not in ("nrnivmodl",)) == [".being-built", "0.1", "0.5"]
