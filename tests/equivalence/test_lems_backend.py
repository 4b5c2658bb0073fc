"""The LEMS backend against jLEMS on the exported files, and against our NEURON backend in numerics jneuroml."""

from __future__ import annotations

import shutil
import subprocess

import jneuroml_runner
import numpy as np
import pytest
from law import experiment

from nmlopt.backend import Numerics, Settings
from nmlopt.document.read import read
from nmlopt.experiment.model import Attached, Experiment, Output, Played, Pulse, Ramp, Sine, VoltageClamp
from nmlopt.exporters import registry
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site
from nmlopt.resources import jneuroml_jar

pytestmark = pytest.mark.java

SITE = Site(0, 0.5, 0)
BOTH = ("neuron", "lems")


def traces(cell: Cell, experiments: tuple[Experiment, ...], *, backend: str, dt_ms: float = 0.005):
    """All traces by output id, of a cell with no slots."""
    made = registry.load(backend)
    program = made.compile(cell, Settings(dt_ms=dt_ms, numerics=Numerics.JNEUROML))
    (found,) = made.simulate(program, experiments, np.zeros((1, 0)))
    assert found.status == "ok", found.detail
    return found.traces


def closer(cell: Cell, experiments: tuple[Experiment, ...], allowed: float, *, but: str = ""):
    """jLEMS and NEURON, both extrapolated to a step of zero, differ by at most that part of each trace's range.

    `but` names an experiment that is not compared. The extrapolated values by backend, experiment and output.
    """
    found = {}
    for backend in BOTH:
        coarse, fine = (traces(cell, experiments, backend=backend, dt_ms=dt) for dt in (0.01, 0.005))
        found[backend] = {k: 2.0 * fine[k].y[::2] - coarse[k].y for k in fine}
    for each in experiments:
        for output in each.outputs if each.id != but else ():
            ours, theirs = (found[backend][each.id, output.id] for backend in BOTH)
            assert np.ptp(ours) > 0.0, output
            later = np.abs(ours - theirs)[3:]  # jLEMS evaluates what depends on v a second time with the first v
            assert later.max() < allowed * np.ptp(ours), (each.id, output)
    return found


@pytest.mark.neuron
def test_every_variable_is_that_of_neuron(root):
    """Below threshold, so that both converge; gates, currents, rates and the voltage by their canonical names."""
    cell = lower(read(root / "examples" / "hh_soma" / "model.nml"))
    wanted = experiment(cell, -0.05, 20.0)
    closer(cell, (wanted,), 2e-3)


STIMULI = {
    "ramp": Ramp(SITE, 2.0, 10.0, -0.02, 0.03),
    "sine": Sine(SITE, 2.0, 10.0, 0.03, 4.0, 0.4),
    "played": Played(SITE, (1.0, 4.0, 6.0, 9.0), (0.0, 0.03, 0.03, -0.02)),
    "clamp": VoltageClamp(SITE, 5.0, ((5.0, -75.0), (5.0, -60.0))),
}


@pytest.mark.neuron
def test_stimuli_do_what_they_do_in_neuron(root):
    """All as populations of one LEMS file."""
    cell = lower(read(root / "examples" / "hh_soma" / "model.nml"))
    outputs = (Output("v", SITE),)
    made = [Experiment(name, 15.0, 279.45, (s,), outputs) for name, s in STIMULI.items()]
    clamped = Experiment("current", 15.0, 279.45, (STIMULI["clamp"],), (Output("i", SITE, "i_clamp"),))
    found = closer(cell, (*made, clamped), 5e-3, but="current")
    ours, theirs = (found[b]["current", "i"] for b in BOTH)
    within = np.r_[50:490, 510:990]  # the current jumps where the level does
    assert theirs[within] == pytest.approx(ours[within], abs=5e-3 * np.ptp(ours))


@pytest.mark.neuron
def test_attached_inputs_and_their_variables(root, tmp_path):
    text = (root / "examples" / "hh_soma" / "model.nml").read_text(encoding="utf-8")
    added = '<expOneSynapse id="syn" gbase="0.1nS" erev="0mV" tauDecay="3 ms"/></neuroml>'
    (tmp_path / "model.nml").write_text(text.replace("</neuroml>", added), encoding="utf-8")
    cell = lower(read(tmp_path / "model.nml"), inputs=("syn",))
    stimuli = (Attached(SITE, "one", "syn", 1.5, (2.0, 6.0)), Attached(SITE, "two", "syn", 1.0, (9.0,)))
    recorded = (Output("v", SITE), Output("g1", SITE, "one/g"), Output("g2", SITE, "two/g"))
    found = {
        b: traces(cell, (Experiment("e", 15.0, 279.45, stimuli, recorded),), backend=b, dt_ms=0.0025) for b in BOTH
    }
    for output in recorded:
        ours, theirs = (found[b]["e", output.id].y for b in BOTH)
        jump = np.abs(np.diff(ours)).max()  # events come a step later or sooner
        assert np.abs(ours - theirs)[[400, 1500, 3000, 5000]].max() < 2e-3 * np.ptp(ours) + 0.01 * jump, output


