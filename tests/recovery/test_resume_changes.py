"""Going on with a run: more generations, other weights and bounds; what was evaluated is kept and scored anew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nmlopt.api.fitting import Plan, fit_files
from nmlopt.api.problem import Options
from nmlopt.api.resuming import Changes, resume_run
from nmlopt.api.searching import Machine, Search
from nmlopt.errors import ResultsError
from nmlopt.optimise.model import AlgorithmSettings
from nmlopt.optimise.stopping import StopRule
from nmlopt.results.store import RunStore

pytestmark = pytest.mark.neuron

SEARCH = Search(AlgorithmSettings(offspring=8), seeds=(3,))
MACHINE = Machine(workers=1)


@pytest.fixture(scope="module")
def case(root) -> Path:
    return root / "benchmarks" / "simplecell"


def _fit(case: Path, out: Path, generations: int):
    plan = Plan(search=SEARCH, rule=StopRule(generations=generations), machine=MACHINE)
    return fit_files(
        case / "model.nml", case / "targets.json", out, plan=plan, options=Options(), on_progress=lambda _: None
    )


def _resume(out: Path, **changes):
    return resume_run(out, Changes(**changes), solutions=5, on_progress=lambda _: None)


def _table(out: Path):
    with RunStore.open(out) as store:
        return store.table()


def _changed(case: Path, path: Path, change) -> Path:
    targets = json.loads((case / "targets.json").read_text())
    change(targets)
    path.write_text(json.dumps(targets))
    return path


def test_more_generations_end_like_a_longer_run(case, tmp_path):
    _fit(case, tmp_path / "long", 5)
    _fit(case, tmp_path / "short", 2)
    _resume(tmp_path / "short", rule=StopRule(generations=5))
    long, short = _table(tmp_path / "long"), _table(tmp_path / "short")
    np.testing.assert_array_equal(long.x, short.x)
    np.testing.assert_array_equal(long.objectives, short.objectives)


def test_other_weights_score_the_stored_features_anew(case, tmp_path):
    def halve_the_sd(targets):
        targets["targets"][1]["sd"] = 0.125

    _fit(case, tmp_path / "run", 2)
    before = _table(tmp_path / "run")
    _resume(
        tmp_path / "run",
        targets=_changed(case, tmp_path / "other.json", halve_the_sd),
        rule=StopRule(generations=3),
    )
    after = _table(tmp_path / "run")
    assert len(after.x) == len(before.x) + 8
    np.testing.assert_array_equal(after.x[: len(before.x)], before.x)
    np.testing.assert_allclose(after.objectives[: len(before.x), 1], 2 * before.objectives[:, 1])
    np.testing.assert_array_equal(after.objectives[: len(before.x), 0], before.objectives[:, 0])


def test_other_bounds_hold_for_what_is_evaluated_from_then_on(case, tmp_path):
    def narrow(targets):
        targets["parameters"][0]["lower"] = "0.09 S_per_cm2"

    _fit(case, tmp_path / "run", 2)
    before = _table(tmp_path / "run")
    _resume(tmp_path / "run", targets=_changed(case, tmp_path / "other.json", narrow), rule=StopRule(generations=4))
    after = _table(tmp_path / "run")
    assert before.x[:, 0].min() < 0.09
    assert after.x[len(before.x) :, 0].min() >= 0.09


def test_targets_of_another_experiment_are_refused(case, tmp_path):
    def lengthen(targets):
        targets["protocols"][0]["duration"] = "300 ms"

    _fit(case, tmp_path / "run", 2)
    with pytest.raises(ResultsError) as caught:
        _resume(tmp_path / "run", targets=_changed(case, tmp_path / "other.json", lengthen))
    assert caught.value.issues[0].code == "R030"
    assert "protocols" in caught.value.issues[0].message
