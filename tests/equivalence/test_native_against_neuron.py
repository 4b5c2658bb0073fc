"""The native kernel against NEURON.

With fixed steps both take the very same steps, so that traces agree to rounding; NEURON holds 3-D points in single
precision, and so do the geometries here. Adaptive steps are of second order and meet what NEURON converges to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from law import experiment, run, same
from spikes import crossings
from stated_error import spikes_off, stated

from nmlopt.backend import Accuracy, Integrator, Recordings, RunStatus, Settings
from nmlopt.document.paths import listing
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Played, Pulse, Ramp, Sine, Stimulus, VoltageClamp
from nmlopt.exporters import registry
from nmlopt.ir.cable import compartment_areas
from nmlopt.ir.lower import classify, lower
from nmlopt.ir.model import Cell, Site

pytestmark = pytest.mark.neuron

FIXED = Settings(integrator=Integrator.FIXED)
SOMA = Site(section=0, x=0.5, compartment=0)


@dataclass(frozen=True)
class Subject:
    """A cell and the current (nA, or a plain number) into its first compartment from 5 ms on."""

    model: str
    amplitude: float
    component: str | None = None
    relative: float = 1e-9


SUBJECTS = {
    "hh_soma": Subject("examples/hh_soma/model.nml", 0.2),
    "ball_and_stick": Subject("examples/ball_and_stick/model.nml", 0.2),
    "izhikevich": Subject("examples/izhikevich/model.nml", 0.15),
    "gates": Subject("tests/data/elements/gates.nml", 0.1, "gates"),
    "schemes": Subject("tests/data/elements/gates.nml", 0.1, "schemes", 1e-6),
    "calcium": Subject("tests/data/elements/calcium.nml", 0.1, "calcium", 1e-6),
    "varying": Subject("tests/data/elements/varying.nml", 0.1, "varying", 1e-6),
}
"""NEURON's own guards round to 1e-10 where ours have a series, its schemes start at their state after 1e9 ms."""


def cell_of(root: Path, subject: Subject) -> Cell:
    return in_single_precision(lower(read(root / subject.model), component=subject.component))


def in_single_precision(cell: Cell) -> Cell:
    """The cell that NEURON has: points rounded to floats."""
    if cell.geometry is None:
        return cell
    sections = tuple(
        replace(s, points=tuple(tuple(float(np.float32(x)) for x in p) for p in s.points))
        for s in cell.geometry.sections
    )
    areas = [area for s in sections for area in compartment_areas(s.points, s.divisions)]
    compartments = tuple(
        replace(c, area_m2=1e-12 * area) for c, area in zip(cell.geometry.compartments, areas, strict=True)
    )
    return replace(cell, geometry=replace(cell.geometry, sections=sections, compartments=compartments))


def simulated(backend: str, cell: Cell, settings: Settings, experiments: tuple[Experiment, ...]) -> Recordings:
    compiler = registry.load(backend)
    assert not compiler.unsupported(cell, experiments)
    (found,) = run(compiler.compile(cell, settings), experiments, [[]])
    assert found.status is RunStatus.OK, found.detail
    return found


def agree(found: Recordings, wanted: Recordings, relative: float) -> None:
    """Every sample of every trace, relative to the range of the trace."""
    assert found.traces.keys() == wanted.traces.keys()
    for key, trace in wanted.traces.items():
        mine = found.traces[key]
        assert mine.t_ms == pytest.approx(trace.t_ms, abs=1e-9), key
        scale = float(np.abs(trace.y).max())
        assert np.abs(mine.y - trace.y).max() <= relative * scale, key


SLOW = ("gates", "schemes", "calcium", "varying")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in SUBJECTS])
def test_fixed_steps_are_those_of_neuron(name: str, root: Path) -> None:
    subject = SUBJECTS[name]
    cell = cell_of(root, subject)
    experiments = (experiment(cell, subject.amplitude, 40.0, else_K=300.0),)
    assert len(experiments[0].outputs) > 1
    agree(*(simulated(b, cell, FIXED, experiments) for b in ("native", "neuron")), subject.relative)


STIMULI: dict[str, tuple[Stimulus, ...]] = {
    "pulses": (Pulse(SOMA, 2.0, 5.0, 0.3), Pulse(SOMA, 4.0125, 9.0, -0.1)),
    "ramp": (Ramp(SOMA, 3.0, 12.0, -0.1, 0.4),),
    "sine": (Sine(SOMA, 2.5, 15.0, 0.3, 7.0, 0.4),),
    "played": (Played(SOMA, (1.0, 4.0, 4.5, 11.3), (0.0, 0.2, -0.3, 0.5)),),
    "clamp": (VoltageClamp(SOMA, 0.5, ((5.0, -65.0), (6.0, -10.0), (4.0, -80.0))),),
}


