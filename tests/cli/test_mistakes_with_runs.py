"""Mistakes around run folders: each is told with a code, the folder and a remedy, and never harms the run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mistakes import Json, added, issue_of, put

pytestmark = pytest.mark.neuron
MODEL = "solutions/01/model.nml"


@dataclass(frozen=True)
class RunMistake:
    """What is done to the finished run at run/, the command given then, and what must be said."""

    name: str
    code: str
    place: str
    says: str
    spoil: Callable[[Path], object]
    arguments: tuple[str, ...]


def _nothing(_: Path) -> None:
    """The command alone is the mistake."""


def _cut(name: str) -> Callable[[Path], object]:
    return lambda run: (run / name).unlink()


def _write(name: str, text: str) -> Callable[[Path], object]:
    return lambda run: (run / name).write_text(text, encoding="utf-8")


def _exchange(name: str, old: str, new: str) -> Callable[[Path], object]:
    def spoil(run: Path) -> None:
        text = (run / name).read_text(encoding="utf-8")
        assert old in text
        (run / name).write_text(text.replace(old, new), encoding="utf-8")

    return spoil


def _scribble(run: Path) -> None:
    data = bytearray((run / "run.sqlite").read_bytes())
    data[200:] = b"\xff" * (len(data) - 200)
    (run / "run.sqlite").write_bytes(data)


def _other_targets(*changes: Callable[[Json], object]) -> Callable[[Path], object]:
    def spoil(run: Path) -> None:
        data = json.loads((run / "inputs" / "targets" / "targets.json").read_text(encoding="utf-8"))
        for change in changes:
            change(data)
        (run.parent / "other.json").write_text(json.dumps(data), encoding="utf-8")

    return spoil


OTHER = ("resume", "run", "--targets", "other.json")
MISTAKES = (
    RunMistake("status of nothing", "R004", "runn", "nmlopt fit --out", _nothing, ("status", "runn")),
    RunMistake("resume of nothing", "R004", "runn", "nmlopt fit --out", _nothing, ("resume", "runn")),
    RunMistake("report of nothing", "R004", "runn", "nmlopt fit --out", _nothing, ("report", "runn")),
    RunMistake("status of another folder", "R004", ".", "nmlopt fit --out", _nothing, ("status", ".")),
    RunMistake("status of a file", "R004", "run/run.toml", "nmlopt fit --out", _nothing, ("status", "run/run.toml")),
    RunMistake("resume without run.toml", "R004", "run", "nmlopt fit --out", _cut("run.toml"), ("resume", "run")),
    RunMistake("resume without run.sqlite", "R004", "run", "nmlopt fit", _cut("run.sqlite"), ("resume", "run")),
    RunMistake("damaged run.sqlite", "R006", "run", "fit again", _scribble, ("status", "run")),
    RunMistake("damaged run.sqlite, resumed", "R006", "run", "fit again", _scribble, ("resume", "run")),
    RunMistake(
        "run.sqlite that is none", "R006", "run", "fit again", _write("run.sqlite", "words" * 999), ("status", "run")
    ),
    RunMistake("run.toml that is none", "R009", "run/run.toml", "copy", _write("run.toml", "a ="), ("resume", "run")),
    RunMistake(
        "run.toml with other words",
        "R009",
        "run/run.toml",
        "copy",
        _exchange("run.toml", 'numerics = "cnexp"', 'numerics = "exact"'),
        ("resume", "run"),
    ),
    RunMistake(
        "run.toml of a newer version",
        "R005",
        "run/run.toml",
        "--upgrade",
        _exchange("run.toml", 'format_version = "1.0"', 'format_version = "9.0"'),
        ("resume", "run"),
    ),
    RunMistake(
        "inputs that were changed",
        "R008",
        "run/inputs/model/model.nml",
        "restore",
        _exchange("inputs/model/model.nml", "0.12 S_per_cm2", "0.13 S_per_cm2"),
        ("resume", "run"),
    ),
    RunMistake(
        "inputs that are gone",
        "R008",
        "run/inputs/model/model.nml",
        "restore",
        _cut("inputs/model/model.nml"),
        ("report", "run"),
    ),
    RunMistake(
        "targets of another experiment",
        "R030",
        "other.json",
        "new fit",
        _other_targets(put("250 ms", "protocols", 0, "duration")),
        OTHER,
    ),
    RunMistake(
        "targets with another feature",
        "R030",
        "other.json",
        "new fit",
        _other_targets(put("mean_frequency", "targets", 0, "feature")),
        OTHER,
    ),
    RunMistake(
        "targets with another parameter",
        "R030",
        "other.json",
        "new fit",
        _other_targets(
            added(
                {
                    "id": "leak",
                    "paths": ["cell:simplecell/channelDensity:leak_all/condDensity"],
                    "lower": "0.0001 S_per_cm2",
                    "upper": "0.001 S_per_cm2",
                },
                "parameters",
            )
        ),
        OTHER,
    ),
    RunMistake(
        "other targets with a fault",
        "T009",
        "$.targets[0].sd",
        "greater",
        _other_targets(put(0, "targets", 0, "sd")),
        OTHER,
    ),
    RunMistake("other targets that are missing", "T002", "other.json", "", _nothing, OTHER),
    RunMistake("negative limit", "C113", "seconds", "negative", _nothing, ("resume", "run", "--max-seconds", "-1")),
    RunMistake("no workers", "C011", "", "--workers 2", _nothing, ("resume", "run", "--workers", "-2")),
    *(
        RunMistake(f"{what}, {verb}", "R031", place, "move them elsewhere", spoil, (verb, "run"))
        for verb in ("resume", "report")
        for what, place, spoil in (
            ("notes beside the solutions", "run/solutions/notes.txt", _write("solutions/notes.txt", "mine")),
            ("notes in a solution", "run/solutions/01/notes.txt", _write("solutions/01/notes.txt", "mine")),
            (
                "a changed solution",
                "run/solutions/01/model.nml",
                _exchange("solutions/01/model.nml", "<notes>", "<notes> "),
            ),
        )
    ),
    RunMistake(
        "fit into it",
        "R001",
        "run",
        "nmlopt resume",
        _nothing,
        ("fit", "run/inputs/model/model.nml", "run/inputs/targets/targets.json", "--out", "run"),
    ),
)


def _contents(run: Path) -> dict[Path, bytes]:
    """All files of a run, but those that SQLite puts beside an open database."""
    beside = ("-shm", "-wal")
    return {p: p.read_bytes() for p in run.rglob("*") if p.is_file() and not p.name.endswith(beside)}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: m.name)
def test_it_is_told_and_harms_nothing(mistake, run, call, monkeypatch):
    mistake.spoil(run)
    monkeypatch.chdir(run.parent)
    before = _contents(run)
    outcome = call(*mistake.arguments)
    found = issue_of(outcome.err, mistake.code)
    assert found, outcome.err
    assert (outcome.code, outcome.out) == (2, "")
    assert found.startswith(mistake.place)
    assert mistake.says in found
    assert _contents(run) == before


@pytest.fixture
def writer(run: Path) -> Iterator[str]:
    """Another process that writes into the run; its id."""
    code = f"""
import pathlib, sys
from nmlopt.results.lock import WriteLock
lock = WriteLock(pathlib.Path({str(run)!r}))
print('held', flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "held\n"
        yield str(other.pid)
        other.stdin.close()


@pytest.mark.parametrize("verb", ["resume", "report"])
def test_who_writes_into_the_run_is_told(verb, run, writer, call):
    outcome = call(verb, run)
    found = issue_of(outcome.err, "R007")
    assert outcome.code == 2
    assert found.startswith(str(run))
    assert f"pid {writer}" in found and "nmlopt status" in found


def test_status_tells_who_writes(run, writer, call):
    assert f"pid {writer}" in call("status", run, "--json").json["running"]
