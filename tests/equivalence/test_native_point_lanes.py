"""Point cells of candidates side by side: each takes the steps it takes alone, whatever happens in the others."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmlopt.api.problem import Options, load
from nmlopt.backend import Accuracy, Integrator, Recordings, RunStatus, Settings
from nmlopt.document.edit import Edit, apply
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.evaluate.model import Problem
from nmlopt.experiment.model import Attached, Experiment, Output, Pulse
from nmlopt.exporters.native import backend, simulate
from nmlopt.exporters.native.backend import NativeBackend, layout_of
from nmlopt.exporters.native.source import Layout
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.features.extract import extract
from nmlopt.importers.lems_simulation import read_simulation
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site

CASES = Path(__file__).parents[1] / "conformance" / "cases"
SETTINGS = Settings(0.05, integrator=Integrator.FIXED)


def runs_of(case: Path) -> list[tuple[Cell, tuple[Experiment, ...]]]:
    """The point cells of a conformance case with what is done to them."""
    simulation = read_simulation(read(case / "LEMS_case.xml"))
    return [(run.cell, run.experiments) for run in simulation.runs if run.cell.geometry is None]


QUICK = ("504-iaf-refractory", "507-adex", "509-fitzhugh-nagumo-1969")
POINT_CASES = [
    pytest.param(case, id=case.name, marks=() if case.name in QUICK else pytest.mark.slow)
    for case in sorted(CASES.iterdir())
    if case.name.startswith("5") and runs_of(case)
]


def same(found: Recordings, wanted: Recordings) -> None:
    """The same bits."""
    assert (found.status, found.detail) == (wanted.status, wanted.detail)
    assert found.traces.keys() == wanted.traces.keys()
    for key, trace in found.traces.items():
        np.testing.assert_array_equal(trace.t_ms, wanted.traces[key].t_ms)
        np.testing.assert_array_equal(trace.y, wanted.traces[key].y)


@pytest.mark.parametrize("case", POINT_CASES)
def test_a_lane_is_a_run_by_itself(case, monkeypatch):
    """The kernel with lanes against the same text compiled for one candidate, which finds its events by itself."""
    for cell, experiments in runs_of(case):
        assert layout_of(cell, SETTINGS).candidates > 1
        program = NativeBackend().compile(cell, SETTINGS)
        together = NativeBackend().simulate(program, experiments, np.zeros((3, 0)))
        with monkeypatch.context() as context:
            context.setattr(backend, "layout_of", lambda *_: Layout(1))
            (alone,) = NativeBackend().simulate(NativeBackend().compile(cell, SETTINGS), experiments, np.zeros((1, 0)))
        assert alone.status is RunStatus.OK
        for lane in together:
            same(lane, alone)


SITE = Site(0, 0.5, 0)
WITH_INPUTS = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="m">
  <expTwoSynapse id="two" gbase="3 nS" erev="0 mV" tauRise="0.5 ms" tauDecay="3 ms"/>
  <blockingPlasticSynapse id="nmda" gbase="2 nS" erev="0 mV" tauRise="0.5 ms" tauDecay="9 ms">
    <plasticityMechanism type="tsodyksMarkramDepFacMechanism" initReleaseProb="0.4" tauRec="50 ms" tauFac="20 ms"/>
    <blockMechanism type="voltageConcDepBlockMechanism" species="mg" blockConcentration="1.2 mM"
        scalingConc="1.9 mM" scalingVolt="16 mV"/></blockingPlasticSynapse>
  <sineGenerator id="sine" phase="0.3" delay="9 ms" duration="30 ms" amplitude="40 pA" period="7 ms"/>
  <iafRefCell id="iaf" leakReversal="-60 mV" thresh="-55 mV" reset="-70 mV" C="0.05 nF" leakConductance="2 nS"
      refract="2 ms"/>
</neuroml>"""
INPUTS = ("two", "nmda", "sine")
PATHS = ("iafRefCell:iaf/C", "expTwoSynapse:two/tauDecay", "iafRefCell:iaf/thresh")


