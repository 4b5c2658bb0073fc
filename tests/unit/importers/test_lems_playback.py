"""From recordings to the rows of files: grid, units, times since events, events themselves."""

from __future__ import annotations

import numpy as np
import pytest

from nmlopt.api.lems_playback import Playback
from nmlopt.backend import Trace
from nmlopt.experiment.model import Pulse
from nmlopt.importers.simulation_model import (
    Above,
    Column,
    Constant,
    EventFile,
    Given,
    OutputFile,
    Recorded,
    Selection,
    Since,
)
from nmlopt.ir.model import Site

SITE = Site(0, 0.5, 0)
V = Recorded("pop[0]", "r0", 1e-3)


def played(t_ms, y, duration_ms=1.0, dt_ms=0.25):
    return Playback({("pop[0]", "r0"): Trace(np.asarray(t_ms, float), np.asarray(y, float))}, duration_ms, dt_ms)


def test_rows_are_whole_steps_from_0_to_the_end_in_si():
    grid = [0.0, 0.25, 0.5, 0.75, 1.0]
    table = played(grid, [-65, -64, -63, -62, -61]).table(OutputFile("a.dat", (Column("v", "pop[0]/v", V),)))
    assert table[:, 0].tolist() == [0.0, 0.00025, 0.0005, 0.00075, 0.001]
    assert table[:, 1].tolist() == [-0.065, -0.064, -0.063, -0.062, -0.061]


def test_samples_between_the_rows_are_left_out():
    """A point cell's trace holds the crossing itself, between two steps."""
    t, y = [0.0, 0.25, 0.3, 0.5, 0.75, 1.0], [-65, -56, -50, -70, -69, -68]
    assert played(t, y).on_grid(V, played(t, y).grid_ms()).tolist() == [-0.065, -0.056, -0.070, -0.069, -0.068]
    assert len(played(t, y).curve(V)[0]) == 6


def test_the_last_step_counts_when_the_duration_is_a_multiple_but_for_rounding():
    assert len(Playback({}, 300.0, 0.01).grid_ms()) == 30001
    assert len(Playback({}, 1.1, 0.25).grid_ms()) == 5


def test_time_since_the_last_event_counts_from_0_before_the_first():
    since = played([0], [0]).on_grid(Since((0.5, 0.75)), np.array([0.0, 0.25, 0.5, 0.6, 0.75, 1.0]))
    assert since == pytest.approx([0.0, 0.00025, 0.0, 0.0001, 0.0, 0.00025])


def test_a_given_current_and_a_constant():
    grid = np.array([0.0, 0.5, 0.75, 1.0])
    given = Given(Pulse(SITE, 0.5, 0.5, 0.1), 1e-9)
    assert played([0], [0]).on_grid(given, grid) == pytest.approx([0.0, 1e-10, 1e-10, 0.0])
    assert played([0], [0]).on_grid(Constant(2.0), grid).tolist() == [2.0] * 4


def test_spiking_is_1_above_the_level():
    grid = [0.0, 0.25, 0.5, 0.75, 1.0]
    signal = Above(Recorded("pop[0]", "r0"), -50.0)
    assert played(grid, [-65, -50, -49, 10, -60]).on_grid(signal, np.array(grid)).tolist() == [0, 0, 1, 1, 0]


def test_events_of_sources_and_crossings_come_in_the_order_of_time():
    grid = [0.0, 0.25, 0.5, 0.75, 1.0]
    crossing = Selection("5", Above(Recorded("pop[0]", "r0"), -50.0))
    file = EventFile("e.dat", "ID_TIME", (crossing, Selection("6", (0.3, 0.9, 1.5))))
    events = played(grid, [-65, -50, -49, -60, -40]).events(file)
    assert events == [(0.00025, "5"), (0.0003, "6"), (0.0009, "6"), (0.001, "5")]
