"""The conformance suite as others use it: complete cases, references that can be made anew, a judge that can say no."""

from __future__ import annotations

import json

import numpy as np
import pytest
from lxml import etree

from nmlopt.document.read import read
from tests.conformance import make_expected, results, runner
from tests.conformance.judge import Trace, extrapolated, judge, measure
from tests.conformance.references.registry import REFERENCES
from tests.conformance.suite import CASES, Case, Quantity, case_ids, load

make_expected.import_references()
EXACT = ("1", "226", "50")
"""Cases whose references are closed forms: computed in no time. The others take SciPy seconds together."""


def test_there_are_cases_for_everything():
    names = case_ids()
    assert len(names) >= 40
    assert set(names) == {folder.name for folder in CASES.iterdir()} == set(REFERENCES)


@pytest.mark.parametrize("name", case_ids())
def test_case_is_complete(name):
    case = load(name)
    assert case.tests
    assert case.rule
    assert (CASES.parents[2] / case.script).exists()
    document = read(case.lems)  # all its includes are there
    assert len(document.files) >= 2
    columns = results.column_ids(case.lems)
    assert {quantity.column for quantity in case.quantities} == set(columns)
    simulation = next(e for e in etree.parse(str(case.lems)).getroot() if e.tag == "Simulation")
    length_s = float(simulation.get("length").removesuffix("ms")) / 1e3
    assert all(max(quantity.times_s) <= length_s for quantity in case.quantities)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name.startswith(EXACT) else pytest.mark.slow) for name in sorted(REFERENCES)],
)
def test_numbers_are_those_of_the_reference(name):
    case = REFERENCES[name].expected()
    assert make_expected.is_current(case), f"python -m tests.conformance.make_expected {name}"
    assert not make_expected.invisible_mistakes(case)


@pytest.mark.parametrize("name", case_ids())
def test_every_mistake_is_found_and_named(name):
    case = load(name)
    right = {quantity.id: np.array(quantity.reference) for quantity in case.quantities}
    assert judge(case, right).status == "pass"
    for mistake in case.mistakes:
        outcome = judge(case, {key: np.array(values) for key, values in mistake.quantities.items()})
        assert outcome.status == "fail"
        assert mistake.what in outcome.message


CASE = Case(
    "x", "a", "b", "c", "d",
    (
        Quantity("v", "samples", "v", (1e-3, 2e-3), 1e-5, "r", values=(-0.06, -0.05)),
        Quantity("v_crossings", "crossings", "v", (1.5e-3,), 1e-5, "r", threshold=-0.055),
    ),
)  # fmt: skip


def test_measure():
    trace = Trace(np.array([0.0, 1e-3, 2e-3]), np.array([-0.06, -0.06, -0.05]))
    assert measure(CASE.quantities[0], {"v": trace}) == pytest.approx([-0.06, -0.05])
    assert measure(CASE.quantities[1], {"v": trace}) == pytest.approx([1.5e-3])
    with pytest.raises(ValueError, match="ends at"):
        measure(CASE.quantities[0], {"v": Trace(trace.times_s[:2], trace.values[:2])})


@pytest.mark.parametrize(
    ("values", "spikes", "said"),
    [
        ([-0.06, -0.0499], [1.5e-3], "v: at 0.002 s"),
        ([-0.06, np.nan], [1.5e-3], "v: at 0.002 s"),
        ([-0.06, -0.05], [1.5e-3, 1.8e-3], "2 crossings, not 1"),
        ([-0.06, -0.05], [1.52e-3], "crossing 1"),
    ],
)
def test_what_is_off_is_said(values, spikes, said):
    outcome = judge(CASE, {"v": np.array(values), "v_crossings": np.array(spikes)})
    assert outcome.status == "fail"
    assert said in outcome.message


def test_extrapolation():
    exact, slope = np.array([1.0, 2.0]), np.array([0.3, -0.2])
    assert extrapolated({"v": exact + slope}, {"v": exact + slope / 2})["v"] == pytest.approx(exact)
    assert extrapolated({"v": np.array([1.0])}, {"v": exact})["v"] == pytest.approx(exact)


def test_results_file(tmp_path, capsys):
    case = load("101-passive-decay")
    quantity = case.quantities[0]
    columns = {"v": {"times_s": quantity.times_s, "values": quantity.values}}
    cases = {
        "101-passive-decay": {"columns": columns},
        "102-units": {"quantities": {"v": [0.0] * len(quantity.values)}},
        "103-spherical-soma": {"status": "refused", "message": "no spheres"},
    }
    file = tmp_path / "results.json"
    file.write_text(json.dumps({"format": results.FORMAT, "cases": cases}))
    assert runner.main(["--results", str(file), "--cases", "10[1-4]*", "--json"]) == 1
    said = {entry["case"]: entry for entry in json.loads(capsys.readouterr().out)["cases"]}
    assert [entry["status"] for entry in said.values()] == ["pass", "fail", "refused", "error"]
    assert said["103-spherical-soma"]["message"] == "no spheres"
    assert said["101-passive-decay"]["errors"]["v"] < 1e-6


def test_results_folder(tmp_path, capsys):
    """Output files as LEMS tools write them: time and columns, SI; a second run with half the step is extrapolated."""
    case = load("101-passive-decay")
    t = np.linspace(0, 0.04, 4001)
    exact = -0.065 + 0.015 * np.exp(-t / 0.01)
    for folder, error in (("", 2e-4), ("half_step", 1e-4)):
        (tmp_path / case.id / folder).mkdir(parents=True, exist_ok=True)
        np.savetxt(tmp_path / case.id / folder / "case.dat", np.column_stack([t, exact + error]))
    assert runner.main(["--results", str(tmp_path), "--cases", case.id]) == 0
    (tmp_path / case.id / "half_step" / "case.dat").unlink()
    assert runner.main(["--results", str(tmp_path), "--cases", case.id]) == 1
    assert "fail" in capsys.readouterr().out


def test_no_such_case():
    assert runner.main(["--cases", "nothing"]) == 2
