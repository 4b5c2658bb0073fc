"""Runs made up for the tests: no simulator, no document."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from nmlopt.backend import RunStatus
from nmlopt.evaluate.model import Evaluation
from nmlopt.results.model import Context, ParameterInfo, RunInfo

TARGETS = ("freq", "height", "held_out")
OBJECTIVES = ("freq", "height")


def make_info(seeds=(1, 2)) -> RunInfo:
    return RunInfo(
        parameters=(
            ParameterInfo("gna", "mS_per_cm2", 10.0, 300.0, "log10", 120.0),
            ParameterInfo("ek", "mV", -90.0, -60.0, "linear", -77.0),
        ),
        targets=TARGETS,
        objectives=OBJECTIVES,
        seeds=seeds,
        context=Context("fake", {"dt_ms": 0.025}, {"nmlopt": "0.1.0"}, "abc"),
    )


def make_evaluation(x, objectives, status=RunStatus.OK, detail="") -> Evaluation:
    scores = dict(zip(TARGETS, (*objectives, 0.5), strict=True))
    features = {"freq": (61.0, 0.1 + 0.2)} if status is RunStatus.OK else {}
    return Evaluation(tuple(x), status, features, scores, tuple(objectives), 0.25, detail)


def make_generation(seed: int, generation: int, size: int = 4) -> tuple[list[Evaluation], dict]:
    """Evaluations and a state that follow from seed and generation alone."""
    random = np.random.default_rng([seed, generation])
    evaluations = [
        make_evaluation(random.normal(size=2), np.abs(random.normal(size=2)) * 10 / generation) for _ in range(size)
    ]
    return evaluations, {"generation": generation, "draw": random.random(), "list": [1, "a", None]}


@pytest.fixture
def info() -> RunInfo:
    return make_info()


@pytest.fixture
def kit() -> SimpleNamespace:
    """The makers above, for tests (test modules cannot import each other)."""
    return SimpleNamespace(info=make_info, evaluation=make_evaluation, generation=make_generation)
