"""Structure and values are separate (DESIGN §1.2): binding numbers equals compiling them in, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from nmlopt.backend import Integrator, Numerics, RunStatus, Settings
from nmlopt.document.edit import Edit, apply
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Played, Pulse, Ramp, Sine, VoltageClamp
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.exporters.neuron.stimuli import whole_steps
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site
from nmlopt.lems.expression import Num, Op, Sym
from nmlopt.units import Quantity

pytestmark = pytest.mark.neuron
SITE = Site(0, 0.5, 0)
V = Output("v", SITE)


@dataclass(frozen=True)
class Case:
    """Free numbers of an example, other values for them, and a current that makes it fire."""

    example: str
    free: dict[str, float]
    pulse: Pulse
    outputs: tuple[Output, ...] = (V,)


CASES = {
    "hh_soma": Case(
        "hh_soma",
        {
            "cell:hh_soma/channelDensity:na/condDensity": 115.0,
            "cell:hh_soma/channelDensity:na/erev": 47.3,
            "ionChannelHH:na_channel/gateHHrates:m/forwardRate/midpoint": -39.7,
            "ionChannelHH:k_channel/gateHHrates:n/forwardRate/rate": 0.11,
            "cell:hh_soma/specificCapacitance/value": 1.3,
            "cell:hh_soma/initMembPotential/value": -67.1,
        },
        Pulse(SITE, 5.0, 40.0, 0.2),
        (V, Output("m", SITE, "na/m/q"), Output("i", SITE, "na/iDensity")),
    ),
    "ball_and_stick": Case(
        "ball_and_stick",
        {
            "channelDensityNonUniform:ih/variableParameter/inhomogeneousValue/value{2}": 0.0017,
            "cell:ball_and_stick/channelDensity:na_dendrite/condDensity": 7.0,
            "cell:ball_and_stick/resistivity/value": 110.0,
        },
        Pulse(SITE, 5.0, 40.0, 0.4),
        (V, Output("far", Site(1, 0.95, 11))),
    ),
    "izhikevich": Case(
        "izhikevich",
        {"izhikevich2007Cell:regular_spiking/k": 0.9, "izhikevich2007Cell:regular_spiking/d": 120.0},
        Pulse(SITE, 5.0, 150.0, 0.2),
    ),
}
VARIANTS = [
    pytest.param("hh_soma", Settings(), id="soma-cnexp"),
    pytest.param("hh_soma", Settings(numerics=Numerics.JNEUROML, dt_ms=0.01), id="soma-jneuroml"),
    pytest.param("hh_soma", Settings(integrator=Integrator.CVODE), id="soma-cvode"),
    pytest.param("hh_soma", Settings(tables=True), id="soma-tables"),
    pytest.param("ball_and_stick", Settings(), id="dendrite-cnexp"),
    pytest.param("izhikevich", Settings(), id="point-cnexp"),
    pytest.param("izhikevich", Settings(numerics=Numerics.JNEUROML), id="point-jneuroml"),
]


def same(a, b):
    """Whether two recordings agree in every bit."""
    return a.traces.keys() == b.traces.keys() and all(
        np.array_equal(a.traces[k].t_ms, b.traces[k].t_ms) and np.array_equal(a.traces[k].y, b.traces[k].y)
        for k in a.traces
    )


@pytest.mark.parametrize(("name", "settings"), VARIANTS)
def test_binding_is_compiling(name, settings, root):
    case = CASES[name]
    backend = NeuronBackend()
    document = read(root / "examples" / case.example / "model.nml")
    addresses = [resolve(document, path)[0] for path in case.free]
    experiments = [Experiment("e", 200.0 if name == "izhikevich" else 50.0, 279.45, (case.pulse,), case.outputs)]
    program = backend.compile(lower(document, addresses), settings)
    present = [slot.default for slot in program.slots]
    other = list(case.free.values())
    a, b, again = backend.simulate(program, experiments, np.array([present, other, present]))
    assert a.status is RunStatus.OK, a.detail
    assert a.traces["e", "v"].y.max() > 0.0, "the cell does not fire, so the test would show little"
    assert same(a, again)
    assert not same(a, b)
    for values, bound in ((present, a), (other, b)):
        edits = [Edit(s.path, Quantity(x, s.unit.symbol)) for s, x in zip(program.slots, values, strict=True)]
        fixed = backend.compile(lower(apply(document, edits)), settings)
        assert fixed.slots == ()
        assert same(backend.simulate(fixed, experiments, np.zeros((1, 0)))[0], bound)


STIMULI = {
    "pulses": (Pulse(SITE, 5.0, 2.0, 0.4), Pulse(SITE, 20.0, 5.0, 0.3), Pulse(SITE, 30.0, 1.03, -0.2)),
    "ramp": (Ramp(SITE, 5.0, 30.0, 0.0, 0.3),),
    "sine": (Sine(SITE, 5.0, 30.0, 0.3, 8.0, 0.1),),
    "played": (Played(SITE, (3.0, 9.0, 9.5, 20.0), (0.0, 0.3, 0.0, 0.3)),),
    "clamp": (VoltageClamp(SITE, 0.01, ((5.0, -65.0), (10.0, 0.0), (5.0, -80.0), (5.0, -65.0))),),
}


@pytest.mark.parametrize("settings", [Settings(), Settings(integrator=Integrator.CVODE)], ids=["fixed", "cvode"])
def test_experiments_do_not_see_each_other(settings, root):
    backend = NeuronBackend()
    program = backend.compile(lower(read(root / "examples" / "hh_soma" / "model.nml")), settings)
    experiments = [Experiment(name, 40.0, 279.45, stimuli, (V,)) for name, stimuli in STIMULI.items()]
    experiments.append(Experiment("warm", 40.0, 290.0, STIMULI["pulses"], (V,), -70.0))
    together = backend.simulate(program, experiments, np.zeros((2, 0)))
    assert [r.status for r in together] == [RunStatus.OK] * 2
    assert same(*together)
    for experiment in reversed(experiments):
        alone = backend.simulate(program, [experiment], np.zeros((1, 0)))[0]
        key = (experiment.id, "v")
        assert np.array_equal(alone.traces[key].y, together[0].traces[key].y), experiment.id
        assert np.all(np.diff(alone.traces[key].t_ms) > 0.0)
        assert alone.traces[key].t_ms[[0, -1]].tolist() == [0.0, 40.0]


def test_bad_candidates_are_values_and_leave_no_trace(root, capfd):
    backend = NeuronBackend()
    document = read(root / "examples" / "hh_soma" / "model.nml")
    free = [
        resolve(document, p)[0]
        for p in ("cell:hh_soma/channelDensity:leak/erev", "cell:hh_soma/specificCapacitance/value")
    ]
    experiments = [Experiment("e", 20.0, 279.45, (Pulse(SITE, 5.0, 10.0, 0.2),), (V,))]
    rows = np.array([[-54.4, 1.0], [np.nan, 1.0], [-54.4, 1.0], [1e5, 1.0], [-54.4, 1.0]])
    program = backend.compile(lower(document, free), Settings())
    runs = backend.simulate(program, experiments, rows)
    assert [r.status for r in runs] == [
        RunStatus.OK,
        RunStatus.DIVERGED,
        RunStatus.OK,
        RunStatus.DIVERGED,
        RunStatus.OK,
    ]
    assert same(runs[0], runs[2])
    assert same(runs[0], runs[4])
    assert "'e'" in runs[1].detail
    variable = backend.compile(lower(document, free), Settings(integrator=Integrator.CVODE))
    stuck = backend.simulate(variable, experiments, np.array([[-54.4, 0.0], [-54.4, 1.0]]))
    assert [r.status for r in stuck] == [RunStatus.DIVERGED, RunStatus.OK]
    assert capfd.readouterr() == ("", ""), "NEURON prints into our streams"


def test_numbers_that_neuron_refuses_are_failures(root):
    backend = NeuronBackend()
    document = read(root / "examples" / "ball_and_stick" / "model.nml")
    cell = lower(document, [resolve(document, "cell:ball_and_stick/resistivity/value")[0]])
    experiments = [Experiment("e", 10.0, 300.0, (), (V,))]
    rows = np.array([[150.0], [0.0], [-5.0], [150.0]])
    runs = backend.simulate(backend.compile(cell, Settings()), experiments, rows)
    assert [r.status is RunStatus.OK for r in runs] == [True, False, False, True]
    assert "Ra" in runs[1].detail
    assert same(runs[0], runs[3])


def test_programs_take_turns_in_one_process(root):
    backend = NeuronBackend()
    experiments = [Experiment("e", 30.0, 279.45, (Pulse(SITE, 5.0, 20.0, 0.3),), (V,))]
    cells = [lower(read(root / "examples" / name / "model.nml")) for name in ("hh_soma", "ball_and_stick")]
    programs = [backend.compile(cell, Settings()) for cell in cells]
    first = [backend.simulate(p, experiments, np.zeros((1, 0)))[0] for p in programs]
    second = [backend.simulate(p, experiments, np.zeros((1, 0)))[0] for p in programs]
    assert all(same(a, b) for a, b in zip(first, second, strict=True))
    assert not same(*first)


@pytest.mark.parametrize("dt_ms", [0.025, 0.03, 0.1 / 3.0, 0.007])
def test_any_step_is_kept(dt_ms, root):
    backend = NeuronBackend()
    program = backend.compile(lower(read(root / "examples" / "hh_soma" / "model.nml")), Settings(dt_ms=dt_ms))
    trace = backend.simulate(program, [Experiment("e", 10.0, 279.45, (), (V,))], np.zeros((1, 0)))[0].traces["e", "v"]
    steps = whole_steps(10.0, dt_ms)
    assert len(trace.y) == steps + 1
    assert trace.t_ms[-1] == pytest.approx(steps * dt_ms)


def test_clamp_current_is_ohms_law_and_the_membrane_follows(root):
    backend = NeuronBackend()
    program = backend.compile(lower(read(root / "examples" / "hh_soma" / "model.nml")), Settings(dt_ms=0.005))
    outputs = (V, Output("i", SITE, "i_clamp"), *(Output(d, SITE, f"{d}/iDensity") for d in ("leak", "na", "k")))
    experiment = Experiment("e", 30.0, 279.45, (VoltageClamp(SITE, 1e-3, ((5.0, -65.0), (25.0, -20.0))),), outputs)
    found = backend.simulate(program, [experiment], np.zeros((1, 0)))[0].traces
    late = found["e", "v"].t_ms > 20.0
    membrane = sum(found["e", d].y[late] for d in ("leak", "na", "k")) * np.pi * 20e-6 * 20e-6 * 1e9
    assert np.abs(found["e", "v"].y[late] + 20.0).max() < 0.01
    assert np.allclose(found["e", "i"].y[late][:-1], -membrane[:-1], rtol=1e-3)


def _with_placement(cell, identifier, *changed):
    others = [p for p in cell.placements if p.id != identifier]
    return replace(cell, placements=(*others, *changed))


def test_a_density_on_part_of_a_section_is_off_elsewhere(root):
    backend = NeuronBackend()
    cell = lower(read(root / "examples" / "ball_and_stick" / "model.nml"))
    whole = next(p for p in cell.placements if p.id == "na_dendrite")
    half = replace(whole, compartments=whole.compartments[:5])
    mask = tuple(1.0 if c in half.compartments else 0.0 for c in whole.compartments)
    values = tuple((n, Op("*", (e, Sym("mask"))) if n == "condDensity" else e) for n, e in whole.values)
    masked = replace(whole, values=values, locals=(("mask", mask),))
    experiments = [Experiment("e", 40.0, 300.0, (Pulse(SITE, 5.0, 20.0, 0.5),), (V,))]
    runs = []
    for changed in (whole, half, masked):
        program = backend.compile(_with_placement(cell, "na_dendrite", changed), Settings())
        runs.append(backend.simulate(program, experiments, np.zeros((1, 0)))[0])
    assert not same(runs[0], runs[1])
    # to rounding: a density on all of a section shares its mechanism, so that currents add in another order
    first, second = (run.traces["e", "v"] for run in runs[1:])
    assert np.abs(first.y - second.y).max() < 1e-9


def test_overlapping_densities_add(root):
    backend = NeuronBackend()
    cell = lower(read(root / "examples" / "hh_soma" / "model.nml"))
    whole = next(p for p in cell.placements if p.id == "na")
    values = tuple((n, Op("*", (e, Num(0.5))) if n == "condDensity" else e) for n, e in whole.values)
    halves = (replace(whole, values=values), replace(whole, id="na_again", values=values))
    experiments = [Experiment("e", 40.0, 279.45, (Pulse(SITE, 5.0, 20.0, 0.3),), (V,))]
    traces = []
    for changed in ((whole,), halves):
        program = backend.compile(_with_placement(cell, "na", *changed), Settings())
        traces.append(backend.simulate(program, experiments, np.zeros((1, 0)))[0].traces["e", "v"].y)
    assert np.abs(traces[0] - traces[1]).max() < 1e-6
