"""The command called in this process, and the simple cell to call it with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mistakes import Mistake, issue_of, lay_out

from nmlopt.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a call of the command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it has to be."""
        return json.loads(self.out)


Call = Callable[..., Outcome]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command with these arguments in this process; argparse's own exits are exit codes, too."""

    def run(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return Outcome(code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def simplecell(root: Path) -> Path:
    """The folder of a small sound problem: model.nml and targets.json."""
    return root / "benchmarks" / "simplecell"


@pytest.fixture
def make_mistake(
    call: Call, simplecell: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Mistake], None]:
    """Lay a mistake out in an empty folder, run the command there, and compare what it says."""

    def make(mistake: Mistake) -> None:
        lay_out(mistake, simplecell, tmp_path)
        monkeypatch.chdir(tmp_path)
        said(call(*mistake.arguments), mistake)
        if mistake.arguments[0] in JSON_VERBS:
            as_document(call(*mistake.arguments, "--json"), mistake)

    return make


JSON_VERBS = ("check", "paths", "score", "status", "fit", "resume", "simulate", "doctor")


def said(outcome: Outcome, mistake: Mistake) -> None:
    """The finding on standard error: exit code, code, place at its beginning, words; nothing on standard output."""
    found = issue_of(outcome.err, mistake.code)
    assert found, f"no {mistake.code} in: {outcome.err}"
    assert outcome.code == mistake.exit_code
    assert found.startswith(mistake.place), found
    for word in mistake.says:
        assert word in found, found
    assert outcome.out == ""


def as_document(outcome: Outcome, mistake: Mistake) -> None:
    """The same as one JSON document on standard output."""
    issues: Sequence[dict[str, str]] = outcome.json["issues"]
    assert outcome.code == mistake.exit_code
    assert any(i["code"] == mistake.code and i["where"].startswith(mistake.place) for i in issues)


@pytest.fixture(scope="session")
def finished(simplecell: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of one small fit that has ended; copy it before changing it."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    files = [str(simplecell / name) for name in ("model.nml", "targets.json")]
    limits = ["--offspring", "6", "--generations", "2", "--workers", "1", "--seed", "3", "--solutions", "2"]
    assert main(["fit", *files, "--out", str(folder), *limits]) == 0
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that may be spoilt."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"
