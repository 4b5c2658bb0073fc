"""Objectives by hand: groups, weights, single targets, clipping, validation targets."""

from __future__ import annotations

import pytest
from fake_backend import TARGETS

from nmlopt.objectives.combine import make_scoring, objectives, target_scores
from nmlopt.spec.models import Targets


def _targets(weights: dict[str, float], groups: list[dict], validation: tuple[str, ...] = (), cap=250.0) -> Targets:
    recording = [{"id": "soma"}]
    step = TARGETS["protocols"][0]
    data = {
        **TARGETS,
        "cap": cap,
        "protocols": [step, {"id": "held_out", "role": "validate", "duration": "1 ms", "recordings": recording}],
        "targets": [
            {
                "type": "feature",
                "id": name,
                "protocol": "held_out" if name in validation else "step",
                "recording": "soma",
                "feature": "Spikecount",
                "mean": 0.0,
                "sd": 1.0,
                "weight": weight,
            }
            for name, weight in weights.items()
        ],
        "objectives": groups,
    }
    return Targets.model_validate(data)


def _judge(targets: Targets, **values: float) -> dict[str, float]:
    scoring = make_scoring(targets)
    scores = target_scores(scoring, {name: (value,) for name, value in values.items()})
    return dict(zip((group.id for group in scoring.groups), objectives(scoring, scores), strict=True))


WEIGHTS = {"a": 2.0, "b": 0.5, "c": 1.0}


@pytest.mark.parametrize(("combine", "expected"), [("max", 6.0), ("mean", 4.0), ("weighted_sum", 2 * 2 + 0.5 * 6)])
def test_groups(combine, expected):
    targets = _targets(WEIGHTS, [{"id": "g", "targets": ["a", "b"], "combine": combine}])
    assert _judge(targets, a=2.0, b=-6.0, c=1.0) == {"g": expected, "c": 1.0}


def test_groups_come_first_then_single_targets_in_the_order_of_the_file_with_their_weights():
    targets = _targets(WEIGHTS, [{"id": "g", "targets": ["b"]}])
    assert list(_judge(targets, a=1.0, b=1.0, c=1.0).items()) == [("g", 1.0), ("a", 2.0), ("c", 1.0)]


def test_an_objective_is_clipped_to_the_cap_and_the_raw_score_is_kept():
    targets = _targets(WEIGHTS, [{"id": "g", "targets": ["a", "b"]}], cap=10.0)
    assert _judge(targets, a=5.0, b=100.0, c=11.0) == {"g": 10.0, "c": 10.0}
    scoring = make_scoring(targets)
    assert target_scores(scoring, {"c": (11.0,)})["c"] == 11.0


def test_a_missing_value_scores_the_cap_within_its_group():
    targets = _targets(WEIGHTS, [{"id": "g", "targets": ["a", "b"]}], cap=10.0)
    assert _judge(targets, a=4.0, c=0.0) == {"g": 7.0, "c": 0.0}


def test_huge_scores_are_clipped_not_an_error():
    targets = _targets(WEIGHTS, [{"id": "g", "targets": ["a", "b"]}])
    assert _judge(targets, a=1.7e308, b=1.7e308, c=0.0) == {"g": 250.0, "c": 0.0}


def test_validation_targets_are_scored_but_not_minimised():
    targets = _targets(WEIGHTS, [], validation=("b",))
    assert _judge(targets, a=1.0, b=3.0, c=1.0) == {"a": 2.0, "c": 1.0}
    assert target_scores(make_scoring(targets), {"b": (3.0,)})["b"] == 3.0
