"""The command as a process: Ctrl-C, pipes, terminals, tracebacks."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.neuron
COMMAND = [sys.executable, "-m", "nmlopt"]


@pytest.fixture
def fit(simplecell: Path, tmp_path: Path) -> list[str]:
    """A fit that would go on for long."""
    files = [str(simplecell / name) for name in ("model.nml", "targets.json")]
    limits = ["--offspring", "6", "--generations", "100000", "--workers", "1"]
    return [*COMMAND, "fit", *files, "--out", str(tmp_path / "run"), *limits]


def _json(*arguments: str | Path) -> dict:
    done = subprocess.run([*COMMAND, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_a_signal_ends_a_fit_that_can_be_resumed(fit, tmp_path, number):
    # a terminal sends the signal to every process of the group, so the workers get it, too
    with subprocess.Popen(fit, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0) as process:
        assert process.stderr is not None
        said = ""
        while "gen 2/" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        if number is signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        out, rest = process.communicate(timeout=60)
    assert process.returncode == 4, rest
    assert f"nmlopt resume {tmp_path / 'run'}" in rest
    assert "Traceback" not in said + rest
    assert "solutions/01/model.nml" in out
    stored = _json("status", tmp_path / "run")
    assert stored["generations"] >= 2 and stored["running"] is None
    more = str(stored["generations"] + 1)
    assert _json("resume", tmp_path / "run", "--generations", more)["generations"] == stored["generations"] + 1


@pytest.mark.parametrize("arguments", [("modell.nml", "targets.json"), ("model.nml", "model.nml")])
def test_a_mistake_is_no_traceback(arguments, simplecell, tmp_path):
    command = [*COMMAND, "fit", *arguments, "--out", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=simplecell, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error" in done.stderr and "Traceback" not in done.stderr


def test_a_disk_that_fills_up_during_a_fit_is_told(fit, tmp_path):
    limit = "import resource, signal, sys, runpy; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);" \
        "resource.setrlimit(resource.RLIMIT_FSIZE, (122_000, 122_000)); sys.argv[0] = 'nmlopt';" \
        "runpy.run_module('nmlopt', run_name='__main__', alter_sys=True)"  # fmt: skip
    command = [sys.executable, "-c", limit, *fit[3:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "R003" in done.stderr and "nmlopt resume" in done.stderr and "Traceback" not in done.stderr
    stored = _json("status", tmp_path / "run")
    assert stored["generations"] >= 1
    more = str(stored["generations"] + 1)
    assert _json("resume", tmp_path / "run", "--generations", more)["generations"] == stored["generations"] + 1


@pytest.mark.parametrize("verb", ["paths", "init"])
def test_a_reader_that_leaves_is_no_error(verb, simplecell):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        command = [*COMMAND, verb, str(simplecell / "model.nml")]
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def _on_terminal(command: list[str], columns: int) -> str:
    """What the command writes on a terminal of that width, without colours."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    size = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=size) as process:
        os.close(theirs)
        said, deadline = b"", time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux: the other side is closed
                break
            if not part:
                break
            said += part
    os.close(ours)
    assert process.returncode == 0, said
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode())


def test_a_terminal_gets_one_live_line(fit):
    fit[fit.index("100000")] = "3"
    said = _on_terminal(fit, 100)
    assert "gen 3/3" in said
    assert said.replace("\r", "").count("\ngen ") <= 1  # drawn over, not listed


def test_tables_fit_into_80_columns(simplecell):
    said = _on_terminal([*COMMAND, "paths", str(simplecell / "model.nml")], 80).replace("\r", "")
    lines = said.split("\n")
    assert max(map(len, lines)) <= 80
    assert any(line.strip() == "biophysicalProperties:biophysics/" for line in lines)  # folded at slashes only
