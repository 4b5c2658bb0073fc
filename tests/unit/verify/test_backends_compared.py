"""Verdicts on backends whose differences are known."""

from dataclasses import replace

import numpy as np
import pytest
from fake_backend import DURATION_MS, fake_experiment
from stepped_backend import SteppedBackend, entrants, stepped_subject

from nmlopt.backend import RunStatus, Trace
from nmlopt.errors import Issue
from nmlopt.verify.compare import compare_courses
from nmlopt.verify.courses import course
from nmlopt.verify.model import Course, SideStatus, Train, Verdict
from nmlopt.verify.refine import Estimate, estimate
from nmlopt.verify.run import MOST_HALVINGS, Step, compare_backends
from nmlopt.verify.tolerances import SPIKE_FLOOR_MS

ONE = SteppedBackend("one")


def verified(*backends):
    return compare_backends(stepped_subject(), entrants(*backends))


def test_another_error_of_the_method_is_no_difference():
    found = verified(ONE, SteppedBackend("two", lag=-5.0))
    assert found.verdict is Verdict.SAME
    (spikes,) = found.spikes
    assert spikes.counts == (3, 3)
    assert spikes.difference_ms == pytest.approx(0.0, abs=1e-3)
    assert found.sides[0].order == pytest.approx(1.0, abs=0.1)


def test_a_shift_beyond_the_floor_is_one():
    found = verified(ONE, SteppedBackend("two", times_ms=(30.0, 50.0, 70.0 + 4 * SPIKE_FLOOR_MS)))
    (spikes,) = found.spikes
    assert spikes.verdict is Verdict.DIFFERS
    assert spikes.reason == "spike 3"
    assert spikes.difference_ms == pytest.approx(4 * SPIKE_FLOOR_MS, rel=0.1)
    (trace,) = found.traces
    assert trace.verdict is Verdict.SAME  # its shape is: a shift counts once


def test_a_shift_below_the_floor_is_none():
    found = verified(ONE, SteppedBackend("two", times_ms=(30.0, 50.0, 70.0 + 0.5 * SPIKE_FLOOR_MS)))
    assert found.verdict is Verdict.SAME


def test_another_rest_differs_in_the_trace_from_the_begin():
    found = verified(ONE, SteppedBackend("two", rest_mV=-64.9))
    (trace,) = found.traces
    assert (trace.verdict, trace.first_ms) == (Verdict.DIFFERS, 0.0)
    assert trace.difference == pytest.approx(0.1, rel=0.01)


def test_another_height_differs_in_the_feature():
    found = verified(ONE, SteppedBackend("two", height_mV=81.0))
    peak = next(c for c in found.targets if c.target == "peak")
    assert peak.verdict is Verdict.DIFFERS
    assert peak.difference_sd == pytest.approx(0.5, rel=0.02)
    assert found.target_verdict("peak") is Verdict.DIFFERS


def test_another_number_of_spikes_differs():
    found = verified(ONE, SteppedBackend("two", times_ms=(30.0, 50.0)))
    (spikes,) = found.spikes
    assert spikes.verdict is Verdict.DIFFERS
    assert "number of spikes: one 3; two 2" in spikes.reason


def test_a_number_of_spikes_that_changes_with_the_step_is_undecided():
    found = verified(ONE, SteppedBackend("two", flickers=True))
    (spikes,) = found.spikes
    assert spikes.verdict is Verdict.UNDECIDED
    assert "changes with the step" in spikes.reason
    assert found.verdict is Verdict.UNDECIDED
    assert {side.settings.dt_ms for side in found.sides} == {0.025 / 2**MOST_HALVINGS}


def test_steps_are_halved_until_the_number_of_spikes_settles():
    told: list[Step] = []
    found = compare_backends(
        stepped_subject(), entrants(ONE, SteppedBackend("two", marginal_below_ms=0.01)), told.append
    )
    assert found.spikes[0].verdict is Verdict.DIFFERS
    assert [side.settings.dt_ms for side in found.sides] == [0.0125, 0.0125]
    assert [(s.done, s.asked, s.text) for s in told[6:]] == [
        (6, 8, "one, dt 0.003125 ms"),
        (7, 8, "two, dt 0.003125 ms"),
    ]


def test_what_differs_already_is_not_run_again():
    found = verified(ONE, SteppedBackend("two", times_ms=(30.0, 50.0)))
    assert {side.settings.dt_ms for side in found.sides} == {0.025}


def test_a_number_of_spikes_that_settles_counts():
    found = verified(SteppedBackend("one", marginal_below_ms=0.02), SteppedBackend("two", marginal_below_ms=0.02))
    assert found.spikes[0].verdict is Verdict.SAME
    assert found.spikes[0].counts == (4, 4)


