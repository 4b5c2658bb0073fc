"""Adding a backend: one folder and one row of the registry, and every verb knows it.

The backend is tests/tools/toy_backend, which solves passive cells of one compartment in closed form; what it gives is
compared with formulas of its own.
"""

from __future__ import annotations

import csv
import json
import math
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from toy_backend.backend import ToyBackend

from nmlopt.cli import main
from nmlopt.exporters import registry

MODEL = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="passive_document">
    <ionChannel id="leak" type="ionChannelPassive" conductance="10 pS"/>
    <cell id="passive">
        <morphology id="shape">
            <segment id="0" name="soma">
                <proximal x="0" y="0" z="0" diameter="20"/>
                <distal x="20" y="0" z="0" diameter="20"/>
            </segment>
        </morphology>
        <biophysicalProperties id="biophysics">
            <membraneProperties>
                <channelDensity id="leak_all" ionChannel="leak" condDensity="0.2 mS_per_cm2" erev="-60 mV"
                    ion="non_specific"/>
                <spikeThresh value="0 mV"/>
                <specificCapacitance value="1 uF_per_cm2"/>
                <initMembPotential value="-70 mV"/>
            </membraneProperties>
            <intracellularProperties><resistivity value="0.1 kohm_cm"/></intracellularProperties>
        </biophysicalProperties>
    </cell>
</neuroml>
"""
AREA_cm2 = math.pi * 20e-4 * 20e-4
AMPLITUDE_nA = 0.05
TARGET_g = 0.1
"""mS/cm2"""


def deflection(g_mS_per_cm2: float) -> float:
    """I / (g A) in mV."""
    return 1e-3 * AMPLITUDE_nA / (g_mS_per_cm2 * AREA_cm2)


TARGETS: dict[str, Any] = {
    "format": "nmlopt-targets",
    "format_version": "1.0",
    "id": "passive",
    "temperature": "20 degC",
    "parameters": [
        {"id": "g", "paths": ["cell:passive/channelDensity:leak_all/condDensity"], "lower": "0.02 mS_per_cm2",
         "upper": "0.5 mS_per_cm2", "scale": "log10"},
        {"id": "E", "paths": ["cell:passive/channelDensity:leak_all/erev"], "lower": "-90 mV", "upper": "-40 mV"},
    ],
    "protocols": [
        {
            "id": "step",
            "duration": "400 ms",
            "stimuli": [{"type": "pulse", "delay": "150 ms", "duration": "200 ms", "amplitude": f"{AMPLITUDE_nA} nA"}],
            "recordings": [{"id": "soma"}],
        }
    ],
    "targets": [
        {"type": "feature", "id": "rest", "protocol": "step", "recording": "soma", "feature": "voltage_base",
         "mean": -65.0, "sd": 0.5, "unit": "mV"},
        {"type": "feature", "id": "step", "protocol": "step", "recording": "soma",
         "feature": "steady_state_voltage_stimend", "mean": -65.0 + deflection(TARGET_g), "sd": 0.5, "unit": "mV"},
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one row."""
    monkeypatch.setitem(registry._BACKENDS, "toy", "toy_backend.backend:ToyBackend")


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """MODEL and TARGETS."""
    paths = tmp_path / "model.nml", tmp_path / "targets.json"
    for path, text in zip(paths, (MODEL, json.dumps(TARGETS)), strict=True):
        path.write_text(text, encoding="utf-8")
    return str(paths[0]), str(paths[1])


@pytest.fixture
def called(capsys: pytest.CaptureFixture[str]) -> Any:
    """The command: its exit code and what it printed, as JSON where it is."""

    def call(*arguments: str | Path) -> tuple[int, Any]:
        capsys.readouterr()
        code = main([str(a) for a in arguments])
        said = capsys.readouterr()
        return code, json.loads(said.out) if "--json" in arguments else said.out + said.err

    return call


TOY = ("--backend", "toy")


def test_backends_and_doctor_list_it(called, files):
    _, found = called("backends", files[0], "--json")
    (row,) = [b for b in found["backends"] if b["name"] == "toy"]
    assert (row["title"], row["is_ready"], row["batch"], row["numerics"]) == ("the toy", True, 8, ["cnexp"])
    assert all(element["backends"]["toy"]["is_supported"] for element in found["elements"])
    assert called("doctor")[0] == 0


def test_refusals_are_the_same_everywhere(called, root):
    model = root / "examples" / "hh_soma" / "model.nml"
    _, found = called("backends", model, "--json")
    refused = {e["name"] for e in found["elements"] if not e["backends"]["toy"]["is_supported"]}
    assert refused == {"na", "k"}
    code, checked = called("check", model, *TOY, "--json")
    assert code == 2
    assert [(i["code"], i["where"]) for i in checked["issues"] if i["severity"] == "error"] == [
        ("B901", "model.nml:54"),
        ("B901", "model.nml:55"),
    ]
    for verb in ("score", "check"):
        code, said = called(verb, model, model.with_name("targets.json"), *TOY)
        assert code == 2 and "B901" in said


def test_settings_are_checked_against_its_offer(called, files):
    code, said = called("score", *files, *TOY, "--numerics", "jneuroml", "--gpu")
    assert code == 2 and "B040" in said and "B100" in said and "the toy" in said


