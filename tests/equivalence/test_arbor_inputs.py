"""Inputs, synapses and voltage clamps in Arbor: NEURON's voltages at the same step, the law of slots, the export.

Both simulators step the membrane implicitly, states by exponentials and events at the nearest step, so voltages agree
to rounding at any one step. A sample at the very step of an event shows what is before it in NEURON, after it in Arbor.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from input_documents import MODEL
from law import alike, run, same

from nmlopt.backend import Settings, Trace
from nmlopt.document.edit import Edit, apply
from nmlopt.document.model import Document
from nmlopt.document.paths import resolve
from nmlopt.document.read import read
from nmlopt.experiment.model import Attached, Experiment, Output, Stimulus, VoltageClamp
from nmlopt.exporters import registry
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site
from nmlopt.units import Quantity

pytestmark = [pytest.mark.neuron, pytest.mark.arbor]

SITE = Site(0, 0.5, 0)
V = Output("v", SITE)
COMPONENTS = ("one", "two", "plastic", "both", "pulse", "sine", "triple", "clip")
FEW = ("one", "pulse", "plastic")
"""Each test that compiles anew takes these: Arbor's catalogues are slow to build."""
EVENTS_MS = (3.0, 7.018, 7.5, 9.0151, 20.0)
CLAMP = VoltageClamp(SITE, 0.5, ((10.0, -70.0), (7.0, -20.0), (8.0, -65.0)))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    path = tmp_path_factory.mktemp("inputs") / "model.nml"
    path.write_text(MODEL)
    return read(path)


@pytest.fixture(scope="module")
def cell(document: Document) -> Cell:
    return lower(document, component="ball", inputs=COMPONENTS)


def _experiment(cell: Cell, component: str) -> Experiment:
    """One input with its events, and all that it exposes."""
    dynamics = cell.input_mechanism(component).dynamics
    exposed = tuple(Output(name, SITE, f"a/{name}") for name, _ in dynamics.exposures)
    attached = Attached(SITE, "a", component, 0.7, EVENTS_MS if dynamics.events else ())
    return Experiment(component, 30.0, 300.0, (attached,), (V, *exposed))


def _clamped(*others: Stimulus) -> Experiment:
    return Experiment("clamp", 30.0, 300.0, (CLAMP, *others), (V, Output("i", SITE, "i_clamp")))


def _traces(backend: str, cell: Cell, experiments: Sequence[Experiment]) -> Mapping[tuple[str, str], Trace]:
    simulator = registry.load(backend)
    assert simulator.unsupported(cell, experiments) == ()
    program = simulator.compile(cell, Settings(dt_ms=0.01))
    (found,) = simulator.simulate(program, experiments, np.empty((1, 0)))
    assert found.status == "ok", found.detail
    return found.traces


def test_inputs_and_clamps_give_the_voltages_of_neuron(cell: Cell) -> None:
    experiments = (*(_experiment(cell, component) for component in COMPONENTS), _clamped())
    neuron, arbor = (_traces(backend, cell, experiments) for backend in ("neuron", "arbor"))
    steps = {round(t / 0.01) for t in (*EVENTS_MS, 5.0, 15.0, 25.0)}  # and the edges of generators
    for (experiment, output), wanted in neuron.items():
        found = arbor[experiment, output]
        assert found.t_ms == pytest.approx(wanted.t_ms, abs=1e-9)
        smooth = [k for k in range(len(wanted.y)) if output == "v" or k not in steps]
        scale = float(np.ptp(wanted.y)) + 1e-30
        assert np.abs(found.y - wanted.y)[smooth].max() <= 1e-9 * scale, (experiment, output)
        assert scale > 1e-12 or output == "clips", (experiment, output)


def test_two_inputs_of_one_kind_at_one_place_are_two(cell: Cell) -> None:
    """Arbor would make one of them, of twice the state."""
    pair = tuple(Attached(SITE, id_, "one", 0.5, EVENTS_MS) for id_ in ("a", "b"))
    outputs = (V, Output("g", SITE, "b/g"))
    twins = Experiment("twins", 30.0, 300.0, pair, outputs)
    single = Experiment("single", 30.0, 300.0, (Attached(SITE, "b", "one", 1.0, EVENTS_MS),), outputs)
    found = _traces("arbor", cell, (twins, single))
    assert found["twins", "v"].y == pytest.approx(found["single", "v"].y, abs=1e-9)
    assert found["twins", "g"].y == pytest.approx(0.5 * found["single", "g"].y, rel=1e-12)


def test_the_law_of_slots_holds_for_inputs(document: Document) -> None:
    paths = ("expOneSynapse:one/gbase", "blockingPlasticSynapse:plastic/tauRise", "pulseGenerator:pulse/delay")
    addresses = [resolve(document, path)[0] for path in paths]
    lowered = lower(document, addresses, component="ball", inputs=FEW)
    compiler = registry.load("arbor")
    program = compiler.compile(lowered, Settings())
    experiments = tuple(_experiment(lowered, component) for component in FEW)
    published = [slot.default for slot in program.slots]
    wanted = [1.3 * value for value in published]
    first, second, third = run(program, experiments, [wanted, published, wanted])
    same(first, third, "A, B, A")
    assert not any(
        np.array_equal(first.traces[e.id, "v"].y, second.traces[e.id, "v"].y) for e in experiments
    )  # fmt: skip
    edits = [Edit(a.path, Quantity(x, a.quantity.unit)) for a, x in zip(addresses, wanted, strict=True)]
    edited = apply(document, edits)
    again = compiler.compile(
        lower(edited, [resolve(edited, path)[0] for path in paths], component="ball", inputs=FEW), Settings()
    )
    assert again.folder == program.folder, "built once for all values of the slots"
    same(run(again, experiments, [wanted])[0], first, "edited, with slots")
    folded = compiler.compile(lower(edited, component="ball", inputs=FEW), Settings())
    alike(run(folded, experiments, [[]])[0], first, "edited, without slots")


def test_an_exported_folder_records_the_same_with_arbor_alone(document: Document, tmp_path: Path) -> None:
    cell = lower(document, component="ball", inputs=FEW)
    experiments = (*(_experiment(cell, component) for component in FEW), _clamped())
    arbor = registry.load("arbor")
    program = arbor.compile(cell, Settings())
    out = tmp_path / "out"
    arbor.export(program, experiments, out)
    alone = [sys.executable, "-I", str(out / "run.py")]
    done = subprocess.run(alone, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (wanted,) = arbor.simulate(program, experiments, np.empty((1, 0)))
    about = json.loads((out / "experiments.json").read_text())
    for experiment, said in zip(experiments, about["experiments"], strict=True):
        for output, described in zip(experiment.outputs, said["outputs"], strict=True):
            with (out / described["file"]).open(newline="") as stream:
                rows = list(csv.reader(stream))[1:]
            trace = wanted.traces[experiment.id, output.id]
            scale = float(np.abs(trace.y).max()) + 1e-30
            assert [float(t) for t, _ in rows] == pytest.approx(trace.t_ms.tolist(), abs=1e-9)
            # compiled without our flags, so multiplications and additions may be fused: the last digits differ
            assert np.array([float(y) for _, y in rows]) == pytest.approx(trace.y, abs=1e-9 * scale), output