@pytest.mark.parametrize("kind", STIMULI)
def test_stimuli_act_at_the_same_steps(kind: str, root: Path) -> None:
    cell = cell_of(root, SUBJECTS["ball_and_stick"])
    variables = ("v", "i_clamp") if kind == "clamp" else ("v",)
    outputs = tuple(Output(v, SOMA, v) for v in variables)
    experiments = (Experiment("e", 20.0, 300.0, STIMULI[kind], outputs, v_init_mV=-70.0),)
    # a part of a mV across 0.5 Mohm is nA: rounding shows there first
    agree(*(simulated(b, cell, FIXED, experiments) for b in ("native", "neuron")), 1e-8)


def spike_times(found: Recordings) -> np.ndarray:
    return crossings(found.traces["e", "v"], -20.0)


def pulse(cell: Cell, amplitude: float, duration_ms: float) -> tuple[Experiment, ...]:
    stimuli = (Pulse(SOMA, 5.0, duration_ms - 10.0, amplitude),)
    return (Experiment("e", duration_ms, cell.temperature_K or 300.0, stimuli, (Output("v", SOMA),)),)


def test_adaptive_steps_are_of_second_order(root: Path) -> None:
    """Halving dt halves every step; the error of spike times falls to a quarter, tables of rates included."""
    cell = cell_of(root, SUBJECTS["ball_and_stick"])
    experiments = pulse(cell, 0.2, 60.0)
    converged = simulated("neuron", cell, Settings(integrator=Integrator.CVODE, atol=1e-8), experiments)
    wanted = spike_times(converged)
    tight = Settings(integrator=Integrator.ADAPTIVE, accuracy=Accuracy.TIGHT)
    errors = []
    for dt_ms in (0.05, 0.025, 0.0125):
        found = spike_times(simulated("native", cell, replace(tight, dt_ms=dt_ms), experiments))
        assert len(found) == len(wanted) > 0
        errors.append(np.abs(found - wanted).max())
    assert errors[0] > 3.0 * errors[1] > 9.0 * errors[2], errors


@pytest.mark.parametrize("accuracy", Accuracy)
def test_each_accuracy_keeps_to_its_error(accuracy: Accuracy, root: Path) -> None:
    cell = cell_of(root, SUBJECTS["ball_and_stick"])
    experiments = pulse(cell, 0.2, 200.0)
    wanted = spike_times(simulated("neuron", cell, Settings(integrator=Integrator.CVODE, atol=1e-8), experiments))
    settings = Settings(integrator=Integrator.ADAPTIVE, accuracy=accuracy)
    found = spike_times(simulated("native", cell, settings, experiments))
    seen = spikes_off("v", found, wanted, stated(accuracy))
    assert seen.fault == "" and seen.spikes > 40


def many(root: Path, name: str) -> tuple[Cell, list[list[float]]]:
    """A cell with slots, and candidates around its own values."""
    subject = SUBJECTS[name]
    document = read(root / subject.model)
    addresses = listing(document)
    uses = classify(document, addresses, component=subject.component)
    free = [a for a in addresses if uses[a.path] == "bindable" and a.quantity.value != 0.0][:12]
    cell = lower(document, free, component=subject.component)
    drawn = np.random.default_rng(1)
    return cell, [[s.default * drawn.uniform(0.97, 1.03) for s in cell.slots] for _ in range(11)]


def same_all(found: Iterable[Recordings], wanted: Iterable[Recordings], what: str) -> None:
    for a, b in zip(found, wanted, strict=True):
        same(a, b, what)


@pytest.mark.parametrize("integrator", [Integrator.FIXED, Integrator.ADAPTIVE])
@pytest.mark.parametrize("name", ["hh_soma", "ball_and_stick", "izhikevich"])
def test_results_do_not_depend_on_batch_order_or_threads(name: str, integrator: Integrator, root: Path) -> None:
    cell, rows = many(root, name)
    compiler = registry.load("native")
    settings = Settings(integrator=integrator)
    program = compiler.compile(cell, settings)
    experiments = (experiment(cell, SUBJECTS[name].amplitude, 30.0, else_K=300.0),)
    together = run(program, experiments, rows)
    assert any(r.status is RunStatus.OK for r in together)
    apart = [one for row in rows for one in run(program, experiments, [row])]
    same_all(*([r for r in found if r.traces] for found in (together, apart)), "one by one")
    backwards = run(program, experiments, rows[::-1])[::-1]
    same_all(*([r for r in found if r.traces] for found in (together, backwards)), "backwards")
    threaded = run(compiler.compile(cell, replace(settings, threads=2)), experiments, rows)
    same_all(*([r for r in found if r.traces] for found in (together, threaded)), "two threads")


def test_a_run_without_sense_ends_at_once_and_alone(root: Path) -> None:
    """One of two candidates that share a loop explodes; the other is what it is alone."""
    document = read(root / SUBJECTS["hh_soma"].model)
    (address,) = [a for a in listing(document) if a.path.endswith("channelDensity:leak/erev")]
    cell = lower(document, [address])
    program = registry.load("native").compile(cell, FIXED)
    experiments = pulse(cell, 0.2, 30.0)
    good = cell.slots[0].default
    alone, mad, nothing = run(program, experiments, [[good], [1e9], [float("nan")]])
    assert mad.status is nothing.status is RunStatus.DIVERGED
    assert "ended at" in mad.detail
    same(run(program, experiments, [[good]])[0], alone, "beside others")
