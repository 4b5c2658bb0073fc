"""`nmlopt check`: forms of the findings, exit codes, what is resolved without a run, what a code means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nmlopt.api import checking
from nmlopt.api.checking import CheckReport
from nmlopt.backend import RunStatus
from nmlopt.cli.checking import annotation, location
from nmlopt.errors import Issue, Severity

KEYS = {"code", "severity", "message", "file", "line", "column", "hint", "where"}


@pytest.fixture
def doubtful(simplecell, tmp_path, monkeypatch):
    """A model that runs with one warning: a channel that nothing uses, on line 10 of models/model.nml."""
    text = (simplecell / "model.nml").read_text(encoding="utf-8")
    leak = '<ionChannelHH id="leak" conductance="10pS"/>'
    assert text.splitlines()[9].strip() == leak
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "model.nml"
    path.write_text(text.replace(leak, f'<ionChannelHH id="spare" conductance="10pS"/>{leak}'), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "models/model.nml"


def test_json_rows_have_all_their_keys(doubtful, call):
    said = call("check", doubtful, "--json")
    assert said.code == 0 and said.json["resolved"] is None
    (row,) = said.json["issues"]
    assert row.keys() == KEYS
    assert (row["code"], row["severity"]) == ("I211", "warning")
    assert (row["file"], row["line"], row["column"]) == ("models/model.nml", 10, None)


def test_annotations_stand_at_their_line(doubtful, call):
    said = call("check", doubtful, "--github")
    assert said.code == 0
    start = "::warning file=models/model.nml,line=10,title=I211::"
    assert said.out.startswith(start) and "%0A" in said.out and said.out.count("\n") == 1


def test_strict_makes_warnings_errors(doubtful, call):
    assert call("check", doubtful).code == 0
    said = call("check", doubtful, "--strict")
    assert said.code == 2 and "error I211" in said.err


def test_faults_of_files_that_cannot_be_read_have_the_same_forms(tmp_path, monkeypatch, call):
    (tmp_path / "broken.nml").write_text("<neuroml><cell></neuroml>", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (row,) = call("check", "broken.nml", "--json").json["issues"]
    assert (row["code"], row["file"], row["line"], row["column"]) == ("D002", "broken.nml", 1, 18)
    said = call("check", "broken.nml", "--github")
    assert said.code == 2 and said.out.startswith("::error file=broken.nml,line=1,col=18,title=D002::")


def test_faults_of_the_targets_lie_in_their_file(simplecell, tmp_path, monkeypatch, call):
    text = (simplecell / "targets.json").read_text(encoding="utf-8")
    (tmp_path / "targets.json").write_text(text.replace("condDensity", "density"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    said = call("check", simplecell / "model.nml", "targets.json", "--json")
    assert said.code == 2
    assert {row["file"] for row in said.json["issues"] if row["where"].startswith("$")} == {"targets.json"}


def test_without_a_run_the_problem_is_shown_all_the_same(simplecell, call):
    files = (simplecell / "model.nml", simplecell / "targets.json")
    said = call("check", *files, "--no-run")
    assert said.code == 0
    for word in ("gna", "0.125", "S_per_cm2", "channelDensity:na_all", "step2", "Spikecount", "5 ± 0.25"):
        assert word in said.out
    resolved = call("check", *files, "--no-run", "--json").json["resolved"]
    assert [p["id"] for p in resolved["parameters"]] == ["gna", "gk"]
    assert resolved["status"] is None and resolved["objectives"]


def test_a_simulation_is_checked_as_such(root, tmp_path, call):
    text = (root / "tests" / "data" / "fuzz" / "LEMS_points.xml").read_text(encoding="utf-8")
    (tmp_path / "sound.xml").write_text(text, encoding="utf-8")
    (tmp_path / "broken.xml").write_text(text.replace('step="0.01 ms"', 'step="0 ms"'), encoding="utf-8")
    assert call("check", tmp_path / "sound.xml", "--json").json["issues"] == []
    assert [r["code"] for r in call("check", tmp_path / "broken.xml", "--json").json["issues"]] == ["S004"]


def test_explain_says_what_to_do(call):
    said = call("check", "--explain", "i210")
    assert said.code == 0 and said.out.startswith("I210 (warning): Two densities of one channel")
    assert call("check", "--explain", "T021").out.startswith("T021: ")
    said = call("check", "--explain", "D3")
    assert said.code == 2 and "C013" in said.err


def test_nothing_to_check_is_a_mistake(call):
    said = call("check")
    assert said.code == 2 and "C000" in said.err


def test_annotations_escape_what_would_end_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    issue = Issue("D001", "100% of\n'a:b' lost", "odd,name:3.nml:7:2", "look\rthere", Severity.INFO)
    report = CheckReport((issue,), tmp_path)
    assert location(issue, report) == ("odd,name:3.nml", 7, 2)
    assert annotation(issue, report) == (
        "::notice file=odd%2Cname%3A3.nml,line=7,col=2,title=D001::100%25 of%0A'a:b' lost%0Alook%0Dthere"
    )


def test_annotations_keep_a_place_that_is_no_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    issue = Issue("T021", "no quantity", "$.targets[2].sd")
    report = CheckReport((issue,), tmp_path, tmp_path / "targets.json")
    assert annotation(issue, report) == "::error file=targets.json,title=T021::$.targets[2].sd: no quantity"


def test_targets_that_are_not_there_are_named_as_they_were_given(simplecell, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    said = call("check", simplecell / "model.nml", "nosuch.json", "--json")
    assert said.code == 2
    assert [(row["code"], row["file"]) for row in said.json["issues"]] == [("T002", "nosuch.json")]


def test_own_values_that_do_not_run_are_a_warning(simplecell, monkeypatch, call):
    real = checking.evaluate_present

    def ended(loaded):
        return replace(real(loaded), status=RunStatus.DIVERGED, detail="v is nan at 3 ms")

    monkeypatch.setattr(checking, "evaluate_present", ended)
    said = call("check", simplecell / "model.nml", simplecell / "targets.json", "--json")
    (row,) = (row for row in said.json["issues"] if row["code"] == "B131")
    assert (said.code, row["severity"]) == (0, "warning")
    assert "v is nan at 3 ms" in row["message"]
