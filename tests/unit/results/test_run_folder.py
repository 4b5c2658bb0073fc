from __future__ import annotations

import csv
import json
import math
import tomllib

import pytest
from pydantic import ValidationError

from nmlopt.backend import RunStatus
from nmlopt.document.read import read
from nmlopt.errors import ResultsError
from nmlopt.resources import targets_schema
from nmlopt.results import inputs, run_toml
from nmlopt.results.bounds import at_bound, position
from nmlopt.results.export_csv import write_csv
from nmlopt.results.folder import create_run
from nmlopt.results.run_toml import Record
from nmlopt.results.store import RunStore
from nmlopt.results.summary import Summary, schema, summarise, summary
from nmlopt.results.writeback import write_solutions
from nmlopt.spec.models import Targets

AWKWARD = {
    'quote " back \\ slash': 'tab\t newline\n "quoted" \\ é 😀 \x7f \x01',
    "int": -3,
    "float": 1e-05,
    "big": 1e300,
    "whole": 2.0,
    "flag": True,
    "list": [1, 2.5, 3],
    "texts": ["a", "b"],
    "none": None,
    "table": {"a.b": {"c": 1}, "x": "y"},
    "tables": [{"n": 1, "inner": {"z": 2}}, {"n": 2}],
    "empty": {},
    "nothing": [],
}


def record(**changes) -> Record:
    values = {
        "created": "2026-01-02T03:04:05+00:00",
        "commands": ("nmlopt fit model.nml targets.json --out run",),
        "versions": {"nmlopt": "0.1.0", "python": "3.11.7"},
        "seeds": (1, 2),
        "algorithm": {"name": "ibea", "offspring": 32, "mutation_rate": None},
        "backend": "fake",
        "settings": {"dt_ms": 0.025, "tables": False},
        "model": "",
        "model_digest": "m",
        "targets": "",
        "targets_digest": "t",
        "files": {},
    }
    return Record(**{**values, **changes})


def targets(**changes) -> Targets:
    at = {"id": "p", "duration": "100 ms", "recordings": [{"id": "v"}]}
    return Targets.model_validate(
        {
            "format": "nmlopt-targets",
            "format_version": "1.0",
            "id": "t",
            "parameters": [{"id": "a", "paths": ["x"], "lower": "1 mV", "upper": "2 mV"}],
            "protocols": [{**at, "stimuli": [{"type": "played", "file": "../data/current.csv"}]}],
            "targets": [{"type": "trace", "id": "v", "protocol": "p", "recording": "v", "file": "v.csv"}],
            **changes,
        }
    )


@pytest.fixture
def spec(tmp_path):
    """A targets.json that names two files, one beside its folder."""
    (tmp_path / "fit").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "current.csv").write_text("0,1\n")
    (tmp_path / "fit" / "v.csv").write_text("0,-65\n")
    path = tmp_path / "fit" / "targets.json"
    path.write_bytes(b'{"exact": "bytes"  }\r\n')
    return path


def test_toml_reads_back_what_was_written():
    found = tomllib.loads(run_toml.dumps(AWKWARD))
    assert found == {k: v for k, v in AWKWARD.items() if v is not None}
    with pytest.raises(TypeError):
        run_toml.dumps({"a": object()})


