"""Arbor against NEURON on our own cells, both extrapolated to a step of zero; and the export of a cell.

At any one step they differ: both are of first order, each with an error of its own.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from spikes import crossings, extrapolate

from nmlopt.backend import Settings, Trace
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Played, Pulse, Ramp, Sine, Stimulus
from nmlopt.exporters import registry
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site

pytestmark = [pytest.mark.neuron, pytest.mark.arbor]

TOLERANCES = tomllib.loads(Path(__file__).with_name("tolerances.toml").read_text())["arbor"]["cnexp"]
STEPS_MS = (0.02, 0.01)
THRESHOLD_MV = 0.0


@dataclass(frozen=True)
class Subject:
    """A cell of ours and the current (nA) into its first compartment from 5 ms on."""

    model: str
    amplitude: float
    component: str | None = None
    duration_ms: float = 60.0


SUBJECTS = {
    "hh_soma": Subject("examples/hh_soma/model.nml", 0.2),
    "ball_and_stick": Subject("examples/ball_and_stick/model.nml", 0.2),
    "shelled": Subject("tests/data/elements/calcium.nml", 0.02, "shelled"),
    "traubs": Subject("tests/data/elements/calcium.nml", 0.02, "traubs"),
}


def _cell(subject: Subject, root: Path) -> Cell:
    return lower(read(root / subject.model), component=subject.component)


def _traces(backend: str, cell: Cell, experiment: Experiment, dt_ms: float) -> dict[str, Trace]:
    simulator = registry.load(backend)
    assert simulator.unsupported(cell, (experiment,)) == ()
    program = simulator.compile(cell, Settings(dt_ms=dt_ms))
    (run,) = simulator.simulate(program, (experiment,), np.empty((1, 0)))
    assert run.status == "ok", run.detail
    return {output: trace for (_, output), trace in run.traces.items()}


def _compare(cell: Cell, experiment: Experiment) -> int:
    """Assert that spikes, and the trace up to the first of them, are the same at a step of zero; number of spikes."""
    found = {b: [_traces(b, cell, experiment, dt) for dt in STEPS_MS] for b in ("neuron", "arbor")}
    total = 0
    for output in experiment.outputs:
        spikes, traces = {}, {}
        for backend, (coarse, fine) in found.items():
            times = [crossings(run[output.id], THRESHOLD_MV) for run in (coarse, fine)]
            assert len(times[0]) == len(times[1]), (backend, times)
            spikes[backend] = extrapolate(*times)
            rows = len(coarse[output.id].y)
            traces[backend] = extrapolate(coarse[output.id].y, fine[output.id].y[::2][:rows])
        assert len(spikes["neuron"]) == len(spikes["arbor"]), spikes
        assert spikes["arbor"] == pytest.approx(spikes["neuron"], abs=TOLERANCES["extrapolated_ms"])
        first = spikes["neuron"][0] - 2.0 if len(spikes["neuron"]) else experiment.duration_ms
        before = int(first / STEPS_MS[0])
        assert traces["arbor"][:before] == pytest.approx(traces["neuron"][:before], abs=TOLERANCES["trace_mV"])
        total += len(spikes["neuron"])
    return total


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_same_cell_in_both(name: str, root: Path) -> None:
    subject = SUBJECTS[name]
    cell = _cell(subject, root)
    assert cell.geometry is not None
    last = len(cell.geometry.compartments) - 1
    sites = [Site(cell.geometry.compartments[k].section, cell.geometry.compartments[k].x, k) for k in {0, last}]
    stimuli = (Pulse(sites[0], 5.0, subject.duration_ms - 10.0, subject.amplitude),)
    outputs = tuple(Output(f"v{site.compartment}", site) for site in sites)
    temperature = cell.temperature_K or 279.45
    spikes = _compare(cell, Experiment("e", subject.duration_ms, temperature, stimuli, outputs))
    if name in ("hh_soma", "ball_and_stick"):
        assert spikes


@pytest.mark.parametrize(
    "stimulus",
    [
        Ramp(Site(0, 0.5, 0), 5.0, 30.0, 0.0, 0.05),
        Sine(Site(0, 0.5, 0), 5.0, 40.0, 0.03, 13.0, 0.7),
        Played(Site(0, 0.5, 0), (3.0, 10.0, 20.0, 40.0), (0.0, 0.03, -0.03, 0.02)),
    ],
    ids=["ramp", "sine", "played"],
)
def test_stimuli_are_the_same_in_both(stimulus: Stimulus, root: Path) -> None:
    site = Site(0, 0.5, 0)
    cell = _cell(SUBJECTS["ball_and_stick"], root)
    _compare(cell, Experiment("e", 50.0, 279.45, (stimulus,), (Output("v", site),)))


def test_an_initial_potential_that_is_given_holds_everywhere(root: Path) -> None:
    site = Site(0, 0.5, 0)
    cell = _cell(SUBJECTS["ball_and_stick"], root)
    _compare(cell, Experiment("e", 30.0, 279.45, (), (Output("v", site),), v_init_mV=-80.0))


@pytest.mark.parametrize("name", ["hh_soma", "shelled", "traubs"])
def test_everything_that_a_cell_exposes_is_the_same_in_both(name: str, root: Path) -> None:
    """Gates, rates, conductances, currents and concentrations by their names, from t = 0 on."""
    cell = _cell(SUBJECTS[name], root)
    site = Site(0, 0.5, 0)
    names = {
        f"{placement.id}/{exposure}"
        for placement in cell.placements
        for exposure, _ in cell.mechanism(placement.mechanism).dynamics.exposures
    }
    outputs = tuple(Output(name, site, name) for name in sorted(names))
    assert {"hh_soma": "na/m/q", "shelled": "ca/concentration", "traubs": "d_ca/iDensity"}[name] in names
    pulse = Pulse(site, 5.0, 20.0, 0.03)
    experiment = Experiment("e", 20.0, cell.temperature_K or 300.0, (pulse,), outputs)
    found = {b: [_traces(b, cell, experiment, dt) for dt in STEPS_MS] for b in ("neuron", "arbor")}
    for output in outputs:
        limit = {}
        for backend, (coarse, fine) in found.items():
            assert len(coarse[output.id].y) == 1001
            limit[backend] = extrapolate(coarse[output.id].y, fine[output.id].y[::2])
        scale = max(float(np.ptp(limit["neuron"])), 1e-6 * float(np.abs(limit["neuron"]).max()))
        allowed = TOLERANCES["recorded_of_range"] * scale
        assert limit["arbor"] == pytest.approx(limit["neuron"], rel=1e-12, abs=allowed), output.id
        assert limit["arbor"][0] == pytest.approx(limit["neuron"][0], rel=1e-9, abs=1e-30), output.id


def test_candidates_of_one_batch_know_nothing_of_each_other(root: Path) -> None:
    document = read(root / SUBJECTS["ball_and_stick"].model)
    (address,) = resolve(document, "channelDensity:na_soma/condDensity")
    cell = lower(document, (address,))
    arbor = registry.load("arbor")
    program = arbor.compile(cell, Settings())
    site = Site(0, 0.5, 0)
    pulses = (Pulse(site, 5.0, 20.0, 0.2),)
    long = Experiment("long", 30.0, 279.45, pulses, (Output("v", site),))
    short = Experiment("short", 12.0, 279.45, pulses, (Output("v", site),))
    default = cell.slots[0].default
    values = np.array([[default], [float("nan")], [0.5 * default], [default]])
    together = arbor.simulate(program, (long, short), values)
    assert [run.status for run in together] == ["ok", "failed", "ok", "ok"]
    assert "condDensity" in together[1].detail
    for row in (0, 2, 3):
        (alone,) = arbor.simulate(program, (long, short), values[row : row + 1])
        for key, trace in alone.traces.items():
            assert np.array_equal(trace.y, together[row].traces[key].y)
    assert not np.array_equal(together[0].traces["long", "v"].y, together[2].traces["long", "v"].y)


def test_an_exported_folder_gives_the_same_numbers_with_arbor_alone(root: Path, tmp_path: Path) -> None:
    cell = _cell(SUBJECTS["shelled"], root)
    site = Site(0, 0.5, 0)
    stimuli = (Pulse(site, 5.0, 10.0, 0.01), Sine(site, 3.0, 10.0, 0.005, 7.0, 0.2))
    experiment = Experiment("a b", 20.0, 300.0, stimuli, (Output("v", site),))
    arbor = registry.load("arbor")
    program = arbor.compile(cell, Settings())
    written = arbor.export(program, (experiment,), tmp_path / "out")
    assert {p.name for p in written} >= {"run.py", "README.md", "morphology.acc", "a_b.decor.acc", "experiments.json"}
    alone = [sys.executable, "-I", "-c", f"import runpy; runpy.run_path({str(tmp_path / 'out' / 'run.py')!r})"]
    done = subprocess.run(alone, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "a_b.v.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    (run,) = arbor.simulate(program, (experiment,), np.empty((1, 0)))
    # compiled without our flags, so multiplications and additions may be fused: the last digits differ
    assert np.array([float(v) for _, v in rows]) == pytest.approx(run.traces["a b", "v"].y, rel=1e-9)
