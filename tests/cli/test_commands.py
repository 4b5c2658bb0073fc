"""Every verb on a small cell, as scripts and people use it: names, exit codes, what is printed and what is left."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from nmlopt import __version__

pytestmark = pytest.mark.neuron

VERBS = (
    "fit",
    "resume",
    "status",
    "report",
    "check",
    "paths",
    "init",
    "import-morphology",
    "simulate",
    "targets-from",
    "score",
    "export",
    "backends",
    "schema",
    "doctor",
)
GNA = "cell:simplecell/biophysicalProperties:biophysics/membraneProperties/channelDensity:na_all/condDensity"


@pytest.fixture
def files(simplecell: Path) -> tuple[Path, Path]:
    """MODEL and TARGETS."""
    return simplecell / "model.nml", simplecell / "targets.json"


def test_version_and_help(call):
    assert call("--version").out == f"nmlopt {__version__}\n"
    said = call("--help")
    assert said.code == 0
    for number in range(5):
        assert f"\n  {number}  " in said.out


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_has_examples(verb, call):
    said = call(verb, "--help")
    assert said.code == 0
    assert f"examples:\n  nmlopt {verb}" in said.out


# ------------------------------------------------------------------------------------------------ a run


def test_fit_leaves_a_whole_run(finished):
    present = {p.relative_to(finished).as_posix() for p in finished.rglob("*")}
    assert present >= {"run.toml", "run.sqlite", "report.html", "inputs/model/model.nml", "inputs/targets/targets.json"}
    assert present >= {"solutions/01/model.nml", "solutions/01/scores.json"}


def test_status_holds_what_scripts_rely_on(finished, call):
    found = call("status", finished, "--json").json
    assert (found["evaluations"], found["generations"]) == (12, 2)
    assert found["cpu_seconds"] > 0
    best = found["solutions"][0]
    assert found["best_sum"] == best["sum"] == sum(best["objectives"].values())
    assert (finished / best["model"]).is_file()
    assert set(best["scores"]) == {"step1.Spikecount", "step2.Spikecount"}
    assert found["running"] is None


def test_status_is_readable(finished, call):
    said = call("status", finished)
    assert said.code == 0
    assert "evaluations  12" in said.out
    assert "solutions/01/model.nml" in said.out


def test_fit_says_what_it_does_and_warns_first(files, tmp_path, call):
    wanted = json.loads(files[1].read_text(encoding="utf-8"))
    wanted["targets"][0]["n"] = 1  # a mean that rests on one observation: T031
    (tmp_path / "targets.json").write_text(json.dumps(wanted), encoding="utf-8")
    limits = ("--offspring", "4", "--generations", "1", "--workers", "1", "--algorithm", "nsga2", "--seeds", "1,2")
    said = call("fit", files[0], tmp_path / "targets.json", "--out", tmp_path / "run", *limits)
    assert said.code == 0, said.err
    warning, task, effort = (said.err.index(t) for t in ("T031", "2 free parameters", "nsga2: 4 × 1 generation"))
    assert warning < task < effort < said.err.index("gen 1/1")
    assert "seeds 1, 2" in said.err
    assert "Seeds" in said.out


def test_fit_prints_one_document_on_request(files, tmp_path, call):
    limits = ("--offspring", "4", "--max-evaluations", "4", "--workers", "1", "--backend", "neuron", "--timeout", "60")
    said = call("fit", *files, "--out", tmp_path / "run", *limits, "--json")
    assert said.code == 0, said.err
    assert said.json == call("status", tmp_path / "run", "--json").json
    assert said.json["evaluations"] == 4


def test_a_target_score_that_nobody_reaches_gives_exit_code_1(run, call):
    said = call("resume", run, "--generations", "3", "--target-score", "0.0001", "--workers", "1", "--json")
    reached = said.json["best_sum"] <= 0.0001
    assert said.code == (0 if reached else 1), said.err
    hopeless = call("resume", run, "--target-score", "0", "--workers", "1")
    assert hopeless.code == (0 if said.json["best_sum"] == 0 else 1)


def test_no_candidate_to_its_end_gives_exit_code_1(files, tmp_path, call):
    limits = (
        "--offspring",
        "4",
        "--generations",
        "1",
        "--workers",
        "1",
        "--timeout",
        "0.000001",
        "--backend",
        "neuron",
    )
    said = call("fit", *files, "--out", tmp_path / "run", *limits)
    assert said.code == 1, said.err
    assert "no candidate could be simulated to its end" in said.err
    assert call("status", tmp_path / "run", "--json").json["failures"] == {"timed out": 4}


def test_resume_goes_on(run, call):
    said = call("resume", run, "--generations", "3", "--workers", "1", "--json")
    assert said.code == 0, said.err
    assert (said.json["generations"], said.json["evaluations"]) == (3, 18)


def test_resume_of_a_run_that_has_ended_says_so(run, call):
    said = call("resume", run)
    assert said.code == 0
    assert "nothing was left to do: all 2 generations are done; scores at a tighter setting" in said.err
    assert "--generations" in said.err


def test_resume_keeps_limits_that_are_not_given(run, call):
    said = call("resume", run, "--max-seconds", "1000", "--json")
    assert (said.code, said.json["generations"]) == (0, 2)


def test_report_makes_the_report_anew(run, call):
    (run / "report.html").unlink()
    said = call("report", run)
    assert (said.code, said.out) == (0, f"{run / 'report.html'}\n")
    assert (run / "report.html").is_file()


def test_report_writes_every_evaluation_as_a_table_and_replaces_nothing(run, call, tmp_path):
    table = tmp_path / "evaluations.csv"
    assert call("report", run, "--csv", table).code == 0
    header, *rows = table.read_text().splitlines()
    assert header.startswith("seed,generation,position,status,cpu_s,sum,x:")
    assert len(rows) == json.loads(call("status", run, "--json").out)["evaluations"]
    again = call("report", run, "--csv", table)
    assert again.code == 2 and "R001" in again.err


# ------------------------------------------------------------------------------------------------ looking


def test_check_shows_what_would_be_done(files, call):
    said = call("check", *files)
    assert said.code == 0
    assert "no faults found" in said.err
    for word in ("gna", "0.125", "S_per_cm2", "channelDensity:na_all", "step2", "Spikecount"):
        assert word in said.out
    resolved = call("check", *files, "--json").json["resolved"]
    assert resolved["parameters"][0]["paths"] == [GNA]
    assert resolved["seconds_per_evaluation"] > 0


def test_check_takes_a_model_alone(files, call):
    assert call("check", files[0], "--json").json["issues"] == []


def test_paths_are_listed_with_value_unit_and_kind(files, call):
    rows = {row["path"]: row for row in call("paths", files[0], "--json").json["paths"]}
    assert (rows[GNA]["value"], rows[GNA]["unit"], rows[GNA]["kind"]) == (0.12, "S_per_cm2", "bindable")
    assert rows["ionChannelHH:na/gateHHrates:m/instances"]["kind"] == "structural"
    some = call("paths", files[0], "na*condDensity")
    assert GNA in some.out and "leak" not in some.out


def test_score_of_a_solution_is_what_the_run_says(finished, files, call):
    best = call("status", finished, "--json").json["solutions"][0]
    found = call("score", finished / best["model"], files[1], "--json").json
    assert (found["scores"], found["sum"]) == (best["scores"], best["sum"])
    assert "step2.Spikecount" in call("score", *files).out


def test_simulate_writes_traces(files, tmp_path, call):
    written = [Path(f) for f in call("simulate", *files, "--out", tmp_path / "traces", "--json").json["files"]]
    assert sorted({f.suffix for f in written}) == [".csv", ".png"]
    with (tmp_path / "traces" / "step2.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(line for line in stream if not line.startswith("#")))
    assert float(rows[-1][0]) == pytest.approx(200.0)
    assert max(float(row[1]) for row in rows[1:]) > 0.0  # spikes


def test_init_writes_what_check_accepts(files, tmp_path, call):
    said = call("init", files[0])
    assert said.code == 0
    (tmp_path / "targets.json").write_text(said.out, encoding="utf-8")
    assert call("check", files[0], tmp_path / "targets.json").code == 0


def test_export_writes_a_folder(files, tmp_path, call):
    said = call("export", files[0], "--to", "neuron", tmp_path / "out", "--targets", files[1])
    assert said.code == 0, said.err
    assert (tmp_path / "out" / "README.md").is_file()
    assert all(Path(line).is_file() for line in said.out.splitlines())


def test_schema_is_json(call):
    assert call("schema").json["$schema"].endswith("2020-12/schema")


def test_doctor_finds_everything(call):
    found = call("doctor", "--json")
    assert (found.code, found.json["complete"]) == (0, True)
    assert "compiler" in call("doctor").out
