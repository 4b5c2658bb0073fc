"""Kernels that were compiled ahead: which of them runs here, when one is taken, and that it gives the same numbers."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from nmlopt.backend import Settings
from nmlopt.document.read import read
from nmlopt.errors import BackendError
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.exporters import registry
from nmlopt.exporters.native import build, library, prebuild, prebuilt
from nmlopt.exporters.native.backend import layout_of
from nmlopt.exporters.native.generic_sources import SOURCES, source_text
from nmlopt.exporters.native.platforms import PLATFORMS, this_platform
from nmlopt.exporters.native.source import Layout
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

HERE = Site(0, 0.5, 0)
V4 = PLATFORMS["linux-x86_64"].levels["x86-64-v4"].needs


@pytest.fixture
def without_compiler(monkeypatch, tmp_path):
    """A machine that has none: an empty PATH, no CC, no package ziglang."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(build, "find_spec", lambda name: None)


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A package with empty libraries of the layout 'nodes' for every level of x86-64, on Linux."""
    monkeypatch.setattr(prebuilt, "this_platform", lambda: "linux-x86_64")
    monkeypatch.setattr(prebuilt, "ROOT", tmp_path / "prebuilt")
    for name, level in PLATFORMS["linux-x86_64"].levels.items():
        lay_out(tmp_path / "prebuilt" / "linux-x86_64" / name / "nodes", level.needs)
    return tmp_path / "prebuilt" / "linux-x86_64"


def lay_out(folder, needs, text=None):
    folder.mkdir(parents=True)
    (folder / build.LIBRARY).touch()
    (folder / build.PROCESSOR).write_text("\n".join(sorted(needs)))
    digest = prebuilt.text_digest(source_text("nodes") if text is None else text)
    (folder / prebuilt.MADE).write_text(json.dumps({"text": digest, "compiler": "cc 1", "command": "cc -O3"}))


def on_processor(monkeypatch, sets):
    monkeypatch.setattr(build, "processor", lambda: frozenset(sets))


@pytest.mark.parametrize(
    ("lacks", "level"),
    [
        (set(), "x86-64-v4"),
        ({"avx512vl"}, "x86-64-v3"),
        ({"avx512f", "fma"}, "x86-64-v2"),
        ({"avx512f", "avx", "sse4_2"}, None),
        ({"x86_64"}, None),
    ],
)
def test_the_best_level_is_taken_that_the_processor_has_all_of(installed, monkeypatch, lacks, level):
    on_processor(monkeypatch, (V4 | {"amx_tile"}) - lacks)
    found = prebuilt.prebuilt(Layout(1))
    assert found == (None if level is None else installed / level / "nodes")


def test_a_level_can_be_asked_for(installed, monkeypatch):
    on_processor(monkeypatch, V4 - {"avx512f"})
    monkeypatch.setenv(build.INSTRUCTIONS, "x86-64-v2")
    assert prebuilt.prebuilt(Layout(1)) == installed / "x86-64-v2" / "nodes"
    monkeypatch.setenv(build.INSTRUCTIONS, "x86-64-v4")
    with pytest.raises(BackendError, match="B130"):  # an illegal instruction otherwise
        prebuilt.prebuilt(Layout(1))
    monkeypatch.setenv(build.INSTRUCTIONS, "znver5")
    with pytest.raises(BackendError, match="B003"):
        prebuilt.prebuilt(Layout(1))


def test_a_kernel_of_another_version_is_not_taken(installed, monkeypatch):
    on_processor(monkeypatch, V4)
    for name in PLATFORMS["linux-x86_64"].levels:
        made = installed / name / "nodes" / prebuilt.MADE
        made.write_text(made.read_text().replace(prebuilt.text_digest(source_text("nodes")), "0"))
    assert prebuilt.prebuilt(Layout(1)) is None


def test_layouts_and_platforms_without_a_kernel_have_none(installed, monkeypatch):
    on_processor(monkeypatch, V4)
    assert prebuilt.prebuilt(Layout(8)) is None
    monkeypatch.setattr(prebuilt, "this_platform", lambda: "sunos-sparc")
    assert prebuilt.prebuilt(Layout(1)) is None


def test_every_layout_that_cells_have_has_a_text(root):
    cells = [
        lower(read(root / "examples" / name / "model.nml")) for name in ("hh_soma", "ball_and_stick", "izhikevich")
    ]
    asked = {layout_of(cell, Settings().on(registry.load("native").offer)) for cell in cells}
    assert asked <= set(SOURCES.values())


def test_ziglang_compiles_where_the_system_has_no_compiler(without_compiler, monkeypatch):
    assert build.find_compiler() is None
    monkeypatch.setattr(build, "find_spec", lambda name: name == "ziglang" or None)
    assert build.compiler() == (sys.executable, "-m", "ziglang", "cc")


def test_a_compiler_named_by_cc_and_missing_is_an_error_and_no_reason_for_another_kernel(installed, monkeypatch, root):
    on_processor(monkeypatch, V4)
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(BackendError, match="no-such-compiler"):
        registry.load("native").compile(lower(read(root / "examples" / "hh_soma" / "model.nml")), Settings())


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    """A folder with the text of point cells, compiled for the best level of this machine."""
    folder = tmp_path_factory.mktemp("prebuilt")
    prebuild.prebuild(folder, names=["point"], levels=[_best_level()])
    return folder


def _best_level():
    levels = PLATFORMS[this_platform()].levels
    return [name for name, level in levels.items() if build.processor() >= level.needs][-1]


def test_without_a_compiler_it_runs_says_so_and_gives_the_same_numbers(points, request, root, monkeypatch):
    backend, cell = registry.load("native"), lower(read(root / "examples" / "izhikevich" / "model.nml"))
    experiment = Experiment("e", 200.0, 300.0, (Pulse(HERE, 20.0, 150.0, 0.2),), (Output("v", HERE, "v"),))
    compiled = backend.compile(cell, Settings())
    monkeypatch.setattr(prebuilt, "ROOT", points)
    request.getfixturevalue("without_compiler")
    ahead = backend.compile(cell, Settings())
    assert ahead.folder == points / this_platform() / _best_level() / "point"
    assert [i.code for i in ahead.issues] == ["B132"] and "pip install ziglang" in ahead.issues[0].hint
    assert not compiled.issues and ahead.digest != compiled.digest
    assert ahead.made["kernel"] == "prebuilt" and compiled.made["kernel"] == "compiled"
    assert set(ahead.made["instruction_sets"]) <= build.processor()
    a, b = (backend.simulate(p, [experiment], np.zeros((1, 0)))[0].traces["e", "v"] for p in (ahead, compiled))
    assert np.array_equal(a.t_ms, b.t_ms) and np.array_equal(a.y, b.y) and np.ptp(a.y) > 10.0


def test_where_neither_is_there_it_says_what_brings_one(without_compiler, root, monkeypatch, tmp_path):
    monkeypatch.setattr(prebuilt, "ROOT", tmp_path / "none")
    cell = lower(read(root / "examples" / "izhikevich" / "model.nml"))
    with pytest.raises(BackendError, match="B002") as caught:
        registry.load("native").compile(cell, Settings())
    assert caught.value.exit_code == 3
    assert "no prebuilt kernel" in str(caught.value) and "pip install ziglang" in caught.value.issues[0].hint


def test_the_kernel_can_be_asked_for(points, root, monkeypatch, request):
    backend, cell = registry.load("native"), lower(read(root / "examples" / "izhikevich" / "model.nml"))
    monkeypatch.setattr(prebuilt, "ROOT", points)
    monkeypatch.setenv(library.KERNEL, "prebuilt")
    asked = backend.compile(cell, Settings())
    assert asked.made["kernel"] == "prebuilt" and not asked.issues
    monkeypatch.setattr(prebuilt, "ROOT", points / "none")
    with pytest.raises(BackendError, match=f"{library.KERNEL}: error B002"):
        backend.compile(cell, Settings())
    monkeypatch.setenv(library.KERNEL, "best")
    with pytest.raises(BackendError, match="B003"):
        backend.compile(cell, Settings())
    request.getfixturevalue("without_compiler")
    monkeypatch.setenv(library.KERNEL, "compiled")
    with pytest.raises(BackendError, match="B002"):
        backend.compile(cell, Settings())


def test_a_wheel_is_tagged_by_the_c_library_that_its_kernels_need(points, tmp_path):
    """Read from what they were linked with, and never older than what other packages need."""
    tag = (points / this_platform() / prebuild.WHEEL).read_text()
    wheel = PLATFORMS[this_platform()].wheel
    assert tag.rpartition("_2_")[0] == wheel.rpartition("_2_")[0]
    (tmp_path / "level" / "name").mkdir(parents=True)
    (tmp_path / "level" / "name" / build.LIBRARY).write_bytes(b"\0GLIBC_2.5\0GLIBC_2.29\0GLIBC_2.4\0")
    linux = PLATFORMS["linux-aarch64"]
    assert prebuild.tag(linux, tmp_path) == "manylinux_2_29_aarch64"
    assert prebuild.tag(linux, tmp_path / "level") == "manylinux_2_17_aarch64"


def test_what_cannot_be_prebuilt_is_refused(tmp_path, monkeypatch, capsys):
    with pytest.raises(BackendError, match="B003"):
        prebuild.prebuild(tmp_path, "sunos-sparc")
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    assert prebuild.main([str(tmp_path), "--target", "linux-aarch64"]) == 3
    assert "pip install ziglang" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
