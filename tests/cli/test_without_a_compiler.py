"""The command on a machine without any compiler: the prebuilt kernel fits, and what needs a compiler is named."""

from __future__ import annotations

import json
import tomllib

import pytest

from nmlopt.exporters.native import build, prebuild, prebuilt
from nmlopt.exporters.native.platforms import PLATFORMS, this_platform

pytestmark = pytest.mark.neuron


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """A folder with the texts for cells of few compartments, compiled for the plainest level of this machine."""
    folder = tmp_path_factory.mktemp("prebuilt")
    prebuild.prebuild(folder, names=["nodes", "lanes"], levels=list(PLATFORMS[this_platform()].levels)[:1])
    return folder


@pytest.fixture(autouse=True)
def without_compiler(kernels, monkeypatch, tmp_path):
    """An empty PATH, nothing in the cache, a package with a prebuilt kernel."""
    monkeypatch.setattr(prebuilt, "ROOT", kernels)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(build, "find_spec", lambda name: None)


@pytest.fixture
def files(simplecell):
    """MODEL and TARGETS."""
    return simplecell / "model.nml", simplecell / "targets.json"


def test_a_fit_ends_well_and_says_what_was_done_and_what_not(call, files, tmp_path):
    limits = ("--offspring", "6", "--generations", "2", "--workers", "1", "--solutions", "2")
    said = call("fit", *files, "--out", tmp_path / "run", *limits)
    assert said.code == 0, said.err
    assert said.err.count("B132") == 1 and "prebuilt kernel" in said.err and "pip install ziglang" in said.err
    (told,) = [line for line in said.err.splitlines() if "B142" in line]
    assert "scored again at a tighter setting of native, but not on neuron: B002" in told and "install" in told
    tight, on_neuron = json.loads((tmp_path / "run/solutions/01/scores.json").read_text())["rescored"]
    assert (tight["status"], on_neuron["status"]) == ("ok", "not run")
    (made,) = tomllib.loads((tmp_path / "run/run.toml").read_text())["programs"]
    assert made["kernel"] == "prebuilt" and made["level"] == next(iter(PLATFORMS[this_platform()].levels))
    assert set(made["instruction_sets"]) <= build.processor()


@pytest.mark.parametrize("verb", ["score", "check", "simulate"])
def test_every_verb_that_runs_it_says_so_once(verb, call, files, tmp_path):
    out = ("--out", tmp_path / "traces") if verb == "simulate" else ()
    said = call(verb, *files, "--backend", "native", *out)
    assert said.code == 0, said.err
    assert said.err.count("B132") == 1
    if verb == "check":
        assert call(verb, *files, "--strict").code == 0  # it is no fault of the files


def test_verify_says_so_of_the_side_that_runs_it_and_what_the_other_lacks(call, files):
    said = call("verify", *files, "--backends", "native,neuron")
    assert said.code == 3
    assert said.err.count("B132") == 1 and "B132" not in said.out and "B002: NEURON needs" in said.out


def test_doctor_takes_it_for_a_compiler_and_names_what_neuron_lacks(call):
    found = call("doctor", "--json")
    rows = {row["name"]: row for row in found.json["findings"]}
    assert rows["c compiler"]["is_present"] and "prebuilt kernel" in rows["c compiler"]["found"]
    assert not rows["c++ compiler"]["is_present"] and found.code == 3
    ready = {row["name"]: row["is_ready"] for row in call("backends", "--json").json["backends"]}
    assert ready["native"] and not ready["neuron"]
