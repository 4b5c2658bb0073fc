"""Candidates to evaluations in one process: values by hand, failures as values."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from fake_backend import TARGETS, FakeBackend, Fault, candidates, fake_problem

from nmlopt.backend import RunStatus
from nmlopt.errors import BackendError
from nmlopt.evaluate import evaluate as module
from nmlopt.evaluate.evaluate import evaluate_batch, failed, rescored
from nmlopt.lems.parse import parse
from nmlopt.spec.models import Targets


def _same(one, other) -> bool:
    """Equal but for the CPU time, which no two runs share."""
    return [replace(e, cpu_s=0.0) for e in one] == [replace(e, cpu_s=0.0) for e in other]


def test_values_and_scores_are_those_of_the_formula():
    evaluation = evaluate_batch(fake_problem(FakeBackend(samples=20001)), np.array([[91.0, 0.0]]))[0]
    assert evaluation.status is RunStatus.OK
    assert evaluation.x == (91.0, 0.0)
    # the bump ends at -65 + 91 = 26 mV, three sd above the target
    assert evaluation.features["peak"] == pytest.approx((26.0,), abs=1e-4)
    assert evaluation.scores["peak"] == pytest.approx(3.0, abs=1e-4)
    # -65 + 91 exp(-((t-50)/5)^2) = -20 at t = 50 - 5 sqrt(ln(91/45))
    crossing = 50.0 - 5.0 * np.sqrt(np.log(91.0 / 45.0))
    assert evaluation.features["spike"] == pytest.approx((crossing,), abs=1e-4)
    assert evaluation.scores["spike"] == pytest.approx(abs(crossing - 45.0), abs=1e-4)
    assert evaluation.objectives == (evaluation.scores["peak"], evaluation.scores["spike"])
    assert evaluation.total == sum(evaluation.objectives)
    assert evaluation.cpu_s >= 0.0


def test_order_and_independence_of_the_batch():
    problem = fake_problem()
    x = np.column_stack([np.linspace(10.0, 120.0, 7), np.zeros(7)])
    together = evaluate_batch(problem, x)
    assert [e.x[0] for e in together] == x[:, 0].tolist()
    assert _same(together, [evaluate_batch(problem, x[i : i + 1])[0] for i in range(7)])
    assert _same(together, reversed(evaluate_batch(problem, x[::-1])))


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (Fault.EXCEPTION, RunStatus.FAILED, "the simulator raised an error: ArithmeticError: g must be positive"),
        (Fault.OUT_OF_MEMORY, RunStatus.FAILED, "MemoryError"),
        (Fault.NAN_TRACE, RunStatus.DIVERGED, "recording 'soma' is not finite"),
        (Fault.DIVERGED, RunStatus.DIVERGED, "'v' is not finite"),
    ],
)
def test_a_failure_is_a_value_and_costs_the_cap(fault, status, text):
    before, bad, after = evaluate_batch(fake_problem(), candidates(Fault.NONE, fault, Fault.NONE))
    assert before.status is after.status is RunStatus.OK
    assert bad.status is status
    assert text in bad.detail
    assert bad.features == {}
    assert bad.scores == {"peak": 250.0, "spike": 250.0}
    assert bad.objectives == (250.0, 250.0)


def test_what_is_wrong_with_the_installation_is_raised():
    with pytest.raises(BackendError, match="B005"):
        evaluate_batch(fake_problem(), candidates(Fault.INSTALLATION))


def test_an_error_in_the_features_is_this_candidates_failure(monkeypatch):
    def broken(plan, recordings):
        if recordings.traces["step", "soma"].y.max() > 0.0:
            raise IndexError("vector::at")
        return {}

    monkeypatch.setattr(module, "extract", broken)
    good, bad = evaluate_batch(fake_problem(), np.array([[10.0, 0.0], [100.0, 0.0]]))
    assert good.status is RunStatus.OK
    assert bad.status is RunStatus.FAILED
    assert bad.detail == "the features could not be extracted: IndexError: vector::at"


def test_a_missing_feature_costs_the_cap_of_its_target_only():
    data = copy.deepcopy(TARGETS)
    data["targets"][0]["feature"] = "AP_amplitude"
    evaluation = evaluate_batch(fake_problem(targets=data), np.array([[10.0, 0.0]]))[0]  # no spike
    assert evaluation.status is RunStatus.OK
    assert evaluation.features == {"spike": ()}
    assert evaluation.scores == {"peak": 250.0, "spike": 10.0}


def test_a_parameter_without_a_value_is_named_and_not_simulated():
    problem = fake_problem()
    binding = replace(problem.parameters.bindings[0], free=None, formula=parse("log(fault)"), parameter="loud")
    parameters = replace(problem.parameters, bindings=(binding, problem.parameters.bindings[1]))
    evaluation = evaluate_batch(replace(problem, parameters=parameters), np.array([[10.0, 0.0]]))[0]
    assert evaluation.status is RunStatus.FAILED
    assert evaluation.detail == "no finite value for loud"


def test_failed_scores_the_cap_everywhere():
    evaluation = failed(fake_problem(), (1.0, 2.0), RunStatus.CRASHED, "why", 0.5)
    assert (evaluation.x, evaluation.cpu_s, evaluation.detail) == ((1.0, 2.0), 0.5, "why")
    assert set(evaluation.scores.values()) == {250.0}


def test_scoring_follows_the_targets_and_stored_features_can_be_judged_anew():
    problem = fake_problem()
    evaluation = evaluate_batch(problem, np.array([[80.0, 0.0]]))[0]
    data = copy.deepcopy(TARGETS)
    data["targets"][0].update(mean=10.0, sd=1.0)
    changed = replace(problem, targets=Targets.model_validate(data))
    judged = rescored(changed, evaluation)
    assert judged.features == evaluation.features
    assert judged.scores["peak"] == pytest.approx(abs(evaluation.features["peak"][0] - 10.0))
    assert _same([judged], evaluate_batch(changed, np.array([[80.0, 0.0]])))


def test_a_problem_survives_pickling():
    problem = fake_problem()
    again = pickle.loads(pickle.dumps(problem))
    assert again == problem
    assert again.objective_ids == ("peak", "spike")
