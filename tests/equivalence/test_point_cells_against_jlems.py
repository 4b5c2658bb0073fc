"""Every point cell of the core types spikes when it does in jLEMS, both extrapolated to dt -> 0.

jLEMS steps by forward Euler and resets at whole steps; ours is of second order and resets within a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from element_documents import PASSIVE, TYPES, Builder
from jlems_columns import Wanted, columns
from spikes import crossings

from nmlopt.backend import Settings, Trace
from nmlopt.document.model import Document
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Site

pytestmark = [pytest.mark.neuron, pytest.mark.java]

SITE = Site(0, 0.5, 0)
DURATION_MS, TEMPERATURE_K = 150.0, 293.15
INPUTS = """<pulseGenerator id="current" delay="20ms" duration="120ms" amplitude="0.3nA"/>
<pulseGeneratorDL id="number" delay="20ms" duration="120ms" amplitude="15"/>"""
NO_PORT = {"HH_cond_exp"}
"""jLEMS attaches inputs only to cells that can emit an event."""
NAMES = sorted(
    name
    for name, type_ in TYPES.items()
    if type_.extends("baseCell") and not type_.extends("cell") and type_.dynamics is not None
)
FAST = ["adExIaFCell", "pointCellCondBased"]


def test_adaptive_and_conductance_based_cells(tmp_path: Path) -> None:
    check(FAST, tmp_path, (0.01, 0.005))


@pytest.mark.slow
def test_all_others(tmp_path: Path) -> None:
    check([name for name in NAMES if name not in FAST], tmp_path, (0.005, 0.0025))


def check(names: list[str], folder: Path, steps_ms: tuple[float, float]) -> None:
    """Spike times against jLEMS's, and their number, from two steps each."""
    model = write(names, folder)
    document = read(model)
    jlems = [peer(names, model, dt) for dt in steps_ms]
    for name in names:
        level = 0.5 * (jlems[1][name].y.min() + jlems[1][name].y.max())
        theirs = [crossings(run[name], level) for run in jlems]
        ours = [crossings(simulate(document, name, dt), level) for dt in steps_ms]
        assert len({len(times) for times in (*theirs, *ours)}) == 1, (name, theirs, ours)
        assert len(ours[0]) > 0, name
        limit = 2.0 * theirs[1] - theirs[0]
        found = (4.0 * ours[1] - ours[0]) / 3.0
        # what extrapolation leaves of Euler's error; and for each spike, that jLEMS sees the threshold and the end of a
        # refractory time up to a step late, which does not extrapolate
        allowed = 0.01 + 4.0 * steps_ms[1] * np.arange(1, len(found) + 1)
        assert np.all(np.abs(found - limit) < allowed), (name, found, limit)


def write(names: list[str], folder: Path) -> Path:
    """A document of these cells."""
    make = Builder()
    # the core types' pools need a surface area, which such a cell does not have
    cells = [make.element(name, id_=f"c_{name}").replace("<fixedFactor", "<!-- <fixedFactor") for name in names]
    cells = [cell.replace("</pointCellCondBasedCa>", "--></pointCellCondBasedCa>") for cell in cells]
    body = "\n".join([PASSIVE, *make.top.values(), *cells])
    model = folder / "model.nml"
    model.write_text(f'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n">\n{body}\n</neuroml>\n')
    return model


def variable(name: str) -> str:
    """The membrane potential."""
    return "V" if TYPES[name].extends("baseCellMembPotDL") else "v"


def drive(name: str) -> str:
    """The input that a cell takes."""
    types = [c.type for c in TYPES[name].children.values() if c.kind == "Attachments"]
    return "" if not types or name in NO_PORT else "number" if "DL" in types[0] else "current"


def peer(names: list[str], model: Path, dt_ms: float) -> Mapping[str, Trace]:
    """Membrane potentials (SI) in jLEMS."""
    wanted = [Wanted(f"c_{name}", [variable(name)], drive(name)) for name in names]
    times = {"duration_ms": DURATION_MS, "dt_ms": dt_ms, "temperature_K": TEMPERATURE_K}
    found = columns(model, wanted, inputs=INPUTS, **times)
    return {name: Trace(found["", "t"], found[f"c_{name}", variable(name)]) for name in names}


def simulate(document: Document, name: str, dt_ms: float) -> Trace:
    """The same in NEURON."""
    backend = NeuronBackend()
    cell = lower(document, component=f"c_{name}")
    amplitude = {"current": 0.3, "number": 15.0, "": 0.0}[drive(name)]
    stimuli = (Pulse(SITE, 20.0, 120.0, amplitude),) if amplitude else ()
    has_v = any(s.name == "v" for m in cell.mechanisms for s in m.dynamics.states)
    output = Output("v", SITE, "v" if has_v else f"c_{name}/{variable(name)}")
    program = backend.compile(cell, Settings(dt_ms=dt_ms))
    experiment = Experiment("e", DURATION_MS, TEMPERATURE_K, stimuli, (output,))
    (run,) = backend.simulate(program, (experiment,), np.zeros((1, 0)))
    assert run.status == "ok", (name, run.detail)
    trace = run.traces["e", "v"]
    return Trace(trace.t_ms, 1e-3 * trace.y if has_v else trace.y)