def test_a_backend_that_refuses_is_left_out_and_says_why():
    issue = Issue("B043", "it is a point cell")
    found = verified(ONE, SteppedBackend("two", lag=1.0), SteppedBackend("three", issues=(issue,)))
    assert [s.status for s in found.sides] == [SideStatus.OK, SideStatus.OK, SideStatus.REFUSED]
    assert found.sides[2].issues == (issue,)
    assert found.verdict is Verdict.SAME


def test_one_backend_alone_is_not_the_same_as_anything():
    found = verified(ONE, SteppedBackend("two", issues=(Issue("B043", "it is a point cell"),)))
    assert found.verdict is Verdict.NOTHING


def test_a_missing_simulator_is_told():
    found = verified(ONE, SteppedBackend("two", is_missing=True))
    assert found.sides[1].status is SideStatus.MISSING
    assert not found.targets


def test_a_run_that_fails_differs_from_one_that_does_not():
    found = verified(ONE, SteppedBackend("two", status=RunStatus.DIVERGED))
    assert found.sides[1].status is SideStatus.FAILED
    assert "diverged: on purpose" in found.sides[1].detail
    assert found.verdict is Verdict.DIFFERS


def test_every_two_of_three_are_compared():
    found = verified(ONE, SteppedBackend("two"), SteppedBackend("three", rest_mV=-64.0))
    verdicts = {c.pair: c.verdict for c in found.traces}
    assert verdicts == {
        ("one", "two"): Verdict.SAME,
        ("one", "three"): Verdict.DIFFERS,
        ("two", "three"): Verdict.DIFFERS,
    }


def test_steps_are_told_as_they_come():
    told = []
    compare_backends(stepped_subject(), entrants(ONE, SteppedBackend("two")), told.append)
    assert [(s.done, s.asked) for s in told] == [(i, 6) for i in range(6)]
    assert told[0].text == "one, dt 0.025 ms"


def test_edges_between_steps_are_not_extrapolated():
    subject = stepped_subject()
    pulse = replace(subject.experiments[0].stimuli[0], delay_ms=20.01)
    experiment = replace(subject.experiments[0], stimuli=(pulse,))
    found = compare_backends(replace(subject, experiments=(experiment,)), entrants(ONE, SteppedBackend("two", lag=1.0)))
    spikes = found.sides[0].trains[("step", "soma")].times
    assert spikes is not None
    assert spikes.error.min() > 0.025  # as large as what the steps changed, and a step


@pytest.mark.parametrize(("known_ms", "verdict"), [(40.0, Verdict.UNDECIDED), (60.0, Verdict.DIFFERS)])
def test_what_differs_after_a_spike_in_doubt_is_undecided(known_ms, verdict):
    t_ms = np.arange(101.0)
    zero = np.zeros_like(t_ms)
    flat, late = (
        Course(t_ms, Estimate(y, zero), zero, Trace(t_ms, y), np.empty(0), known_ms)
        for y in (zero, np.where(t_ms < 50.0, 0.0, 10.0))
    )
    found = compare_courses(fake_experiment(), ("protocol", "soma"), ("one", "two"), flat, late, is_voltage=True)
    assert (found.verdict, found.first_ms) == (verdict, 50.0)


def test_a_spike_in_doubt_is_where_the_doubt_begins():
    wobbling = [np.array([30.0, 50.0 + shift]) for shift in (0.0, 3.0, 1.0)]
    t_ms = np.arange(0.0, DURATION_MS, 0.1)
    train = Train((2, 2, 2), estimate(wobbling), tuple(wobbling))
    runs = [Trace(t_ms, sum(np.exp(-((t_ms - s) ** 2)) for s in spikes)) for spikes in wobbling]
    found = course(fake_experiment(), runs, train, smooth=True)
    assert 40.0 < found.known_ms < 50.0


def test_a_spike_that_an_edge_cuts_off_may_have_another_phase():
    """The pulse ends at 80 ms, the spike before comes at 79 ms, later by the step: after 80 ms no shift aligns both."""
    t_ms = np.arange(0.0, DURATION_MS, 0.05)
    steps = (0.4, 0.2, 0.1)
    spikes = [np.array([30.0 + h, 79.0 + h]) for h in steps]

    def trace(last_ms):
        y = np.exp(-((t_ms - last_ms) ** 2)) + np.exp(-((t_ms - last_ms + 49.0) ** 2))
        left = np.exp(-((80.0 - last_ms) ** 2)) * np.exp(-(t_ms - 80.0))
        return Trace(t_ms, np.where(t_ms < 80.0, y, left))

    runs = [trace(last) for _, last in spikes]
    train = Train((2, 2, 2), estimate(spikes), tuple(spikes))
    found = course(fake_experiment(), runs, train, smooth=True)
    exact = trace(79.0).y
    after = (t_ms > 80.0) & (t_ms < 85.0)
    off = np.abs(found.estimate.value - exact)[after]
    assert off.max() > 1e-3
    assert np.all(off <= (found.estimate.error + found.play)[after] + 1e-9)
    before = (t_ms > 40.0) & (t_ms < 70.0)
    assert found.play[before].max() < 1e-6