@pytest.fixture(scope="module")
def with_inputs(tmp_path_factory) -> tuple[Cell, tuple[Experiment, ...]]:
    """A cell with a regime, two synapses of one kind, one that feels the voltage, and a generator; three slots."""
    model = tmp_path_factory.mktemp("m") / "model.nml"
    model.write_text(WITH_INPUTS, encoding="utf-8")
    document = read(model)
    cell = lower(document, [resolve(document, path)[0] for path in PATHS], component="iaf", inputs=INPUTS)
    attached = (
        Attached(SITE, "a", "two", 2.0, (3.0, 8.01, 8.02, 30.0)),
        Attached(SITE, "b", "two", 1.0, (5.0, 12.3)),
        Attached(SITE, "c", "nmda", 1.5, (4.0, 20.0, 21.0)),
        Attached(SITE, "d", "sine"),
    )
    outputs = (Output("v", SITE), Output("g", SITE, "b/g"), Output("i", SITE, "c/i"))
    return cell, (Experiment("e", 60.0, 300.0, (*attached, Pulse(SITE, 10.0, 40.0, 0.02)), outputs),)


def rows_of(cell: Cell, count: int) -> np.ndarray:
    """Values near those of the document."""
    factors = np.random.default_rng(7).uniform(0.9, 1.1, (count, len(cell.slots)))
    return factors * [slot.default for slot in cell.slots]


def test_lanes_with_inputs_are_runs_by_themselves(with_inputs, monkeypatch):
    cell, experiments = with_inputs
    values = rows_of(cell, 35)
    together = NativeBackend().simulate(NativeBackend().compile(cell, SETTINGS), experiments, values)
    assert len({len(found.traces["e", "v"].t_ms) for found in together}) > 1
    monkeypatch.setattr(backend, "layout_of", lambda *_: Layout(1))
    alone = NativeBackend().simulate(NativeBackend().compile(cell, SETTINGS), experiments, values)
    for a, b in zip(together, alone, strict=True):
        same(a, b)


@pytest.mark.neuron
def test_inputs_on_lanes_act_as_in_neuron(with_inputs):
    """The same fixed steps: equal but for rounding, which moves a moment of reset by less than it is known to."""
    cell, experiments = with_inputs
    values = rows_of(cell, 3)
    ours, theirs = (
        compiler.simulate(compiler.compile(cell, SETTINGS), experiments, values)
        for compiler in (NativeBackend(), NeuronBackend())
    )
    for a, b in zip(ours, theirs, strict=True):
        for key, trace in a.traces.items():
            np.testing.assert_allclose(trace.t_ms, b.traces[key].t_ms, rtol=1e-9, atol=1e-9)
            scale = np.abs(trace.y).max()
            np.testing.assert_allclose(trace.y, b.traces[key].y, rtol=0, atol=1e-9 * scale)


@pytest.fixture(scope="module")
def izhikevich() -> Problem:
    folder = Path(__file__).parents[2] / "examples" / "izhikevich"
    return load(folder / "model.nml", folder / "targets.json", Options(backend="native")).problem


def drawn(problem: Problem, count: int) -> np.ndarray:
    """Slot values all over the bounds: some fire, some do not, all at moments of their own."""
    u = np.random.default_rng(4).uniform(0.0, 1.0, (count, len(problem.parameters.free)))
    return problem.parameters.values(problem.parameters.from_unit_interval(u))


def test_neighbours_change_nothing(izhikevich):
    """Also where there are more candidates than lanes, and where the last ones leave lanes empty."""
    experiments, values = izhikevich.experiments[2:4], drawn(izhikevich, 40)
    together = izhikevich.backend.simulate(izhikevich.program, experiments, values)
    assert len({len(found.traces["strong_step", "cell"].t_ms) for found in together}) > 1
    for row in (0, 7, 31, 32, 39):
        (alone,) = izhikevich.backend.simulate(izhikevich.program, experiments, values[row : row + 1])
        same(together[row], alone)


def test_a_lane_that_runs_away_ends_alone(izhikevich):
    values = drawn(izhikevich, 3)
    mad = values.copy()
    mad[1] *= [-1e6, 1.0, 1.0, 1.0, 1.0]
    good = izhikevich.backend.simulate(izhikevich.program, izhikevich.experiments, values)
    found = izhikevich.backend.simulate(izhikevich.program, izhikevich.experiments, mad)
    assert found[1].status is RunStatus.DIVERGED
    assert "ended at" in found[1].detail
    same(found[0], good[0])
    same(found[2], good[2])


