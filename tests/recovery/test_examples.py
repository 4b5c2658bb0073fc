"""The examples: the stored truth is what a simulation gives, the models start away from it, and jNeuroML takes them."""

from __future__ import annotations

import importlib.util
import json
import shutil

import pytest
from jneuroml_runner import validates

from nmlopt.api.problem import Options, evaluate_present, load

CASES = ("hh_soma", "ball_and_stick", "izhikevich")


@pytest.fixture(scope="module")
def make_examples(root):
    """The script that makes the targets."""
    spec = importlib.util.spec_from_file_location("make_examples", root / "benchmarks" / "make_examples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=CASES)
def example(request, root):
    """The folder of one example."""
    return root / "examples" / request.param


@pytest.mark.neuron
def test_stored_targets_are_those_of_the_true_parameters(make_examples, example):
    assert make_examples.check(example) == 0


@pytest.mark.neuron
def test_start_is_off_and_truth_is_within_half_an_sd(make_examples, example):
    loaded = load(example / "model.nml", example / "targets.json", Options())
    truth = json.loads((example / "expected.json").read_text())["parameters"]
    assert set(truth) == {p.id for p in loaded.problem.parameters.free}
    assert max(make_examples.evaluate_truth(loaded, truth).scores.values()) < 0.5
    assert max(evaluate_present(loaded).objectives) > 4


def test_every_sd_keeps_to_its_floor_and_one_protocol_is_for_validation(make_examples, example):
    targets = make_examples.read_json(example / "targets.json")
    assert "validate" in {p["role"] for p in targets["protocols"]}
    for target in targets["targets"]:
        assert target["sd"] >= make_examples.FLOORS[target["unit"]]


@pytest.mark.java
def test_jneuroml_finds_every_file_valid(example, tmp_path):
    copy = tmp_path / "example"
    shutil.copytree(example, copy)
    for path in sorted(copy.rglob("*.nml")):
        assert validates(path) == ""
