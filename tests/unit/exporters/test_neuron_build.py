"""The cache of compiled mechanisms, with programs that stand in for nrnivmodl."""

from __future__ import annotations

import sys

import pytest

from nmlopt.errors import BackendError
from nmlopt.exporters.neuron import build as builder
from nmlopt.exporters.neuron.build import build, cache_folder, library

SUCCEEDS = "import pathlib; p = pathlib.Path('x86_64'); p.mkdir(); (p / 'libnrnmech.so').write_bytes(b'')"
FAILS = "import sys; print('Error: bad mod'); sys.exit(1)"


@pytest.fixture
def compiler(tmp_path, monkeypatch):
    """Put a Python script in nrnivmodl's place; the cache is a fresh folder."""
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path / "cache"))

    def install(code):
        script = tmp_path / "nrnivmodl"
        script.write_text(f"import sys; open({str(tmp_path / 'calls')!r}, 'a').write('x')\n{code}\n")
        monkeypatch.setattr(builder, "_nrnivmodl", lambda: script)
        return lambda: len((tmp_path / "calls").read_text()) if (tmp_path / "calls").exists() else 0

    return install


def test_builds_once_and_leaves_nothing_else(compiler):
    calls = compiler(SUCCEEDS)
    folder = build({"a.mod": "text"}, "digest")
    assert library(folder) is not None
    assert build({"a.mod": "text"}, "digest") == folder
    assert calls() == 1
    assert [p.name for p in cache_folder().iterdir()] == ["digest"]


def test_failure_shows_the_last_lines_and_keeps_the_folder(compiler):
    compiler(FAILS)
    with pytest.raises(BackendError) as caught:
        build({"a.mod": "text"}, "digest")
    issue = caught.value.issues[0]
    assert issue.code == "B003"
    assert "Error: bad mod" in issue.message
    assert "Error: bad mod" in (builder.Path(issue.where) / "build.log").read_text()
    assert not (cache_folder() / "digest").exists()


def test_interrupted_build_is_not_reused(compiler):
    calls = compiler(SUCCEEDS)
    half = cache_folder() / "digest"
    (half / "x86_64").mkdir(parents=True)
    with pytest.raises(BackendError):
        build({"a.mod": "text"}, "digest")
    (half / "x86_64").rmdir()
    half.rmdir()
    assert library(build({"a.mod": "text"}, "digest")) is not None
    assert calls() == 2


def test_a_faster_builder_wins(compiler):
    other = "import pathlib; q = pathlib.Path('../digest/x86_64'); q.mkdir(parents=True); (q / 'libnrnmech.so').touch()"
    compiler(f"{SUCCEEDS}\n{other}")
    assert library(build({"a.mod": "text"}, "digest")) is not None


def test_missing_make_names_the_command(compiler, monkeypatch):
    compiler(FAILS)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(BackendError) as caught:
        build({"a.mod": "text"}, "digest")
    assert caught.value.issues[0].code == "B002"
    assert "install" in caught.value.issues[0].hint


def test_cache_that_is_a_file(compiler, tmp_path, monkeypatch):
    compiler(SUCCEEDS)
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("NMLOPT_CACHE", str(blocked))
    with pytest.raises(BackendError) as caught:
        build({"a.mod": "text"}, "digest")
    assert caught.value.issues[0].code == "B004"
    assert "NMLOPT_CACHE" in caught.value.issues[0].hint


def test_nrnivmodl_is_that_of_this_environment():
    assert builder._nrnivmodl().parent in {builder.Path(sys.executable).parent, builder.Path(sys.prefix) / "bin"}
