"""Inputs and synapses of a document on NEURON: closed forms, equal stimuli, the law of slots, exports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from input_documents import MODEL

from nmlopt.backend import Integrator, Numerics, RunStatus, Settings, Trace
from nmlopt.document.edit import Edit, apply
from nmlopt.document.model import Document
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.errors import UnsupportedError
from nmlopt.experiment.model import Attached, Experiment, Output, Pulse, Sine, Stimulus, VoltageClamp
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site
from nmlopt.units import Quantity

pytestmark = pytest.mark.neuron
SITE = Site(0, 0.5, 0)
V = Output("v", SITE)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    path = tmp_path_factory.mktemp("attached") / "model.nml"
    path.write_text(MODEL)
    return read(path)


def attach(component: str, events: Sequence[float] = (), weight: float = 1.0, id_: str = "a") -> Attached:
    return Attached(SITE, id_, component, weight, tuple(events))


def experiment(name: str, *stimuli: Stimulus, outputs: Sequence[Output] = (V,), duration: float = 30.0) -> Experiment:
    return Experiment(name, duration, 279.45, stimuli, tuple(outputs))


def run(document, cell, inputs, experiments, settings=None) -> dict[tuple[str, str], Trace]:
    backend = NeuronBackend()
    lowered = lower(document, component=cell, inputs=inputs)
    assert not backend.unsupported(lowered, experiments)
    (found,) = backend.simulate(backend.compile(lowered, settings or Settings()), experiments, np.zeros((1, 0)))
    assert found.status is RunStatus.OK, found.detail
    return dict(found.traces)


SLOW = pytest.mark.slow
SET = ("one", "two", "pulse", "sine", "triple", "plastic", "both")
ON_POINT = ("one", "two", "pulse", "clip")
"""Inputs that are compiled together, so that tests share builds."""


def test_synapses_follow_their_closed_forms_in_voltage_clamp(document):
    clamp = VoltageClamp(SITE, 1e-4, ((30.0, -60.0),))
    outputs = [V, Output("g", SITE, "a/g"), Output("i", SITE, "a/i")]
    arrivals = (3.0, 7.5)
    experiments = [experiment(n, clamp, attach(n, arrivals, 1.5), outputs=outputs) for n in ("one", "two")]
    traces = run(document, "ball", SET, experiments)
    t = traces["one", "g"].t_ms
    since = [np.where(t - a > -1e-9, t - a, np.inf) for a in arrivals]
    rise, decay = 0.5, 3.0
    peak = np.log(decay / rise) * rise * decay / (decay - rise)
    factor = 1.0 / (np.exp(-peak / decay) - np.exp(-peak / rise))
    wanted = {
        "one": sum(1.5e-9 * np.exp(-s / decay) for s in since),
        "two": sum(1.5e-9 * factor * (np.exp(-s / decay) - np.exp(-s / rise)) for s in since),
    }
    for name, g in wanted.items():
        # an event acts at the start of its step: the sample at its arrival still shows what was before
        before = np.isin(np.round(t, 6), arrivals)
        assert np.allclose(traces[name, "g"].y[~before], g[~before], rtol=1e-9, atol=1e-22)
        v = 1e-3 * traces[name, "v"].y
        assert np.allclose(traces[name, "i"].y, traces[name, "g"].y * (0.0 - v), rtol=1e-12, atol=1e-22)
        assert np.allclose(v[10:], -0.06, atol=1e-7)


def test_generators_equal_neurons_own_electrodes(document):
    pairs = {"pulse": Pulse(SITE, 5.0, 10.0, 0.03), "sine": Sine(SITE, 5.0, 20.0, 0.03, 5.0, 0.1)}
    experiments = [experiment(f"{n} attached", attach(n, weight=1.5)) for n in pairs]
    experiments += [experiment(f"{n} plain", stimulus) for n, stimulus in pairs.items()]
    traces = run(document, "ball", SET, experiments)
    for name, tolerance in (("pulse", 1e-10), ("sine", 1e-6)):  # the core types write pi with nine digits
        a, b = traces[f"{name} attached", "v"], traces[f"{name} plain", "v"]
        assert np.abs(a.y - b.y).max() < tolerance < np.ptp(b.y) * 1e-3


def test_a_voltage_clamp_of_three_levels_holds_them(document):
    outputs = [V, Output("i", SITE, "a/i")]
    traces = run(document, "ball", SET, [experiment("e", attach("triple"), outputs=outputs)])
    v = traces["e", "v"]
    for at, level in ((4.9, -70.0), (14.9, -20.0), (29.0, -65.0)):
        assert v.y[np.searchsorted(v.t_ms, at)] == pytest.approx(level, abs=0.01)
    assert traces["e", "i"].y[-1] == pytest.approx((-65e-3 - 1e-3 * v.y[-1]) / 1e5, rel=1e-12)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(integrator=Integrator.CVODE, atol=1e-8),
        pytest.param(Settings(numerics=Numerics.JNEUROML), marks=SLOW),
    ],
)
def test_an_experiment_does_not_depend_on_the_others(document, settings):
    outputs = [V, Output("R", SITE, "a/plasticityMechanism_R")]
    plastic = experiment("plastic", attach("plastic", (3.0, 7.5, 9.0)), outputs=outputs)
    others = [
        experiment("two", attach("two", (2.0,)), attach("two", (4.0,), 3.0, "b")),
        experiment("pulse", attach("pulse")),
    ]
    alone = run(document, "ball", SET, [plastic], settings)
    together = run(document, "ball", SET, [others[0], plastic, others[1]], settings)
    for key, trace in alone.items():
        assert np.array_equal(trace.y, together[key].y)


def test_variable_steps_meet_edges_and_events(document):
    stimuli = [attach("both", (3.0, 7.5), 1.2), attach("pulse", id_="b")]
    exact = run(document, "ball", SET, [experiment("e", *stimuli)], Settings(integrator=Integrator.CVODE, atol=1e-9))
    errors = []
    for dt in (0.025, 0.0125):
        fixed = run(document, "ball", SET, [experiment("e", *stimuli)], Settings(dt_ms=dt))
        reference = np.interp(fixed["e", "v"].t_ms, exact["e", "v"].t_ms, exact["e", "v"].y)
        errors.append(np.abs(fixed["e", "v"].y - reference).max())
    assert 0.4 < errors[1] / errors[0] < 0.6  # implicit Euler is of first order; the voltage moves 10 mV per ms
    assert errors[1] < 0.2


def test_a_point_cell_integrates_with_its_synapse(document):
    """Second order in the step; the reference is a Runge-Kutta solution of the same equation."""
    arrivals, spans = (3.0, 7.5), []
    for dt in (0.1, 0.05):
        found = run(document, "iaf", ON_POINT, [experiment("e", attach("one", arrivals, 5.0))], Settings(dt))
        t, v = found["e", "v"].t_ms, found["e", "v"].y
        reference = _iaf_reference(t, arrivals, 5e-9)
        spans.append(np.abs(v - reference).max())
    assert spans[0] / spans[1] > 3.0
    assert spans[1] < 2e-4


def _iaf_reference(t_ms, arrivals, g_S):
    def slope(t, v):
        g = sum(g_S * np.exp(-(t - a) / 3.0) for a in arrivals if t >= a)
        return 1e-3 * (1e-8 * (-60.0 - v) + g * (0.0 - v)) / 0.2e-9

    v, found, n = -60.0, [-60.0], 20
    for start, end in pairwise(t_ms):
        h = (end - start) / n
        for k in range(n):  # arrivals lie on steps: no jump within one
            t = min(start + k * h, end)
            inside = t + 1e-9
            k1 = slope(inside, v)
            k2 = slope(inside + h / 2, v + h / 2 * k1)
            k3 = slope(inside + h / 2, v + h / 2 * k2)
            k4 = slope(inside + h - 2e-9, v + h * k3)
            v += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        found.append(v)
    return np.array(found)


@pytest.mark.parametrize(
    ("cell", "component", "plain", "numerics"),
    [
        ("iaf", "pulse", 0.03, Numerics.CNEXP),
        ("izh", "plain", 15.0, Numerics.JNEUROML),
        pytest.param("iaf", "pulse", 0.03, Numerics.JNEUROML, marks=SLOW),
        pytest.param("izh", "plain", 15.0, Numerics.CNEXP, marks=SLOW),
    ],
)
def test_generators_drive_point_cells_as_pulses_do(document, cell, component, plain, numerics):
    experiments = [
        experiment("attached", attach(component, weight=1.5)),
        experiment("plain", Pulse(SITE, 5.0, 10.0, plain)),
    ]
    inputs = ON_POINT if cell == "iaf" else (component,)
    traces = run(document, cell, inputs, experiments, Settings(numerics=numerics))
    assert np.abs(traces["attached", "v"].y - traces["plain", "v"].y).max() < 1e-9 < np.ptp(traces["plain", "v"].y)


FREE = {
    "expTwoSynapse:two/tauDecay": 4.1,
    "expTwoSynapse:two/gbase": 1.3,
    "pulseGenerator:pulse/delay": 7.03,
    "pulseGenerator:pulse/amplitude": 33.0,
    "blockingPlasticSynapse:plastic/plasticityMechanism/initReleaseProb": 0.37,
    "blockingPlasticSynapse:plastic/blockMechanism/scalingVolt": 17.5,
}


@pytest.mark.parametrize(
    ("cell", "numerics"),
    [
        ("ball", Numerics.CNEXP),
        ("iaf", Numerics.JNEUROML),
        pytest.param("ball", Numerics.JNEUROML, marks=SLOW),
        pytest.param("iaf", Numerics.CNEXP, marks=SLOW),
    ],
)
def test_attributes_of_inputs_are_slots(document, cell, numerics):
    """Binding a number of an input equals compiling it in, bit for bit."""
    backend = NeuronBackend()
    inputs = ("both", "pulse")
    stimuli = (attach("both", (3.0, 7.5), 1.2), attach("pulse", id_="b"))
    experiments = [experiment("e", *stimuli, outputs=[V, Output("g", SITE, "a/two/g"), Output("i", SITE, "b/i")])]
    addresses = [resolve(document, path)[0] for path in FREE]
    settings = Settings(numerics=numerics)
    program = backend.compile(lower(document, addresses, component=cell, inputs=inputs), settings)
    present, other = [slot.default for slot in program.slots], list(FREE.values())
    a, b, again = backend.simulate(program, experiments, np.array([present, other, present]))
    assert a.status is RunStatus.OK, a.detail
    edits = [Edit(s.path, Quantity(x, s.unit.symbol)) for s, x in zip(program.slots, other, strict=True)]
    fixed = backend.compile(lower(apply(document, edits), component=cell, inputs=inputs), settings)
    assert fixed.slots == ()
    (compiled,) = backend.simulate(fixed, experiments, np.zeros((1, 0)))
    for key, trace in b.traces.items():
        assert np.array_equal(trace.y, compiled.traces[key].y)
        assert np.array_equal(a.traces[key].y, again.traces[key].y)
        assert not np.array_equal(trace.y, a.traces[key].y)


@pytest.mark.parametrize("cell", ["iaf", pytest.param("ball", marks=SLOW)])
def test_an_export_carries_attached_inputs(document, cell, tmp_path: Path):
    backend = NeuronBackend()
    inputs = ON_POINT if cell == "iaf" else SET
    program = backend.compile(lower(document, component=cell, inputs=inputs), Settings())
    outputs = [V, Output("A", SITE, "a/A"), Output("g", SITE, "a/g")]
    experiments = [
        experiment("synapse", attach("two", (3.0, 7.5), 1.5), attach("pulse", id_="b"), outputs=outputs),
        experiment("pulse", attach("pulse", weight=0.5)),
    ]
    (found,) = backend.simulate(program, experiments, np.zeros((1, 0)))
    backend.export(program, experiments, tmp_path / "out")
    done = subprocess.run([sys.executable, "run.py"], cwd=tmp_path / "out", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for (name, output), trace in found.traces.items():
        file = tmp_path / "out" / f"{name}.{output}.dat"
        assert file.exists() is (output != "g")
        if file.exists():
            assert np.array_equal(np.loadtxt(file)[:, 1], trace.y)


@pytest.mark.parametrize(
    ("cell", "numerics"),
    [
        ("iaf", Numerics.CNEXP),
        pytest.param("ball", Numerics.CNEXP, marks=SLOW),
        pytest.param("ball", Numerics.JNEUROML, marks=SLOW),
        pytest.param("iaf", Numerics.JNEUROML, marks=SLOW),
    ],
)
def test_conditions_that_change_what_they_test_act_once_a_step(document, cell, numerics):
    outputs = [Output("g", SITE, "a/g"), Output("clips", SITE, "a/clips")]
    found = run(
        document, cell, ON_POINT if cell == "iaf" else ("clip",),
        [experiment("e", attach("clip", (1.0, 2.0, 3.0)), outputs=outputs)],
        Settings(numerics=numerics),
    )  # fmt: skip
    g = found["e", "g"].y
    assert g.max() <= 3e-9 * (1 + 1e-12)
    assert found["e", "clips"].y[-1] == 2.0
    last = np.searchsorted(found["e", "g"].t_ms, 3.05)
    decay = np.exp(-(found["e", "g"].t_ms[last:] - found["e", "g"].t_ms[last]) / 5.0)
    assert np.allclose(g[last:], g[last] * decay, rtol=1e-9 if numerics is Numerics.CNEXP else 0.02)


def test_what_cannot_run_is_refused_by_name(document):
    backend = NeuronBackend()
    clip = lower(document, component="ball", inputs=("clip",))
    with pytest.raises(UnsupportedError, match="'clip' has conditions"):
        backend.compile(clip, Settings(integrator=Integrator.CVODE))
    noise = lower(document, component="ball", inputs=("noise", "plain", "pulse"))
    found = {i.code: i.message for i in backend.unsupported(noise, [])}
    assert "'random' in 'noise'" in found["B030"]
    wrong = [
        experiment("a", attach("two")),
        experiment("b", attach("pulse", (1.0,))),
        experiment("c", attach("plain")),
        experiment("d", attach("pulse"), attach("pulse")),
        experiment("e", attach("pulse"), outputs=[Output("x", SITE, "a/gone")]),
    ]
    codes = [i.code for i in backend.unsupported(noise, wrong)]
    assert codes == ["B030", "B037", "B039", "B054", "B053", "B034"]
    point = lower(document, component="izh", inputs=("pulse", "plain"))
    assert {i.code for i in backend.unsupported(point, [experiment("a", attach("pulse"))])} == {"B054"}
