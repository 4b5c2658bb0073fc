from __future__ import annotations

import errno
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nmlopt.errors import ResultsError
from nmlopt.results import lock
from nmlopt.results.store import RunStore


def issue_of(caught):
    (issue,) = caught.value.issues
    assert issue.where and issue.hint
    return issue


@pytest.fixture
def run(tmp_path, kit):
    with RunStore.create(tmp_path / "run", kit.info()) as store:
        store.commit_generation(1, 1, *kit.generation(1, 1), 0.0)
    return tmp_path / "run"


@pytest.mark.parametrize("content", ["notes.txt", "run.sqlite"])
def test_a_folder_with_something_in_it_is_not_taken(tmp_path, kit, content):
    (tmp_path / content).write_text("precious")
    with pytest.raises(ResultsError) as caught:
        RunStore.create(tmp_path, kit.info())
    assert issue_of(caught).code == "R001"
    assert [p.name for p in tmp_path.iterdir()] == [content]
    assert (tmp_path / content).read_text() == "precious"


def test_a_file_is_not_a_folder(tmp_path, kit):
    (tmp_path / "x").write_text("")
    with pytest.raises(ResultsError) as caught:
        RunStore.create(tmp_path / "x", kit.info())
    assert issue_of(caught).code == "R001"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.EACCES, "R002"), (errno.EROFS, "R002"), (errno.ENOSPC, "R003"), (errno.EDQUOT, "R003")],
)
def test_what_the_file_system_refuses_is_said(tmp_path, kit, monkeypatch, number, expected):
    def refuse(self, *args, **kwargs):
        raise OSError(number, "no", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ResultsError) as caught:
        RunStore.create(tmp_path / "run", kit.info())
    assert issue_of(caught).code == expected


def test_a_full_disk_loses_only_the_generation_in_flight(run, kit):
    with RunStore.resume(run) as store:
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(ResultsError) as caught:
            store.commit_generation(1, 2, *kit.generation(1, 2, size=500), 0.0)
        assert issue_of(caught).code == "R003"
    with RunStore.resume(run) as store:
        assert store.last_state(1) == (1, kit.generation(1, 1)[1])
        store.commit_generation(1, 2, *kit.generation(1, 2), 0.0)


@pytest.mark.parametrize("opened", [RunStore.open, RunStore.resume])
def test_folders_that_are_no_runs(tmp_path, opened):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ResultsError) as caught:
            opened(folder)
        assert issue_of(caught).code == "R004"
    assert not list(tmp_path.iterdir())
    other = sqlite3.connect(tmp_path / "run.sqlite")
    other.execute("CREATE TABLE t (a)")
    other.close()
    with pytest.raises(ResultsError) as caught:
        opened(tmp_path)
    assert issue_of(caught).code == "R004"


@pytest.mark.parametrize("opened", [RunStore.open, RunStore.resume])
def test_a_newer_store_is_not_touched(run, opened):
    newer = sqlite3.connect(run / "run.sqlite")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(ResultsError) as caught:
        opened(run)
    assert issue_of(caught).code == "R005"
    assert lock.holder(run) is None


def test_damage_is_found_before_anything_is_added(run):
    path = run / "run.sqlite"
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x55" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(ResultsError) as caught:
        RunStore.resume(run)
    assert issue_of(caught).code == "R006"
    with pytest.raises(ResultsError) as caught, RunStore.open(run) as store:
        store.progress()
    assert issue_of(caught).code == "R006"


def test_text_instead_of_a_store(run):
    (run / "run.sqlite").write_text("this is not a database, it is a text that is long enough to look at" * 20)
    with pytest.raises(ResultsError) as caught:
        RunStore.open(run)
    assert issue_of(caught).code == "R006"


def test_a_second_writer_in_this_process_is_refused(run, kit):
    with RunStore.resume(run) as store:
        with pytest.raises(ResultsError) as caught:
            RunStore.resume(run)
        assert issue_of(caught).code == "R007"
        store.commit_generation(1, 2, *kit.generation(1, 2), 0.0)
    RunStore.resume(run).close()


HOLD = """
import sys, time
from pathlib import Path
from nmlopt.results.store import RunStore
store = RunStore.resume(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_is_killed(run):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(run)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ResultsError) as caught:
            RunStore.resume(run)
        issue = issue_of(caught)
        assert issue.code == "R007"
        assert f"pid {holder.pid} " in issue.message
        assert lock.holder(run).startswith(f"pid {holder.pid} ")
        with RunStore.open(run) as reader:
            assert reader.progress()[0].generations == 1
    finally:
        holder.kill()
        holder.communicate()
    assert lock.holder(run) is None
    RunStore.resume(run).close()
    assert sorted(p.name for p in run.iterdir()) == ["run.sqlite"]


FIT = """
import runpy, sys
from pathlib import Path
from nmlopt.results.store import RunStore
kit = runpy.run_path(sys.argv[2])
store = RunStore.resume(Path(sys.argv[1]))
last = store.last_state(1)[0]
print("started", flush=True)
for generation in range(last + 1, 100000):
    store.commit_generation(1, generation, *kit["make_generation"](1, generation, size=20), 0.0)
    print(generation, flush=True)
"""


def test_killing_loses_at_most_the_generation_in_flight(run, kit):
    helper = Path(__file__).with_name("conftest.py")
    for i in range(8):
        fit = subprocess.Popen([sys.executable, "-c", FIT, str(run), str(helper)], stdout=subprocess.PIPE, text=True)
        assert fit.stdout.readline() == "started\n"
        time.sleep(0.02 + 0.011 * i)
        fit.kill()
        told = fit.communicate()[0].split("\n")
        complete = [int(line) for line in told[:-1] if line]
        with RunStore.open(run) as reader:
            number, state = reader.last_state(1)
            assert not complete or number in (complete[-1], complete[-1] + 1)
            if number > 1:
                assert state == kit.generation(1, number, size=20)[1]
            sizes = [s.generation for s in reader.evaluations(1)]
            assert [sizes.count(g) for g in range(1, number + 1)] == [4] + [20] * (number - 1)
    assert number > 8
