"""Amplitudes that candidates have of their own, several in one call: the bits of experiments that state them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tree_cell
from law import same

from nmlopt.backend import Floats, Integrator, Program, Recordings, RunStatus, Settings
from nmlopt.document.paths import listing, resolve
from nmlopt.document.read import read
from nmlopt.experiment.amplitudes import amplitude_slots, at_amplitudes, with_amplitudes
from nmlopt.experiment.model import Experiment, Output, Pulse, Sine
from nmlopt.exporters import registry
from nmlopt.exporters.native.settling import Branch, branches
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site

SOMA = Site(section=0, x=0.5, compartment=0)
BASE = Experiment(
    "iv", 60.0, 300.0, (Pulse(SOMA, 0.0, 60.0, -0.02), Pulse(SOMA, 20.0, 30.0, 0.0)), (Output("v", SOMA),)
)
ADAPTIVE, FIXED = Settings(), Settings(integrator=Integrator.FIXED)


def test_slots_are_filled_in_their_order():
    sine = replace(BASE, id="s", stimuli=(Sine(SOMA, 5.0, 9.0, 0.0, 7.0, 0.0),), free_amplitudes=(0,))
    experiments = (sine, BASE, *at_amplitudes(BASE, 1, 2))
    assert [e.id for e in experiments] == ["s", "iv", "iv/0", "iv/1"]
    assert amplitude_slots(experiments) == ((0, 0), (2, 1), (3, 1))
    bound = with_amplitudes(experiments, [1.0, 2.0, 3.0])
    assert [e.stimuli[-1].amplitude for e in bound] == [1.0, 0.0, 2.0, 3.0]
    assert [e.stimuli[0].amplitude for e in bound[1:]] == [-0.02] * 3
    assert amplitude_slots(bound) == ()
    with pytest.raises(ValueError):
        with_amplitudes(experiments, [1.0, 2.0])


def test_what_differs_between_candidates_is_not_shared_and_the_rest_is():
    assert branches(at_amplitudes(BASE, 1, 3)) == (None, Branch(0, 20.0), Branch(0, 20.0))
    assert branches(at_amplitudes(BASE, 0, 3)) == (None, None, None)


def simulated(program: Program, experiments: tuple[Experiment, ...], values: Floats) -> tuple[Recordings, ...]:
    found = registry.load(program.backend).simulate(program, experiments, values)
    for one in found:
        assert one.status is RunStatus.OK, one.detail
    return found


def with_slots(path: Path, count: int) -> Cell:
    document = read(path)
    free = [a for a in listing(document) if a.path.endswith(("condDensity", "/a", "/b"))][:count]
    return lower(document, free)


def as_stated(program: Program) -> None:
    """Three candidates with four amplitudes each, beside an experiment without slots, against one run for each."""
    experiments = (*at_amplitudes(BASE, 1, 4), replace(BASE, id="plain"))
    start = np.array([slot.default for slot in program.slots])
    slots = np.array([start * (1.0 + 0.01 * k) for k in range(3)])
    amplitudes = np.array([[0.05, 0.1, 0.2, -0.1], [0.06, 0.3, 0.0, -0.2], [0.15, 0.25, 0.35, 0.01]])
    together = simulated(program, experiments, np.hstack([slots, amplitudes]))
    shapes = {found.traces["iv/1", "v"].y.tobytes() for found in together}
    assert len(shapes) == 3
    for row, found in enumerate(together):
        stated = with_amplitudes(experiments, amplitudes[row].tolist())
        for experiment in stated:
            (alone,) = simulated(program, (experiment,), slots[row : row + 1])
            own = {key: trace for key, trace in found.traces.items() if key[0] == experiment.id}
            same(replace(found, traces=own), alone, experiment.id)


@pytest.mark.parametrize("settings", [ADAPTIVE, FIXED], ids=["adaptive", "fixed"])
@pytest.mark.parametrize("model", ["ball_and_stick", "hh_soma", "izhikevich"])
def test_slots_give_the_bits_of_stated_amplitudes(model: str, settings: Settings, root: Path) -> None:
    cell = with_slots(root / "examples" / model / "model.nml", 2)
    assert len(cell.slots) == 2
    as_stated(registry.load("native").compile(cell, settings))


def test_slots_give_the_bits_of_stated_amplitudes_where_chains_are_lanes(tmp_path: Path) -> None:
    (tmp_path / "tree.nml").write_text(tree_cell.text(), encoding="utf-8")
    as_stated(registry.load("native").compile(with_slots(tmp_path / "tree.nml", 2), ADAPTIVE))


@pytest.mark.neuron
def test_slots_give_the_bits_of_stated_amplitudes_in_neuron(root: Path) -> None:
    """And so in every backend that runs candidates one after the other."""
    as_stated(registry.load("neuron").compile(with_slots(root / "examples/hh_soma/model.nml", 2), Settings()))


IAF = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="m"><iafCell id="iaf" leakReversal="-60 mV"
  thresh="-50 mV" reset="-70 mV" C="0.05 nF" leakConductance="5 nS"/></neuroml>"""


def test_rheobases_of_a_population_are_found_in_a_few_calls(tmp_path: Path) -> None:
    """Each call splits the interval of each candidate in 8; closed form: g (thresh - E)."""
    (tmp_path / "m.nml").write_text(IAF, encoding="utf-8")
    document = read(tmp_path / "m.nml")
    cell = lower(document, [resolve(document, "iafCell:iaf/thresh")[0]], component="iaf")
    program = registry.load("native").compile(cell, FIXED)
    base = Experiment("r", 400.0, 300.0, (Pulse(SOMA, 10.0, 380.0, 0.0),), (Output("v", SOMA),))
    experiments = at_amplitudes(base, 0, 7)
    thresholds = np.linspace(-55.0, -40.0, 40)
    low, high = np.zeros(40), np.full(40, 0.2)
    for _ in range(4):
        inside = low[:, None] + (high - low)[:, None] * np.arange(1, 8) / 8.0
        found = simulated(program, experiments, np.hstack([thresholds[:, None], inside]))
        fired = np.array([[one.traces[e.id, "v"].y.min() < -65.0 for e in experiments] for one in found])
        assert np.all(np.diff(fired.astype(int), axis=1) >= 0)  # more current never silences this cell
        silent = 7 - fired.sum(axis=1)
        edges = np.hstack([low[:, None], inside, high[:, None]])
        low, high = edges[np.arange(40), silent], edges[np.arange(40), silent + 1]
    wanted = 5e-3 * (thresholds + 60.0)  # nA
    assert np.all(high - low < 5e-5)
    assert np.abs(0.5 * (low + high) - wanted).max() < 6e-5
