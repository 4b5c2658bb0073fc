"""Mistakes on the command line and in the installation: exit code, stable code, and the command that helps."""

from __future__ import annotations

import errno
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from mistakes import Mistake, put, replaced

from nmlopt.exporters import registry
from nmlopt.exporters.native import build, prebuilt

FILES = ("model.nml", "targets.json")
FIT = ("fit", *FILES, "--out", "run")
COLD = (
    '<network id="n" type="networkWithTemperature" temperature="-300degC">'
    '<population id="p" component="simplecell" size="1"/></network>'
)
STEP = "$.protocols[0].duration"
ON_NEURON = (*FIT, "--backend", "neuron")

OPTIONS = (
    Mistake("verb that does not exist", "C000", "nmlopt", ("did you mean 'fit'?",), arguments=("fitt", *FILES)),
    Mistake("fit without a folder", "C000", "nmlopt fit", ("--out", "--help"), arguments=("fit", *FILES)),
    Mistake("option that does not exist", "C000", "nmlopt", ("--genrations",), arguments=(*FIT, "--genrations", "3")),
    Mistake("word for a number", "C000", "nmlopt fit", ("--seed",), arguments=(*FIT, "--seed", "one")),
    Mistake("seed and seeds", "C000", "nmlopt fit", ("--seeds",), arguments=(*FIT, "--seed", "1", "--seeds", "2,3")),
    Mistake("unknown algorithm", "C109", "algorithm", ("nsga2",), arguments=(*FIT, "--algorithm", "nsga-3")),
    Mistake("odd offspring", "C101", "offspring", ("8",), arguments=(*FIT, "--offspring", "7")),
    Mistake("no generations", "C111", "generations", ("at least 1",), arguments=(*FIT, "--generations", "0")),
    Mistake(
        "too few evaluations", "C112", "evaluations", ("fewer offspring",), arguments=(*FIT, "--max-evaluations", "9")
    ),
    Mistake("seeds that are no list", "C010", "", ("--seeds 1,2,3",), arguments=(*FIT, "--seeds", "1;2")),
    Mistake("a seed given twice", "C010", "", ("--seeds 1,2,3",), arguments=(*FIT, "--seeds", "1,1")),
    Mistake("negative seed", "C107", "seed", ("0 or more",), arguments=(*FIT, "--seed", "-1")),
    Mistake("negative timeout", "C011", "", ("--timeout 60",), arguments=(*FIT, "--timeout", "-5")),
    Mistake("negative workers", "C011", "", ("--workers 2",), arguments=(*FIT, "--workers", "-1")),
    Mistake("no workers", "C011", "", ("--workers 2",), arguments=(*FIT, "--workers", "0")),
    Mistake(
        "tolerance without variable steps", "C014", "", ("--integrator cvode",), arguments=(*FIT, "--atol", "1e-4")
    ),
    Mistake(
        "tolerance with fixed steps",
        "C014",
        "",
        ("--integrator cvode",),
        arguments=("score", *FILES, "--integrator", "fixed", "--atol", "1e-4"),
    ),
    Mistake(
        "an option that takes the model for its value",
        "C000",
        "nmlopt fit",
        ("--verify", "'model.nml' is no list of backends", "before the option"),
        arguments=("fit", "--verify", *FILES, "--out", "run"),
    ),
    Mistake(
        "no backends to compare", "C015", "--backends", ("neuron,",), arguments=("verify", *FILES, "--backends", "")
    ),
    Mistake(
        "only commas", "C015", "--backends", ("names no backend",), arguments=("verify", *FILES, "--backends", ",")
    ),
    *(
        Mistake(
            f"far too small a step, {verb[0]}", "B146", STEP, ("2e+11 steps", "--dt"), arguments=(*verb, "--dt", "1e-9")
        )
        for verb in (FIT, ("score", *FILES), ("verify", *FILES), ("check", *FILES), ("check", *FILES, "--no-run"))
    ),
    Mistake(
        "far too long a protocol",
        "B146",
        STEP,
        ("4e+13 steps", "mind the units"),
        targets=put("1e12 ms", "protocols", 0, "duration"),
        arguments=("simulate", *FILES, "--out", "run", "--backend", "native"),
    ),
    Mistake("a step as long as nothing", "B147", STEP, ("200 ms", "300 ms"), arguments=(*FIT, "--dt", "300")),
    Mistake("below absolute zero", "T059", "$.temperature", ("34 degC",), targets=put("-1 K", "temperature")),
    Mistake(
        "a document below absolute zero",
        "I008",
        "model.nml:",
        ("degC",),
        model=replaced("</neuroml>", f"{COLD}</neuroml>"),
        targets=lambda targets: targets.pop("temperature"),
        arguments=("score", *FILES),
    ),
    Mistake("time step of 0", "C012", "", ("--dt 0.01",), arguments=(*FIT, "--dt", "0")),
    Mistake("time step that is not finite", "C012", "", ("--dt 0.01",), arguments=(*FIT, "--dt", "nan")),
    Mistake("unknown backend", "B000", "", ("did you mean 'neuron'?",), arguments=(*FIT, "--backend", "neurn")),
    Mistake(
        "numerics of jNeuroML with variable steps",
        "B011",
        "",
        ("--integrator fixed",),
        arguments=("score", *FILES, "--numerics", "jneuroml", "--integrator", "cvode"),
    ),
    Mistake(
        "pattern that fits nothing", "P001", "", ("nmlopt paths model.nml",), arguments=("paths", "model.nml", "xyz")
    ),
    Mistake(
        "component that is not there",
        "I003",
        "",
        ("simplecell",),
        arguments=("init", "model.nml", "--component", "simplecel"),
    ),
    Mistake(
        "search path that is not there",
        "D001",
        "",
        ("channels",),
        arguments=("check", *FILES, "--search-path", "channels"),
    ),
    Mistake(
        "folder that is not empty",
        "R001",
        "run",
        ("nmlopt resume",),
        arguments=FIT,
        files={"run/notes.txt": "mine"},
    ),
    Mistake("file in place of a folder", "R001", "run", ("another name",), arguments=FIT, files={"run": "mine"}),
    Mistake(
        "folder that is not empty, for traces",
        "R001",
        "traces",
        ("another name", "nothing is overwritten"),
        arguments=("simulate", *FILES, "--out", "traces"),
        files={"traces/notes.txt": "mine"},
    ),
    Mistake(
        "folder below a file",
        "R002",
        "notes.txt",
        ("another folder",),
        arguments=("fit", *FILES, "--out", "notes.txt/run"),
        files={"notes.txt": "mine"},
    ),
)


