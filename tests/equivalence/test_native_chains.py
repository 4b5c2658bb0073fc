"""The native kernel where lanes are chains of compartments: a tree with calcium in one part and channels in another.

Against the same equations node by node and against NEURON; the same bits in any batch, on any thread, in narrower
vectors, and for a slot in place of an edited document.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from law import run, same
from spikes import crossings
from tree_cell import experiments, text

from nmlopt.backend import Accuracy, Integrator, Recordings, RunStatus, Settings
from nmlopt.document.edit import Edit, apply
from nmlopt.document.paths import listing
from nmlopt.document.read import read
from nmlopt.exporters import registry
from nmlopt.exporters.native import backend
from nmlopt.exporters.native.source import Layout
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell

SETTINGS = Settings(integrator=Integrator.ADAPTIVE, accuracy=Accuracy.TIGHT)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tree") / "tree.nml"
    path.write_text(text(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def cell(model) -> Cell:
    return lower(read(model), inputs=("synapse",))


def simulated(cell: Cell, settings: Settings, name: str = "native") -> Recordings:
    compiler = registry.load(name)
    made = experiments(cell)
    if name == "neuron":  # voltages alone are compared
        made = (replace(made[0], outputs=made[0].outputs[:2]),)
    assert not compiler.unsupported(cell, made)
    (found,) = run(compiler.compile(cell, settings), made, [[]])
    assert found.status is RunStatus.OK, found.detail
    return found


def test_chains_fill_the_lanes_of_a_tree(cell):
    assert backend.layout_of(cell, SETTINGS) == Layout(8, chained=True)


def test_chains_side_by_side_are_nodes_one_by_one(cell, monkeypatch):
    """The same steps but for rounding, in every recorded variable."""
    chained = simulated(cell, SETTINGS)
    monkeypatch.setattr(backend, "layout_of", lambda *_: Layout(1))
    alone = simulated(cell, SETTINGS)
    assert len(chained.traces) > 10
    for key, trace in alone.traces.items():
        found = chained.traces[key]
        assert found.t_ms == pytest.approx(trace.t_ms, abs=1e-9), key
        # what is looked up in one and computed in the other (few instances) differs by the error of tables
        assert np.abs(found.y - trace.y).max() <= 2e-5 * np.ptp(trace.y), key


@pytest.mark.neuron
def test_chains_meet_what_neuron_converges_to(cell):
    wanted = simulated(cell, Settings(integrator=Integrator.CVODE, atol=1e-8), "neuron")
    found = simulated(cell, replace(SETTINGS, dt_ms=0.0125))
    for output in ("soma", "tip"):
        a, b = (crossings(r.traces["e", output], -30.0) for r in (found, wanted))
        assert len(a) == len(b) > 3
        assert np.abs(a - b).max() < 0.02, output


def test_candidates_do_not_know_of_each_other(model):
    """Batch, order, threads; a slot within a rate, which has tables of its own, beside one outside."""
    document = read(model)
    free = [a for a in listing(document) if a.path.endswith(("nas/condDensity", "n/forwardRate/midpoint"))]
    assert len(free) == 2
    cell = lower(document, free, inputs=("synapse",))
    made, compiler = experiments(cell), registry.load("native")
    start = [slot.default for slot in cell.slots]
    rows = [[x * (1.0 + 0.02 * k) for x in start] for k in range(5)]
    program = compiler.compile(cell, SETTINGS)
    together = run(program, made, rows)
    for k, row in enumerate(rows):
        same(run(program, made, [row])[0], together[k], "alone")
    threaded = run(compiler.compile(cell, replace(SETTINGS, threads=2)), made, rows[::-1])[::-1]
    for a, b in zip(threaded, together, strict=True):
        same(a, b, "backwards on two threads")
    edits = [Edit(a.path, replace(a.quantity, value=x)) for a, x in zip(free, rows[3], strict=True)]
    edited = lower(apply(document, edits), inputs=("synapse",))
    same(run(compiler.compile(edited, SETTINGS), made, [[]])[0], together[3], "edited document")


def test_bits_do_not_depend_on_the_width_of_vectors(cell, monkeypatch):
    wide = simulated(cell, SETTINGS)
    monkeypatch.setenv("CC", "cc -mno-avx512f")
    same(simulated(cell, SETTINGS), wide, "narrower vectors")
