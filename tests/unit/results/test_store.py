from __future__ import annotations

import json
import sqlite3
import struct
from dataclasses import replace

import pytest

from nmlopt.backend import RunStatus
from nmlopt.errors import ResultsError
from nmlopt.results import database
from nmlopt.results.store import RunStore


def code(caught) -> str:
    issue = caught.value.issues[0]
    assert issue.where and issue.hint
    return issue.code


@pytest.fixture
def filled(tmp_path, kit):
    """A closed run of two seeds, three generations each."""
    with RunStore.create(tmp_path / "run", kit.info()) as store:
        for generation in (1, 2, 3):
            for seed in (1, 2):
                store.commit_generation(seed, generation, *kit.generation(seed, generation), 1.5, cpu_s=0.5)
    return tmp_path / "run"


def test_what_is_stored_comes_back_bit_for_bit(filled, kit):
    with RunStore.open(filled) as store:
        assert store.info == kit.info()
        for seed in (1, 2):
            stored = list(store.evaluations(seed))
            made = [e for generation in (1, 2, 3) for e in kit.generation(seed, generation)[0]]
            assert [s.evaluation for s in stored] == made
            assert [(s.seed, s.generation, s.position) for s in stored[:5]] == [
                (seed, 1, 0),
                (seed, 1, 1),
                (seed, 1, 2),
                (seed, 1, 3),
                (seed, 2, 0),
            ]
            assert store.last_state(seed) == (3, kit.generation(seed, 3)[1])
        assert len(list(store.evaluations())) == 24


def test_numbers_in_the_file_are_doubles_in_little_endian(filled, kit):
    row = sqlite3.connect(filled / "run.sqlite").execute("SELECT x, scores FROM evaluations WHERE id = 1").fetchone()
    first = kit.generation(1, 1)[0][0]
    assert row[0] == struct.pack("<2d", *first.x)
    assert json.loads(row[1]) == first.scores


def test_non_finite_numbers_survive(tmp_path, kit):
    odd = replace(
        kit.evaluation((1.0, 2.0), (1.0, 2.0)), features={"freq": (float("inf"),)}, scores={"freq": float("-inf")}
    )
    with RunStore.create(tmp_path / "run", kit.info()) as store:
        store.commit_generation(1, 1, [odd], {}, 0.0)
        assert next(store.evaluations()).evaluation == odd


def test_counts_and_sums(filled, kit):
    made = {s: [e for g in (1, 2, 3) for e in kit.generation(s, g)[0]] for s in (1, 2)}
    with RunStore.open(filled) as store:
        one, two = store.progress()
        assert (one.seed, one.generations, one.evaluations, one.wall_s) == (1, 3, 12, 4.5)
        assert one.cpu_s == 12 * 0.25 + 3 * 0.5
        assert one.best_sum == min(e.total for e in made[1])
        assert store.best_sum() == min(one.best_sum, two.best_sum)
        assert store.best_sum(2) == two.best_sum
        assert store.cpu_seconds() == one.cpu_s + two.cpu_s
        table = store.table()
        assert table.objectives.shape == (24, 2)
        assert table.x[12:].tolist() == [list(e.x) for e in made[2]]
        assert table.generations.tolist() == [1] * 4 + [2] * 4 + [3] * 4 + [1] * 4 + [2] * 4 + [3] * 4


def test_failed_candidates_are_counted_and_never_best(tmp_path, kit):
    with RunStore.create(tmp_path / "run", kit.info(seeds=(1,))) as store:
        bad = [kit.evaluation((0, i), (0.0, 0.0), RunStatus.CRASHED, "signal 11") for i in range(2)]
        bad.append(kit.evaluation((0, 9), (0.0, 0.0), RunStatus.TIMED_OUT))
        store.commit_generation(1, 1, bad, {}, 0.0)
        assert store.best_sum() is None
        assert store.failures() == {RunStatus.TIMED_OUT: 1, RunStatus.CRASHED: 2}
        assert store.failure_details(RunStatus.CRASHED) == (("signal 11", 2),)
        store.commit_generation(1, 2, [kit.evaluation((0, 0), (3.0, 4.0))], {}, 0.0)
        assert store.best_sum() == 7.0


def test_an_empty_run_can_be_read(tmp_path, kit):
    with RunStore.create(tmp_path / "run", kit.info()) as store:
        assert store.best_sum() is None
        assert store.last_state(1) is None
        assert store.table().x.shape == (0, 2)
        assert [p.evaluations for p in store.progress()] == [0, 0]


def test_a_candidate_is_found_by_its_exact_bits(filled, kit):
    wanted = kit.generation(2, 2)[0][3]
    with RunStore.open(filled) as store:
        assert store.find(wanted.x) == wanted
        x, y = wanted.x
        assert store.find((x, y + 1e-13)) is None


