"""Ask and tell: JSON state, resuming, refusals, the loop, and what is never lost."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nmlopt.errors import UsageError
from nmlopt.optimise.archive import pareto_front
from nmlopt.optimise.loop import FOUNDERS, founded, search
from nmlopt.optimise.model import AlgorithmSettings
from nmlopt.optimise.registry import algorithm_names, load_algorithm
from nmlopt.optimise.stopping import StopRule

ALGORITHMS = pytest.mark.parametrize("name", algorithm_names())
NONE = np.empty((0, 3))


def objectives_of(points):
    """Three squares with failures: everything is the cap in an eighth of the cube."""
    values = np.stack([((points - t) ** 2).sum(axis=1) for t in (0.2, 0.5, 0.9)], axis=1) * 10
    values[np.all(points > 0.5, axis=1)] = 250.0
    return values


def begin(name, *, seed=1, first=NONE, **settings):
    chosen = AlgorithmSettings(name=name, **{"offspring": 10, **settings})
    return load_algorithm(name).start(chosen, n_free=3, n_objectives=3, seed=seed, first=first)


@ALGORITHMS
@pytest.mark.parametrize("sampling", ["lhs", "sobol"])
def test_a_search_through_json_is_the_same_to_the_last_bit(name, sampling):
    algorithm = load_algorithm(name)
    straight = through = begin(name, sampling=sampling)
    for _ in range(25):
        through, candidates = algorithm.ask(json.loads(json.dumps(through)))
        through = json.loads(json.dumps(through, allow_nan=False))
        straight, expected = algorithm.ask(straight)
        assert candidates.tobytes() == expected.tobytes()
        straight = algorithm.tell(straight, expected, objectives_of(expected))
        through = json.loads(json.dumps(algorithm.tell(through, candidates, objectives_of(candidates))))
        assert json.dumps(through) == json.dumps(straight)


@ALGORITHMS
def test_asking_again_gives_the_same_and_changes_nothing(name):
    algorithm = load_algorithm(name)
    state, candidates = algorithm.ask(begin(name))
    state = algorithm.tell(state, candidates, objectives_of(candidates))
    kept = json.dumps(state)
    one, two = algorithm.ask(state)[1], algorithm.ask(state)[1]
    assert np.array_equal(one, two)
    algorithm.tell(state, one, objectives_of(one))
    assert json.dumps(state) == kept


@ALGORITHMS
def test_generations_differ_and_seeds_differ(name):
    algorithm = load_algorithm(name)
    state = begin(name)
    seen = set()
    for _ in range(5):
        state, candidates = algorithm.ask(state)
        assert candidates.shape == (10, 3)
        assert np.all((candidates >= 0.0) & (candidates <= 1.0))
        seen.add(candidates.tobytes())
        state = algorithm.tell(state, candidates, objectives_of(candidates))
    assert len(seen) == 5
    assert not np.array_equal(algorithm.ask(begin(name, seed=2))[1], algorithm.ask(begin(name))[1])


@ALGORITHMS
@pytest.mark.parametrize("count", [1, 12])
def test_given_points_are_candidates_of_the_first_generation(name, count):
    first = np.random.default_rng(0).random((count, 3))
    _, candidates = load_algorithm(name).ask(begin(name, first=first))
    assert np.array_equal(candidates[:count], first)
    assert len(candidates) == max(10, count)


@ALGORITHMS
def test_a_search_may_begin_from_many_evaluated_candidates(name):
    algorithm = load_algorithm(name)
    known = np.random.default_rng(0).random((50, 3))
    state = algorithm.tell(begin(name), known, objectives_of(known))
    assert len(state["parents"]) == 10
    assert algorithm.ask(state)[1].shape == (10, 3)


@ALGORITHMS
@pytest.mark.parametrize("count", [10, 1000])
def test_a_search_founded_on_what_is_known_keeps_the_best_sum_among_its_founders(name, count):
    known = np.random.default_rng(0).random((count, 3))
    objectives = objectives_of(known)[:, :1]  # one objective: the best sum must survive
    settings = AlgorithmSettings(name=name, offspring=10)
    state = founded(load_algorithm(name), settings, candidates=known, objectives=objectives, seed=1)
    assert min(state["objectives"]) == [objectives.min()]
    assert state["evaluations"] == min(count, 10 * FOUNDERS)
    rule = StopRule(generations=5)
    end = search(
        load_algorithm(name),
        state,
        lambda points: objectives_of(points)[:, :1],
        rule,
        on_generation=lambda _: None,
    )
    assert end.progress.best_sums[0] == objectives.min() >= end.progress.best_sums[-1]


@ALGORITHMS
def test_all_objectives_converge(name):
    found = []
    search(
        load_algorithm(name),
        begin(name, offspring=20),
        objectives_of,
        StopRule(generations=40),
        on_generation=found.append,
    )
    # the least sum of the three squares is at the mean of the centres, 0.5333; the cube of failures begins at 0.5
    least = 10 * sum(3 * (0.5 - t) ** 2 for t in (0.2, 0.5, 0.9))
    assert found[-1].progress.best_sums[-1] == pytest.approx(least, rel=0.02)


@ALGORITHMS
@pytest.mark.parametrize("offspring", [4, 6, 10])
@pytest.mark.parametrize("n_objectives", [1, 35])
def test_any_even_population_and_number_of_objectives(name, offspring, n_objectives):
    algorithm = load_algorithm(name)
    settings = AlgorithmSettings(name=name, offspring=offspring)
    state = algorithm.start(settings, n_free=1, n_objectives=n_objectives, seed=0, first=np.empty((0, 1)))
    for _ in range(10):
        state, candidates = algorithm.ask(state)
        objectives = np.minimum(np.abs(candidates - np.linspace(0, 1, n_objectives)) * 300, 250.0)
        state = algorithm.tell(state, candidates, objectives)
        assert len(state["parents"]) == offspring


@ALGORITHMS
def test_all_faults_of_the_settings_are_told_at_once(name):
    wrong = {"offspring": 5, "crossover_rate": 2.0, "mutation_rate": -1.0, "eta_crossover": -1.0, "sampling": "grid"}
    with pytest.raises(UsageError) as caught:
        begin(name, kappa=float("nan"), **wrong)
    assert {issue.code for issue in caught.value.issues} == {"C101", "C102", "C103", "C104", "C105", "C106"}


@pytest.mark.parametrize("offspring", [-2, 0, 2, 3, 33])
def test_odd_and_tiny_populations_are_refused(offspring):
    with pytest.raises(UsageError, match="C101"):
        begin("ibea", offspring=offspring)


def test_seed_and_start_points_are_checked():
    with pytest.raises(UsageError, match="C107"):
        begin("ibea", seed=-1)
    outside = np.array([[0.5, 0.5, 0.5], [0.1, 1.2, 0.1], [0.1, 0.1, float("nan")]])
    with pytest.raises(UsageError, match=r"point 2, parameter 2; start point 3, parameter 3"):
        begin("ibea", first=outside)


@pytest.mark.parametrize(("wrong", "right"), [("IBEA", "ibea"), ("nsga-2", "nsga2"), ("nsgaii", "nsga2")])
def test_an_unknown_algorithm_is_refused_with_a_proposal(wrong, right):
    with pytest.raises(UsageError, match=f"C109.*did you mean '{right}'"):
        load_algorithm(wrong)


def test_an_algorithm_like_no_other_is_refused_with_all_names():
    with pytest.raises(UsageError, match="ibea, nsga2"):
        load_algorithm("xyz")


@ALGORITHMS
def test_what_was_not_asked_cannot_be_told(name):
    algorithm = load_algorithm(name)
    state, candidates = algorithm.ask(begin(name))
    for wrong in (np.zeros((10, 2)), np.zeros((9, 3)), np.full((10, 3), np.nan), np.full((10, 3), np.inf)):
        with pytest.raises(ValueError, match="objectives"):
            algorithm.tell(state, candidates, wrong)
    with pytest.raises(ValueError, match="cannot found a population"):
        algorithm.tell(state, candidates[:4], np.zeros((4, 3)))


def test_a_state_of_another_algorithm_or_version_is_refused():
    state = begin("ibea")
    with pytest.raises(ValueError, match="not of 'nsga2'"):
        load_algorithm("nsga2").ask(state)
    with pytest.raises(ValueError, match="version 99"):
        load_algorithm("ibea").ask({**state, "version": 99})


@ALGORITHMS
def test_a_search_cut_anywhere_and_resumed_ends_the_same(name):
    """The evaluator dies in a random generation, again and again; each time the last state kept goes on."""
    algorithm, rule = load_algorithm(name), StopRule(generations=15)
    whole = search(algorithm, begin(name), objectives_of, rule, on_generation=lambda _: None)
    rng = np.random.default_rng(0)
    kept = [json.dumps(begin(name))]

    def dying(points):
        if rng.random() < 0.4:
            raise KeyboardInterrupt
        return objectives_of(points)

    numbers, deaths = [], 0
    while True:
        try:
            resumed = search(
                algorithm,
                json.loads(kept[-1]),
                dying,
                rule,
                on_generation=lambda done: (kept.append(json.dumps(done.state)), numbers.append(done.number)),
            )
            break
        except KeyboardInterrupt:
            deaths += 1
    assert deaths > 3
    assert numbers == list(range(1, 16))
    assert json.dumps(resumed.state) == json.dumps(whole.state)
    assert resumed.stop == whole.stop == "all 15 generations are done"


def test_a_finished_search_evaluates_nothing_more():
    algorithm, rule = load_algorithm("ibea"), StopRule(generations=3)
    done = search(algorithm, begin("ibea"), objectives_of, rule, on_generation=lambda _: None)

    def never(points):
        raise AssertionError

    again = search(algorithm, done.state, never, rule, on_generation=never)
    assert again.stop == done.stop
    assert again.progress.evaluations == 30


def test_the_loop_counts_time_and_stops_by_it():
    ticks = iter(float(second) for second in range(100))
    done = []
    outcome = search(
        load_algorithm("ibea"),
        begin("ibea"),
        objectives_of,
        StopRule(seconds=106.0),
        on_generation=done.append,
        seconds_before=100.0,
        clock=lambda: next(ticks),
    )
    assert outcome.progress.seconds == 106.0
    assert [generation.stop is None for generation in done] == [True] * (len(done) - 1) + [False]


def test_evaluations_never_exceed_their_limit():
    evaluated = []
    rule = StopRule(evaluations=59)
    outcome = search(
        load_algorithm("ibea"),
        begin("ibea"),
        lambda points: (evaluated.append(len(points)), objectives_of(points))[1],
        rule,
        on_generation=lambda _: None,
    )
    assert sum(evaluated) == outcome.progress.evaluations == 50


@ALGORITHMS
def test_progress_and_pareto_front_never_lose_the_best(name, searched, problem_of):
    for seed in range(10):
        everything = np.empty((0, 2))
        for generation in searched(problem_of("zdt3"), name, offspring=8, generations=60, seed=seed):
            everything = np.concatenate([everything, generation.objectives])
            least = everything.sum(axis=1).min()
            assert generation.progress.best_sums[-1] == least
            assert generation.progress.best_worsts[-1] == everything.max(axis=1).min()
            assert everything[pareto_front(everything)].sum(axis=1).min() == least