@pytest.mark.neuron
@pytest.mark.parametrize("mistake", OPTIONS, ids=lambda m: m.name)
def test_it_is_found_where_it_is(mistake, make_mistake):
    make_mistake(mistake)


INSTALL = "xcode-select --install" if sys.platform == "darwin" else "apt-get install g++ make"


@pytest.mark.neuron
def test_without_a_compiler_it_says_how_to_get_one(make_mistake, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path / "cache"))
    make_mistake(Mistake("no compiler", "B002", "", (INSTALL,), arguments=ON_NEURON, exit_code=3))
    assert not (tmp_path / "run").exists()


BY_DEFAULT = (FIT, ("check", *FILES), ("simulate", *FILES, "--out", "run", "--accuracy", "tight"))
NAMED = tuple((*verb, "--backend", "native") for verb in (FIT, ("score", *FILES), ("simulate", *FILES, "--out", "run")))


@pytest.mark.parametrize("verb", [*BY_DEFAULT, *NAMED], ids=lambda v: v[0])
def test_without_a_c_compiler_the_native_backend_says_how_to_get_one(make_mistake, monkeypatch, tmp_path, verb):
    """It never runs on another backend instead: nothing is run at all, where there is no prebuilt kernel either."""
    monkeypatch.setattr(prebuilt, "ROOT", tmp_path / "nothing")
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path / "cache"))
    hint = "xcode-select --install" if sys.platform == "darwin" else "apt-get install gcc libc6-dev"
    make_mistake(Mistake("no C compiler", "B002", "", (hint, "native"), arguments=verb, exit_code=3))
    assert not (tmp_path / "run").exists()


@pytest.mark.neuron
@pytest.mark.parametrize(
    ("code", "setting"),
    [("B040", ("--numerics", "jneuroml")), ("B041", ("--integrator", "cvode")), ("B042", ("--tables",))],
)
def test_what_the_kernel_refuses_of_a_fit_names_the_backend_that_can(make_mistake, tmp_path, code, setting):
    make_mistake(Mistake("refused", code, "", ("--backend neuron",), arguments=(*FIT, *setting)))
    assert not (tmp_path / "run").exists()


def test_without_neuron_it_says_how_to_get_it(make_mistake, monkeypatch):
    def version(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(registry, "version", version)
    make_mistake(Mistake("no NEURON", "B001", "", ("pip install neuron",), arguments=ON_NEURON, exit_code=3))


def _full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.neuron
def test_a_full_disk_is_told_before_anything_is_lost(make_mistake, monkeypatch, tmp_path):
    mistake = Mistake("full disk", "R003", "run", ("free some space",), arguments=FIT)
    with monkeypatch.context() as patch:
        patch.setattr("nmlopt.results.folder.write_tree", _full)
        make_mistake(mistake)
    assert not (tmp_path / "run").exists()


def test_a_full_disk_of_the_cache_is_told(make_mistake, monkeypatch, tmp_path):
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("nmlopt.codegen.build_cache.tempfile.mkdtemp", _full)
    make_mistake(Mistake("full cache", "B004", "", ("NMLOPT_CACHE",), arguments=FIT, exit_code=3))


def test_a_cache_that_cannot_be_written_is_told(make_mistake, monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    monkeypatch.setenv("NMLOPT_CACHE", str(tmp_path / "cache"))
    for arguments, name in ((FIT, "native"), (ON_NEURON, "neuron")):
        where = str(Path("cache") / name)
        make_mistake(Mistake("no cache", "B004", "", (where, "NMLOPT_CACHE"), arguments=arguments, exit_code=3))


@pytest.mark.neuron
def test_what_is_missing_is_told_by_the_doctor(call, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = call("doctor")
    assert outcome.code == 3
    assert INSTALL in outcome.err
    assert {f["name"] for f in call("doctor", "--json").json["findings"] if not f["is_present"]} >= {"make", "java"}