@pytest.mark.parametrize(
    ("folder", "start"),
    [
        ("examples/hh_soma", None),
        ("examples/izhikevich", -70.0),
        ("tests/conformance/cases/211-ks-two-open-states", -55),
    ],
)
def test_an_exported_folder_gives_what_the_backend_gives(folder, start, root, tmp_path):
    """Run with Java and the jar alone, as the README says; edges off the grid, see `stimuli.Target`."""
    cell = lower(read(root / folder / "model.nml"))
    made = Experiment("step", 40.0, 279.45, (Pulse(SITE, 5.003, 30.0, 0.1),), (Output("v", SITE),), start)
    backend = registry.load("lems")
    program = backend.compile(cell, Settings(dt_ms=0.01))
    backend.export(program, (made,), tmp_path / "out")
    command = [shutil.which("java"), "-jar", str(jneuroml_jar()), "LEMS_step.xml", "-nogui"]
    subprocess.run(command, cwd=tmp_path / "out", capture_output=True, check=True)
    table = np.loadtxt(tmp_path / "out" / "step.dat")
    (found,) = backend.simulate(program, (made,), np.zeros((1, 0)))
    assert np.array_equal(1e3 * table[:, 1], found.traces["step", "v"].y)
    if start is None:
        assert jneuroml_runner.validates(tmp_path / "out" / "model.nml") == ""


def test_a_candidate_does_not_depend_on_its_batch(root):
    """Other candidates, other experiments, one that diverges, one that jLEMS stops at: the same bits."""
    from nmlopt.document.paths import resolve

    document = read(root / "examples" / "hh_soma" / "model.nml")
    free = resolve(document, "cell:hh_soma/channelDensity:*/condDensity")
    cell = lower(document, free)
    short = Experiment(
        "e", 5.0, 279.45, (Pulse(SITE, 1.0, 3.0, 0.1),), (Output("0", SITE), Output("m", SITE, "na/m/q"))
    )
    longer = Experiment("longer", 7.0, 300.0, (), (Output("v", SITE),), -70.0)
    backend = registry.load("lems")
    program = backend.compile(cell, Settings())
    present = np.array([slot.default for slot in cell.slots])
    rows = np.array([present, 2.0 * present, 1.5 * present])
    alone = backend.simulate(program, (short,), rows[[1]])[0]
    together = backend.simulate(program, (short, longer), rows)
    assert [r.status for r in together] == ["ok"] * 3
    beside, culprit = backend.simulate(program, (short,), np.array([2.0 * present, 1e6 * present]))
    assert beside.status == "ok" and culprit.status in ("diverged", "failed")
    for key, trace in alone.traces.items():
        assert np.array_equal(together[1].traces[key].y, trace.y), key
        assert np.array_equal(beside.traces[key].y, trace.y), key
    assert not np.array_equal(together[0].traces["e", "0"].y, together[1].traces["e", "0"].y)


@pytest.mark.neuron
def test_nothing_is_left_behind(root, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cell = lower(read(root / "examples" / "izhikevich" / "model.nml"))
    traces(cell, (Experiment("e", 1.0, 279.45, (), (Output("v", SITE),)),), backend="lems")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.neuron
@pytest.mark.slow
def test_a_cell_with_compartments_runs_as_in_our_neuron(root):
    """jNeuroML's export, compiled and run, against our imitation of its steps; soma, and the end of the dendrite."""
    cell = lower(read(root / "examples" / "ball_and_stick" / "model.nml"))
    last = len(cell.geometry.compartments) - 1
    end = cell.geometry.compartments[last]
    outputs = (
        Output("v", SITE),
        Output("end", Site(end.section, end.x, last)),
        Output("m", SITE, "na_soma/m/q"),
        Output("gate", Site(end.section, end.x, last), "ih/q/q"),
        Output("ih", Site(end.section, end.x, last), "ih/iDensity"),
    )
    wanted = Experiment("e", 40.0, 279.45, (Pulse(SITE, 5.0, 30.0, 0.2),), outputs)
    found = {b: traces(cell, (wanted,), backend=b, dt_ms=0.025) for b in BOTH}
    for output, allowed in zip(outputs[:-1], (1e-3, 1e-3, 1e-5, 1e-5), strict=True):
        ours, theirs = (found[b]["e", output.id].y for b in BOTH)
        assert np.abs(ours - theirs).max() < allowed, output
    # In the export a conductance is that of the gate a step ago, and nothing flows before the first step.
    ours, theirs = (found[b]["e", "ih"].y for b in BOTH)
    gate = found["neuron"]["e", "gate"].y
    late = ours[1:] * gate[:-1] / gate[1:]
    assert np.abs(late - theirs[1:]).max() < 1e-5 * np.abs(ours).max()


def test_another_interpreter_takes_the_same_steps(root):
    """pyLEMS, from the first step on; jLEMS prints seven digits.

    A point cell from a start that is not at rest: edges of inputs reach the voltage a step apart in the two, and gates
    start two steps late in jLEMS.
    """
    cell = lower(read(root / "examples" / "izhikevich" / "model.nml"))
    started = Experiment("e", 5.0, 279.45, (), experiment(cell, 0.0, 20.0).outputs, -70.0)
    first, second = (traces(cell, (started,), backend=name, dt_ms=0.01) for name in ("lems", "pylems"))
    for key, trace in second.items():
        assert trace.t_ms == pytest.approx(first[key].t_ms[1:], rel=1e-12)
        there = first[key].y[1:]
        assert np.abs(trace.y - there).max() <= 1e-4 * np.ptp(there) + 1e-6 * np.abs(there).max(), key