def test_a_record_survives(tmp_path):
    run_toml.write(tmp_path, record())
    found = run_toml.read(tmp_path)
    assert found == record(algorithm={"name": "ibea", "offspring": 32})
    run_toml.write(tmp_path, record(commands=("a", "b")))
    assert run_toml.read(tmp_path).commands == ("a", "b")
    assert [p.name for p in tmp_path.iterdir()] == ["run.toml"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not toml", "R009"),
        ("a = 1\n", "R009"),
        ('format = "nmlopt-run"\nformat_version = "1.0"\n', "R009"),
        ('format = "nmlopt-run"\nformat_version = "2.0"\n', "R005"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused(tmp_path, text, code):
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(ResultsError) as caught:
        run_toml.read(tmp_path)
    (issue,) = caught.value.issues
    assert issue.code == code
    assert issue.hint and issue.where.endswith("run.toml")


def test_a_folder_without_a_record_is_no_run(tmp_path):
    with pytest.raises(ResultsError) as caught:
        run_toml.read(tmp_path)
    assert caught.value.issues[0].code == "R004"


def test_a_run_folder_holds_all_it_needs(tmp_path, model, spec, kit):
    document = read(model)
    copies = inputs.copies(document, targets(), spec)
    with create_run(tmp_path / "run", kit.info(), record(), copies) as store:
        store.commit_generation(1, 1, *kit.generation(1, 1), 0.0)
    run = tmp_path / "run"
    names = sorted(p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file())
    assert names == [
        "inputs/model/cell.nml",
        "inputs/model/channels/pas.channel.nml",
        "inputs/targets/data/current.csv",
        "inputs/targets/fit/targets.json",
        "inputs/targets/fit/v.csv",
        "run.sqlite",
        "run.toml",
    ]
    found = run_toml.read(run)
    assert found.targets == "inputs/targets/fit/targets.json"
    assert (run / found.targets).read_bytes() == spec.read_bytes()
    place = inputs.locate(run, found)
    assert read(place.model, root=place.root).digest == document.digest
    assert not list(tmp_path.glob(".*"))


def test_changed_or_missing_copies_are_all_named(tmp_path, model, spec, kit):
    create_run(tmp_path / "run", kit.info(), record(), inputs.copies(read(model), targets(), spec)).close()
    run = tmp_path / "run"
    (run / "inputs/model/cell.nml").write_text("changed")
    (run / "inputs/targets/fit/v.csv").unlink()
    with pytest.raises(ResultsError) as caught:
        inputs.locate(run, run_toml.read(run))
    assert [i.code for i in caught.value.issues] == ["R008", "R008"]
    assert {i.where.rpartition("/")[2] for i in caught.value.issues} == {"cell.nml", "v.csv"}


def test_a_run_that_cannot_be_made_leaves_nothing(tmp_path, model, spec, kit, monkeypatch):
    def refuse(folder, record):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_toml, "write", refuse)
    with pytest.raises(ResultsError) as caught:
        create_run(tmp_path / "run", kit.info(), record(), inputs.copies(read(model), targets(), spec))
    assert caught.value.issues[0].code == "R003"
    assert not (tmp_path / "run").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_run_folder_is_not_overwritten(tmp_path, model, spec, kit):
    copies = inputs.copies(read(model), targets(), spec)
    create_run(tmp_path / "run", kit.info(), record(), copies).close()
    with pytest.raises(ResultsError) as caught:
        create_run(tmp_path / "run", kit.info(), record(), copies)
    assert caught.value.issues[0].code == "R001"
    (tmp_path / "empty").mkdir()
    create_run(tmp_path / "empty", kit.info(), record(), copies).close()


def test_other_targets_get_a_folder_of_their_own(tmp_path, model, spec, kit):
    create_run(tmp_path / "run", kit.info(), record(), inputs.copies(read(model), targets(), spec)).close()
    for number in (2, 3):
        folder = inputs.next_targets_folder(tmp_path / "run")
        assert folder == f"inputs/targets-{number}"
        place, files = inputs.targets_copy(targets(), spec, folder)
        digests = inputs.add(tmp_path / "run", files)
        assert place in digests


def test_missing_data_files_are_an_error_of_ours(tmp_path, spec, model):
    (spec.parent / "v.csv").unlink()
    with pytest.raises(ResultsError):
        inputs.copies(read(model), targets(), spec)


# ---------------------------------------------------------------------------------------------------- summary


@pytest.fixture
def run(tmp_path, model, kit):
    with RunStore.create(tmp_path / "run", kit.info()) as store:
        store.commit_generation(1, 1, *kit.generation(1, 1), 2.0)
        store.commit_generation(2, 1, [kit.evaluation((1, 2), (250.0, 250.0), RunStatus.DIVERGED)], {}, 1.0)
        store.set_stop_reason(1, "generations")
    solutions = [kit.solution((4.5, -61.25)), kit.solution((0.1, -61.25))]
    write_solutions(tmp_path / "run", read(model), kit.leak, solutions, kit.provenance())
    return tmp_path / "run"


def test_the_summary_holds_what_scripts_rely_on(run, kit):
    found = json.loads(summary(run).to_json())
    best = min(e.total for e in kit.generation(1, 1)[0])
    assert found["evaluations"] == 5
    assert found["generations"] == 2
    assert found["best_sum"] == best
    assert found["cpu_seconds"] == 1.25
    assert found["failures"] == {"diverged": 1}
    assert found["stop_reason"] == "seed 1: generations; seed 2: not ended"
    assert found["running"] is None
    first, second = found["solutions"]
    assert first["model"] == "solutions/01/cell.nml"
    assert (run / first["model"]).is_file()
    assert first["scores"] == {"freq": 0.25, "height": 0.5, "held_out": 0.5}
    assert second["at_bound"] == ["p0"]
    assert [s["best_sum"] for s in found["seeds"]] == [best, None]


def test_the_summary_of_a_running_fit_says_so(run):
    with RunStore.resume(run) as store:
        assert summarise(store).running.startswith("pid ")
    assert summary(run).running is None


def test_the_summary_fits_its_shipped_schema(run):
    shipped = json.loads(targets_schema().with_name("result.schema.json").read_text())
    assert shipped == schema()
    found = json.loads(summary(run).to_json())
    assert set(shipped["required"]) == set(shipped["properties"]) == set(found)
    one = shipped["$defs"]["SolutionSummary"]
    assert set(one["required"]) == set(one["properties"]) == set(found["solutions"][0])
    assert Summary.model_validate(found) == summary(run)
    found["surprise"] = 1
    with pytest.raises(ValidationError):
        Summary.model_validate(found)


def test_a_damaged_solution_is_left_out(run):
    (run / "solutions" / "01" / "scores.json").write_text("{")
    assert [s.name for s in summary(run).solutions] == ["02"]


def test_evaluations_as_a_table(run, kit, tmp_path):
    with RunStore.open(run) as store:
        path = write_csv(store, tmp_path / "evaluations.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    made = kit.generation(1, 1)[0]
    assert len(rows) == 5
    assert [float(r["x:gna (mS_per_cm2)"]) for r in rows[:4]] == [e.x[0] for e in made]
    assert [float(r["objective:height"]) for r in rows[:4]] == [e.objectives[1] for e in made]
    assert float(rows[0]["sum"]) == made[0].total
    assert rows[0]["feature:freq"].split(";") == ["61.0", repr(0.1 + 0.2)]
    assert rows[4]["status"] == "diverged"
    assert rows[4]["feature:freq"] == ""


# ---------------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("lower", "upper", "scale", "value", "expected"),
    [
        (0.0, 10.0, "linear", 5.0, 0.5),
        (1.0, 100.0, "log10", 10.0, 0.5),
        (-100.0, -1.0, "log10", -10.0, 0.5),
        (0.0, 10.0, "linear", 11.0, 1.0),
        (0.0, 10.0, "linear", -1.0, 0.0),
        (1.0, 100.0, "log10", 0.0, 0.0),
        (3.0, 3.0, "linear", 3.0, 0.5),
    ],
)
def test_place_between_bounds(lower, upper, scale, value, expected):
    assert math.isclose(position(lower, upper, scale, value), expected)


def test_within_one_percent_of_the_range_is_at_the_bound():
    assert at_bound(0.0, 10.0, "linear", 0.09) == "lower"
    assert at_bound(0.0, 10.0, "linear", 0.11) == ""
    assert at_bound(0.0, 10.0, "linear", 9.95) == "upper"
    assert at_bound(1.0, 100.0, "log10", 1.04) == "lower"
    assert at_bound(1.0, 100.0, "log10", 1.10) == ""
