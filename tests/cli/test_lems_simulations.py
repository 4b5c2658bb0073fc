"""LEMS simulations from the command line: the files of `simulate`, the targets of `targets-from`, and mistakes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def rod(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound LEMS file in an empty folder, which is the working folder."""
    for name in ("LEMS_rod.xml", "passive.cell.nml"):
        shutil.copy(root / "tests" / "data" / "lems" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "LEMS_rod.xml"


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.mark.neuron
def test_simulate_writes_the_files_of_the_simulation_below_out_only(rod, call):
    said = call("simulate", rod.name, "--out", "made")
    assert said.code == 0
    assert said.out.splitlines() == ["made/results/rods.dat", "made/spikes.dat", "made/voltages.png"]
    assert "S021" in said.err  # the line that cannot be drawn
    table = np.loadtxt("made/results/rods.dat")
    assert table.shape == (401, 5)  # 20 ms of 0.05 ms, from 0 on: the file's own step
    assert table[:, 0].tolist() == pytest.approx((np.arange(401) * 5e-5).tolist())
    assert table[0, 1] == pytest.approx(-0.065)  # SI
    assert -0.065 < table[:, 1].max() < 0.0
    assert table[:, 4].tolist() == [0.0] * 401
    (line,) = Path("made/spikes.dat").read_text().splitlines()
    time, name = line.split("\t")
    assert (0.002 < float(time) < 0.012, name) == (True, "3")
    assert Path("made/voltages.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in rod.parent.iterdir()) == ["LEMS_rod.xml", "made", "passive.cell.nml"]


@pytest.mark.neuron
def test_simulate_has_a_folder_of_its_own_where_none_is_given_and_overwrites_nothing(rod, call):
    said = call("simulate", rod.name, "--dt", "0.1", "--json")
    assert said.json["files"][0] == "LEMS_rod_results/results/rods.dat"
    assert np.loadtxt(said.json["files"][0]).shape == (201, 5)
    again = call("simulate", rod.name)
    assert again.code == 2
    assert "R001" in again.err


def test_targets_from_makes_targets_that_check(rod, call):
    said = call("targets-from", rod.name, "-o", "targets.json")
    assert (said.code, said.out) == (0, "")
    made = json.loads(Path("targets.json").read_text())
    assert made["component"] == "rod"
    assert made["temperature"] == "20 degC"
    assert made["v_init"] == "-65 mV"
    first, second = made["protocols"]
    assert (first["id"], first["duration"]) == ("rods_0", "20 ms")
    assert first["stimuli"] == [
        {
            "type": "pulse",
            "delay": "2 ms",
            "duration": "10 ms",
            "amplitude": "0.1 nA",
            "at": {"segment": 0, "fraction_along": 0.5},
        }
    ]
    assert [r["quantity"] for r in first["recordings"]] == ["v", "leak_all/iDensity"]
    assert [s["type"] for s in second["stimuli"]] == ["sine", "ramp"]
    assert second["stimuli"][0]["at"] == {"segment": 1, "fraction_along": 0.9}
    checked = call("check", rod.name, "targets.json", "--no-run", "--json")
    assert checked.code == 0, checked.out
    assert [i for i in checked.json["issues"] if i["severity"] == "error"] == []


def test_targets_from_prints_and_overwrites_nothing(rod, call):
    assert json.loads(call("targets-from", rod.name).out)["format"] == "nmlopt-targets"
    Path("targets.json").write_text("mine")
    said = call("targets-from", rod.name, "-o", "targets.json")
    assert (said.code, Path("targets.json").read_text()) == (2, "mine")
    assert "R001" in said.err


def test_targets_from_carries_what_is_no_plain_stimulus_as_an_input(rod, call):
    spoil(rod, 'baselineAmplitude="0 nA"', 'baselineAmplitude="0.01 nA"')
    said = call("targets-from", rod.name, "-o", "targets.json")
    assert said.code == 0
    stimuli = json.loads(Path("targets.json").read_text())["protocols"][1]["stimuli"]
    assert stimuli[1] == {
        "type": "input",
        "component": "slope",
        "weight": -0.5,
        "at": {"segment": 0, "fraction_along": 0.5},
    }
    assert call("check", rod.name, "targets.json", "--no-run").code == 0


def test_targets_from_says_what_it_leaves_out(rod, call):
    """More kinds of protocols than anybody would want to look through."""
    instances = "".join(f'<instance id="{k}"><location x="0" y="0" z="0"/></instance>' for k in range(3, 30))
    inputs = "".join(f'<inputW id="{k}" target="../rods/{k}/rod" weight="{k}"/>' for k in range(3, 30))
    columns = "".join(f'<OutputColumn id="v{k}" quantity="rods/{k}/rod/v"/>' for k in range(3, 30))
    spoil(rod, "</population>", instances + "</population>")
    spoil(
        rod,
        '<inputList id="slopes" component="slope" population="rods">',
        f'<inputList id="slopes" component="slope" population="rods">{inputs}',
    )
    spoil(rod, "</OutputFile>", columns + "</OutputFile>")
    said = call("targets-from", rod.name)
    assert said.code == 0
    assert "S031" in said.err
    assert len(json.loads(said.out)["protocols"]) == 20


def test_targets_from_asks_which_cell(rod, call):
    said = call("targets-from", rod.name, "--component", "cone")
    assert said.code == 2
    assert "S030" in said.err
    assert "rod" in said.err


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ('target="rods[0]"', 'target="rods[3]"', "S012", ("LEMS_rod.xml:18", "no instance 3")),
        ("rods/1/rod/1/v", "rods/1/rod/7/v", "S020", ("segment 7",)),
        ('step="0.05 ms"', 'step="-1 ms"', "S004", ("not positive",)),
        ('<Component type="Simulation"', '<Component type="Meta"', "S001", ("<Simulation>",)),
        (
            "</network>",
            '<synapticConnection from="rods[0]" to="rods[1]" synapse="s"/></network>',
            "S010",
            ("<synapticConnection>", "LEMS_rod.xml:25"),
        ),
    ],
)
@pytest.mark.parametrize("verb", ["simulate", "targets-from"])
def test_mistakes_in_simulations(rod, call, verb, old, new, code, words):
    spoil(rod, old, new)
    said = call(verb, rod.name)
    assert (said.code, said.out) == (2, "")
    assert code in said.err
    for word in words:
        assert word in said.err
    assert sorted(p.name for p in rod.parent.iterdir()) == ["LEMS_rod.xml", "passive.cell.nml"]


@pytest.mark.neuron
def test_two_files_of_one_name_are_a_mistake(rod, call):
    spoil(rod, 'fileName="../spikes.dat"', 'fileName="../results/rods.dat"')
    said = call("simulate", rod.name)
    assert said.code == 2
    assert "S023" in said.err


def test_simulate_of_a_model_alone_says_what_it_needs(simplecell, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = call("simulate", simplecell / "model.nml")
    assert said.code == 2
    assert "S001" in said.err
    assert "targets.json" in said.err
    said = call("simulate", simplecell / "model.nml", simplecell / "targets.json")
    assert said.code == 2
    assert "--out" in said.err
