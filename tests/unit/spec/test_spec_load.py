"""Reading targets.json: every fault at once, at its place, and nothing converted silently."""

from __future__ import annotations

import json

import pytest

from nmlopt.errors import Severity, TargetsError
from nmlopt.spec.checks import check
from nmlopt.spec.load import load, loads
from nmlopt.spec.text import MAX_BYTES


def targets(**changes):
    """The text of a small valid file with some of its keys changed."""
    made = {
        "format": "nmlopt-targets",
        "format_version": "1.0",
        "id": "small",
        "parameters": [{"id": "g", "paths": ["a:b/c"], "lower": "1 mV", "upper": "2 mV"}],
        "protocols": [{"id": "p", "duration": "1 s", "recordings": [{"id": "r"}]}],
        "targets": [{"type": "spike_times", "id": "t", "protocol": "p", "recording": "r", "times": ["1 ms"]}],
    }
    return json.dumps(made | changes)


def faults(text):
    with pytest.raises(TargetsError) as caught:
        loads(text)
    return {(issue.code, issue.where) for issue in caught.value.issues}


def test_defaults_of_a_small_file():
    made = loads(targets())
    assert made.cap == 250.0
    assert made.protocols[0].role == "fit"
    assert made.protocols[0].recordings[0].at.segment == 0
    assert [objective.id for objective in made.all_objectives()] == ["t"]


def test_grouped_and_validation_targets_are_no_objectives_of_their_own():
    one = {"type": "spike_times", "protocol": "p", "recording": "r", "times": []}
    protocols = [{"id": name, "duration": "1 s", "recordings": [{"id": "r"}]} for name in ("p", "q")]
    protocols[1]["role"] = "validate"
    made = loads(
        targets(
            protocols=protocols,
            targets=[one | {"id": "a"}, one | {"id": "b"}, one | {"id": "c", "protocol": "q"}],
            objectives=[{"id": "both", "targets": ["b"]}],
        )
    )
    assert [objective.id for objective in made.all_objectives()] == ["both", "a"]


def test_faults_of_all_kinds_are_reported_at_once():
    text = targets(
        parameters=[{"id": "g", "paths": [], "lower": "x", "uper": "2 mV"}],
        protocols=[
            {
                "id": "p",
                "duration": "1 mV",
                "recordings": [{"id": "r"}, {"id": "r"}],
                "stimuli": [{"type": "pulse", "delay": "1 ms"}, {"type": "sinus"}, {"type": "synapse"}],
            }
        ],
        targets=[
            {"type": "feature", "id": "t", "protocol": "q", "recording": "r", "feature": "f", "mean": "1", "sd": 0}
        ],
    )
    assert faults(text) == {
        ("T009", "$.parameters[0].paths"),
        ("T021", "$.parameters[0].lower"),
        ("T007", "$.parameters[0].uper"),
        ("T023", "$.protocols[0].duration"),
        ("T014", "$.protocols[0].recordings[1].id"),
        ("T006", "$.protocols[0].stimuli[0].duration"),
        ("T006", "$.protocols[0].stimuli[0].amplitude"),
        ("T010", "$.protocols[0].stimuli[1].type"),
        ("T011", "$.protocols[0].stimuli[2]"),
        ("T008", "$.targets[0].mean"),
        ("T009", "$.targets[0].sd"),
        ("T015", "$.targets[0].protocol"),
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [("cap", "250"), ("cap", True), ("id", 3), ("parameters", {}), ("targets", "all"), ("extensions", [])],
)
def test_types_are_not_converted(key, value):
    assert ("T008", f"$.{key}") in faults(targets(**{key: value}))


def test_a_whole_number_is_a_number():
    assert loads(targets(cap=100)).cap == 100.0


@pytest.mark.parametrize(
    "amplitude",
    [{"kind": "rheobase", "percent": 150}, {"type": "rheobase", "offset": "1 nA"}],
)
def test_rheobase_is_refused_by_name(amplitude):
    stimulus = {"type": "pulse", "delay": "1 ms", "duration": "5 ms", "amplitude": amplitude}
    protocol = {"id": "p", "duration": "1 s", "recordings": [{"id": "r"}], "stimuli": [stimulus]}
    with pytest.raises(TargetsError, match="rheobase are not supported yet"):
        loads(targets(protocols=[protocol]))


def test_unknown_key_names_the_near_one():
    with pytest.raises(TargetsError, match="did you mean 'protocols'"):
        loads(targets(protocol=[]))


@pytest.mark.parametrize("text", ["", "[]", "3", "null", '"targets"', "{}"])
def test_other_json_is_no_targets_file(text):
    assert faults(text) & {("T012", "targets.json"), ("T012", "$.format"), ("T001", "targets.json:1:1")}


def test_syntax_error_has_line_and_column():
    assert faults('{"a": 1,\n "b": }') == {("T001", "targets.json:2:7")}


def test_hostile_texts_are_refused_with_a_message():
    assert faults("[" * 100_000) == {("T004", "$")}
    assert faults(targets().replace("1.0", "1" * 5000, 1).replace(f'"{"1" * 5000}"', "1" * 5000)) == {
        ("T005", "targets.json")
    }
    assert ("T005", "$.cap") in faults(targets(cap=1e308).replace("1e+308", "1e309"))


def test_unreadable_files(tmp_path):
    big = tmp_path / "big.json"
    with big.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    for path in (tmp_path / "missing.json", tmp_path, big):
        with pytest.raises(TargetsError) as caught:
            load(path)
        assert [(i.code, i.where) for i in caught.value.issues] == [("T002", str(path))]


def test_comments_are_ignored_everywhere():
    text = targets().replace("{", '{"$comment": ["any", {"thing": 1}], ')
    assert loads(text) == loads(targets())


def test_circle_of_expressions():
    made = [
        {"id": name, "paths": [f"a:b/{name}"], "expression": f"2 * {other}"}
        for name, other in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    free = {"id": "g", "paths": ["a:b/g"], "lower": "1", "upper": "2"}
    assert faults(targets(parameters=[free, *made])) == {("T035", f"$.parameters[{i}].expression") for i in (1, 2, 3)}


def test_warnings_do_not_stop_reading():
    feature = {"type": "feature", "id": "t", "protocol": "p", "recording": "r", "feature": "f", "mean": 1, "sd": 1e-9}
    made = loads(targets(targets=[feature | {"n": 1, "window": {"start": "0 ms", "end": "2 s"}}]))
    assert {(i.code, i.severity) for i in check(made)} == {(c, Severity.WARNING) for c in ("T025", "T031", "T032")}


@pytest.mark.parametrize(
    ("recorded", "target", "place"),
    [
        ("v", {"type": "trace", "file": "x.csv", "unit": "nA", "sd": "1 nA"}, "unit"),
        ("i_clamp", {"type": "trace", "file": "x.csv", "unit": "mV", "sd": "1 mV"}, "unit"),
        ("v", {"type": "trace", "file": "x.csv", "unit": "mV", "sd": "1 nA"}, "sd"),
        ("i_clamp", {"type": "spike_times", "times": []}, "recording"),
    ],
)
def test_a_target_in_another_dimension_than_its_recording(recorded, target, place):
    clamp = {"type": "voltage_clamp", "levels": [{"duration": "1 ms", "target": "0 mV"}]}
    protocol = {"id": "p", "duration": "1 s", "recordings": [{"id": "r", "quantity": recorded}], "stimuli": [clamp]}
    made = target | {"id": "t", "protocol": "p", "recording": "r"}
    assert faults(targets(protocols=[protocol], targets=[made])) == {("T023", f"$.targets[0].{place}")}