def test_more_resets_than_expected_are_all_shown(izhikevich, monkeypatch):
    values, experiments = drawn(izhikevich, 5), izhikevich.experiments[3:4]
    wanted = izhikevich.backend.simulate(izhikevich.program, experiments, values)
    assert max(np.count_nonzero(np.diff(found.traces["strong_step", "cell"].y) < -60.0) for found in wanted) > 1
    monkeypatch.setattr(simulate, "CROSSINGS_EXPECTED", 1)
    for a, b in zip(izhikevich.backend.simulate(izhikevich.program, experiments, values), wanted, strict=True):
        same(a, b)


@pytest.mark.parametrize("accuracy", [Accuracy.FAST, Accuracy.DEFAULT])
def test_fewer_samples_are_the_same_samples(izhikevich, accuracy):
    program = NativeBackend().compile(izhikevich.program.cell, Settings(accuracy=accuracy))
    whole = izhikevich.experiments[2]
    thin = replace(whole, sampling_ms=0.1)
    uneven = replace(whole, sampling_ms=0.033)
    values = drawn(izhikevich, 4)
    every, some, refused = (NativeBackend().simulate(program, (e,), values) for e in (whole, thin, uneven))
    for a, b in zip(every, refused, strict=True):
        same(a, b)  # where samples would not fall on what is asked for, all are kept
    key = (whole.id, "cell")
    for a, b in zip(every, some, strict=True):
        t_ms, y = b.traces[key].t_ms, b.traces[key].y
        assert len(t_ms) == round(whole.duration_ms / 0.1) + 1
        at = np.searchsorted(a.traces[key].t_ms, t_ms)
        np.testing.assert_array_equal(a.traces[key].t_ms[at], t_ms)
        np.testing.assert_array_equal(a.traces[key].y[at], y)


@pytest.mark.parametrize("fast", [True, False], ids=["ours", "efel"])
def test_features_do_not_see_which_samples_were_left_out(izhikevich, fast):
    """Of all protocols, over the whole bounds.

    eFEL adds up its grid, so that its points miss the samples by 1e-11 ms. Where a reset happens 1e-5 ms before a
    sample, that is 1e-6 of the fall of 80 mV between them; the values without the samples between are the right ones.
    """
    plan, values = replace(izhikevich.plan, fast=fast), drawn(izhikevich, 24)
    assert all(e.sampling_ms == 0.1 for e in izhikevich.sampled)
    many, few = (
        izhikevich.backend.simulate(izhikevich.program, e, values) for e in (izhikevich.experiments, izhikevich.sampled)
    )
    found = 0
    for a, b in zip(many, few, strict=True):
        wanted, left = extract(plan, a), extract(plan, b)
        assert left.keys() == wanted.keys()
        for name, numbers in left.items():
            np.testing.assert_allclose(numbers, wanted[name], rtol=1e-7, atol=1e-7, err_msg=name)
        found += len(left)
    assert found > 100


def test_narrower_vectors_give_the_same_bits(with_inputs, monkeypatch):
    cell, experiments = with_inputs
    values = rows_of(cell, 5)
    wide = NativeBackend().simulate(NativeBackend().compile(cell, SETTINGS), experiments, values)
    for flags in ("-fno-tree-vectorize", *(("-mno-avx512f", "-mno-avx") if platform.machine() == "x86_64" else ())):
        monkeypatch.setenv("CC", f"cc {flags}")
        program = NativeBackend().compile(cell, SETTINGS)
        for a, b in zip(NativeBackend().simulate(program, experiments, values), wide, strict=True):
            same(a, b)


def test_slots_of_a_cell_and_its_inputs_give_the_bits_of_an_edited_document(with_inputs, tmp_path):
    cell, experiments = with_inputs
    model = tmp_path / "model.nml"
    model.write_text(WITH_INPUTS, encoding="utf-8")
    document = read(model)
    values = rows_of(cell, 3)
    together = NativeBackend().simulate(NativeBackend().compile(cell, SETTINGS), experiments, values)
    for row, found in zip(values.tolist(), together, strict=True):
        addresses = [resolve(document, path)[0] for path in PATHS]
        edits = [Edit(a.path, replace(a.quantity, value=x)) for a, x in zip(addresses, row, strict=True)]
        edited = lower(apply(document, edits), component="iaf", inputs=INPUTS)
        program = NativeBackend().compile(edited, SETTINGS)
        same(NativeBackend().simulate(program, experiments, np.zeros((1, 0)))[0], found)