def test_another_context_keeps_the_old_rows_but_does_not_mix_them(filled, kit):
    def doubled(e):
        return replace(e, objectives=tuple(2 * o for o in e.objectives))

    info = kit.info()
    new = replace(info, context=replace(info.context, problem="other weights"))
    with RunStore.resume(filled) as store:
        before = store.best_sum()
        rows = [s.evaluation for s in store.evaluations()]
        store.carry_over(new, doubled, {1: {"s": 1}, 2: {"s": 2}})
        assert store.info == new
        assert store.best_sum() == 2 * before
        assert [s.evaluation for s in store.evaluations()] == [doubled(e) for e in rows]
        assert store.last_state(2) == (3, {"s": 2})
        assert store.progress()[0].cpu_s == 12 * 0.25 + 3 * 0.5
        store.commit_generation(2, 4, *kit.generation(2, 4), 0.0)
    total = sqlite3.connect(filled / "run.sqlite").execute("SELECT COUNT(*) FROM evaluations").fetchone()[0]
    assert total == 24 + 24 + 4


def test_a_failing_conversion_leaves_the_run_as_it_was(filled, kit):
    def fails(e):
        raise RuntimeError

    with RunStore.resume(filled) as store:
        with pytest.raises(RuntimeError):
            store.carry_over(kit.info(), fails, {})
        assert store.last_state(1) == (3, kit.generation(1, 3)[1])
        assert len(list(store.evaluations())) == 24


def test_generations_come_in_order(filled, kit):
    with RunStore.resume(filled) as store:
        for wrong in (3, 5):
            with pytest.raises(ValueError, match="follows 3"):
                store.commit_generation(1, wrong, *kit.generation(1, 4), 0.0)
        store.commit_generation(1, 4, *kit.generation(1, 4), 0.0)
        assert store.progress()[0].generations == 4


def test_the_reason_of_an_end_is_that_of_its_seed(filled):
    with RunStore.resume(filled) as store:
        store.set_stop_reason(1, "target score reached")
        assert [(p.seed, p.stop_reason) for p in store.progress()] == [(1, "target score reached"), (2, "")]


def test_a_generation_that_fails_half_way_is_not_there(filled, kit):
    evaluations, state = kit.generation(1, 4)
    broken = [*evaluations[:2], replace(evaluations[2], cpu_s="text that sqlite takes", detail=None)]
    with RunStore.resume(filled) as store:
        with pytest.raises(ResultsError):
            store.commit_generation(1, 4, broken, state, 0.0)
        assert store.last_state(1) == (3, kit.generation(1, 3)[1])
        assert store.progress()[0].evaluations == 12


def test_the_log_is_written_ahead_unless_it_cannot(tmp_path, kit, monkeypatch):
    RunStore.create(tmp_path / "a", kit.info()).close()
    monkeypatch.setattr(database, "_on_network", lambda folder: True)
    with RunStore.create(tmp_path / "b", kit.info()) as store:
        store.commit_generation(1, 1, *kit.generation(1, 1), 0.0)
        with RunStore.open(tmp_path / "b") as reader:
            assert reader.progress()[0].generations == 1
    modes = [
        sqlite3.connect(tmp_path / run / "run.sqlite").execute("PRAGMA journal_mode").fetchone()[0] for run in "ab"
    ]
    assert modes == ["wal", "delete"]


def test_network_file_systems_are_recognised(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda / ext4 rw 0 0\nserver:/home {tmp_path} nfs4 rw 0 0\n/dev/b {tmp_path}/local xfs rw 0 0\n"
    )
    monkeypatch.setattr(database, "_MOUNTS", mounts)
    assert database._on_network(tmp_path / "home")
    assert not database._on_network(tmp_path / "local" / "run")
    assert not database._on_network(tmp_path.parent)


def test_a_reader_sees_whole_generations_while_one_is_written(tmp_path, kit):
    with RunStore.create(tmp_path / "run", kit.info()) as writer:
        writer.commit_generation(1, 1, *kit.generation(1, 1), 0.0)
        with RunStore.open(tmp_path / "run") as reader:
            with reader.snapshot():
                assert reader.progress()[0].generations == 1
                writer.commit_generation(1, 2, *kit.generation(1, 2), 0.0)
                assert reader.progress()[0].generations == 1
            assert reader.progress()[0].generations == 2


def test_a_reader_cannot_write(filled, kit):
    with RunStore.open(filled) as reader, pytest.raises(ResultsError) as caught:
        reader.set_stop_reason(1, "no")
    assert code(caught) == "R002"