def test_check_and_score(called, files):
    code, found = called("check", *files, *TOY, "--json")
    assert code == 0 and found["resolved"]["status"] == "ok"
    code, found = called("score", *files, *TOY, "--json")
    assert code == 0
    assert found["features"]["rest"][0] == pytest.approx(-60.0, abs=1e-6)
    assert found["features"]["step"][0] == pytest.approx(-60.0 + deflection(0.2), abs=1e-6)
    assert found["scores"]["rest"] == pytest.approx(10.0, abs=1e-5)


def test_simulate(called, files, tmp_path):
    code, _ = called("simulate", *files, *TOY, "--out", tmp_path / "traces", "--dt", "0.1")
    assert code == 0
    with next((tmp_path / "traces").glob("*.csv")).open() as file:
        rows = [[float(x) for x in line] for line in list(csv.reader(file))[1:]]
    times, v = zip(*rows, strict=True)
    assert len(times) == 4001
    tau_ms = 1.0 / 0.2
    assert v[100] == pytest.approx(-60.0 - 10.0 * math.exp(-10.0 / tau_ms), rel=1e-6)
    assert v[1550] == pytest.approx(-60.0 + deflection(0.2) * (1.0 - math.exp(-5.0 / tau_ms)), rel=1e-5)


def test_fit_resume_status_and_report(called, files, tmp_path):
    run = tmp_path / "run"
    limits = ("--offspring", "16", "--generations", "12", "--workers", "1", "--seed", "2", "--solutions", "1")
    code, found = called("fit", *files, *TOY, "--out", run, *limits, "--json")
    assert code == 0
    record = tomllib.loads((run / "run.toml").read_text(encoding="utf-8"))
    assert record["backend"] == "toy"
    assert record["settings"]["numerics"] == "cnexp"
    assert record["versions"]["toy"] == ToyBackend().version()
    code, more = called("resume", run, "--generations", "20", "--solutions", "1", "--json")
    assert code == 0 and more["generations"] == 20
    best = more["solutions"][0]
    assert best["sum"] <= found["best_sum"]
    assert best["parameters"]["E"] == pytest.approx(-65.0, abs=0.5)
    assert best["parameters"]["g"] == pytest.approx(TARGET_g, rel=0.05)
    assert "toy" in (run / best["model"]).read_text(encoding="utf-8")
    assert called("status", run)[0] == called("report", run)[0] == 0


@pytest.mark.neuron
def test_a_fit_verifies_its_solutions_on_another_backend(called, files, tmp_path):
    run = tmp_path / "run"
    limits = ("--offspring", "6", "--generations", "2", "--workers", "1", "--solutions", "1")
    code, found = called("fit", *files, *TOY, "--out", run, *limits, "--verify", "neuron,toy", "--json")
    assert code == 0
    written = (run / found["solutions"][0]["model"]).read_text(encoding="utf-8")
    assert "toy and neuron: same within numerical error" in written


def test_export(called, files, tmp_path):
    folder = tmp_path / "out"
    assert called("export", files[0], folder, *TOY)[0] == 0
    subprocess.run([sys.executable, "-I", "run.py"], cwd=folder, check=True)
    lines = (folder / "v.csv").read_text().splitlines()
    t, v = (float(x) for x in lines[400].split(","))
    assert v == pytest.approx(-60.0 - 10.0 * math.exp(-t * 0.2), rel=1e-12)


@pytest.mark.neuron
def test_verify_finds_the_closed_form_and_neuron_the_same(called, files):
    code, found = called("verify", *files, "--backends", "neuron,toy", "--json")
    assert [b["name"] for b in found["backends"]] == ["neuron", "toy"]
    assert (code, found["verdict"]) == (0, "same within numerical error")


@pytest.mark.neuron
def test_verify_finds_a_toy_that_leaks_a_tenth_more(called, files, monkeypatch):
    monkeypatch.setitem(registry._BACKENDS, "toy", "toy_backend.leaky:LeakyToy")
    code, found = called("verify", *files, "--backends", "neuron,toy", "--json")
    assert (code, found["verdict"]) == (1, "differs")


NAMES_BACKENDS = {
    "nmlopt/api/problem.py",  # the default
}


def test_no_module_outside_the_exporters_names_a_backend(root):
    """What knows a backend by its name would have to be changed for the next one."""
    names = "|".join(name for name in registry.names() if name != "toy")
    literal = re.compile(rf"""["'](?:{names})["']""")
    found = {p.relative_to(root).as_posix() for p in _sources(root / "nmlopt") if literal.search(p.read_text("utf-8"))}
    assert found <= NAMES_BACKENDS


def test_exporters_import_no_other_exporter(root):
    folders = [f for f in (root / "exporters").iterdir() if (f / "backend.py").is_file()]
    assert {f.name for f in folders} >= {name for name in registry.names() if name != "toy"}
    for folder in folders:
        others = "|".join(f.name for f in folders if f != folder)
        pattern = re.compile(rf"nmlopt\.exporters\.(?:{others})\b")
        assert [p.name for p in _sources(folder) if pattern.search(p.read_text("utf-8"))] == []


def _sources(folder: Path) -> Sequence[Path]:
    return [p for p in sorted(folder.rglob("*.py")) if "exporters" not in p.relative_to(folder).parts]
