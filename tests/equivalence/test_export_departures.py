"""Where jNeuroML's NEURON export departs from the core types, which our numerics jneuroml follow, in a small document.

A time course that reads the alpha of its gate gets that of the step before, and a cell that stands somewhere has
another area (NEURON holds its points in single precision). This is what makes the published case
BlueBrainProjectShowcase/NMC/NeuroML2/.test.jnmlnrn.omt miss its tolerance by a hundredth of it: two steps of 0.001 ms.

An input inside a compound input is a state that BREAKPOINT sets after the current was computed from it. NEURON computes
currents twice, at v + 0.001 mV and at v: where the input changes by I between the two it finds a conductance of
I / 0.001 mV, for one step. Where that is -C/dt the step divides by zero, in the export as in our numerics jneuroml.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from export_repairs import Repair, in_turn, plain_literals, rates_in_order, where_they_were_drawn
from lems_peer import run_peer

from nmlopt.api.lems_running import prepare_lems, run_lems
from nmlopt.api.problem import Options
from nmlopt.backend import Numerics, Settings
from nmlopt.document.model import Document
from nmlopt.document.read import read
from nmlopt.errors import SimulationError

pytestmark = [pytest.mark.neuron, pytest.mark.java, pytest.mark.slow]
SAME_V = 1e-9


@pytest.fixture
def document(root: Path) -> Document:
    return read(root / "tests" / "data" / "lems" / "LEMS_late_alpha.xml")


def ours(document: Document) -> np.ndarray:
    """Our voltages (V)."""
    done = run_lems(prepare_lems(document, Options(settings=Settings(numerics=Numerics.JNEUROML))))
    return done.playback.table(done.simulation.files[0])[:, 1]


def exported(document: Document, folder: Path, repair: Repair) -> np.ndarray:
    """The export's voltages (V) with a repair."""
    (table,) = run_peer(document, ["late.dat"], folder, repair=repair).tables.values()
    return table[:, 1]


def spikes(v: np.ndarray) -> list[int]:
    return (np.flatnonzero((v[:-1] <= 0.0) & (v[1:] > 0.0)) + 1).tolist()


def test_with_both_repairs_the_export_gives_our_trace(document: Document, tmp_path: Path) -> None:
    mine = ours(document)
    theirs = exported(document, tmp_path, in_turn(plain_literals, rates_in_order, where_they_were_drawn))
    assert len(spikes(mine)) > 2
    assert spikes(theirs) == spikes(mine)
    assert np.abs(theirs - mine).max() < SAME_V


def test_late_alphas_change_the_export(document: Document, tmp_path: Path) -> None:
    mine = ours(document)
    theirs = exported(document, tmp_path, in_turn(plain_literals, where_they_were_drawn))
    assert np.abs(theirs - mine).max() > 1e5 * SAME_V  # 0.1 mV on the flank of a spike


def test_where_the_cell_stands_changes_the_export(document: Document, tmp_path: Path) -> None:
    mine = ours(document)
    theirs = exported(document, tmp_path, in_turn(plain_literals, rates_in_order))
    assert np.abs(theirs - mine).max() > SAME_V


@pytest.fixture
def switched(root: Path) -> Document:
    return read(root / "tests" / "data" / "omv" / "switch" / "LEMS_switch.xml")


def test_at_one_step_a_switch_divides_the_export_by_zero(switched: Document, tmp_path: Path) -> None:
    """As in the published case NeuroML2/LEMSexamples/test/.test.ex16.jnmlnrn.omt at 0.00025 ms."""
    for dt_ms, stays in ((0.01, True), (0.002, True), (0.0025, False)):
        (table,) = run_peer(switched, ["switch.dat"], tmp_path / f"{dt_ms}", dt_ms=dt_ms).tables.values()
        assert bool((np.abs(table[:, 1]) < 0.1).all()) == stays, dt_ms


def test_so_it_does_our_numerics_jneuroml_and_not_our_own(switched: Document) -> None:
    def run(numerics: Numerics, dt_ms: float) -> int:
        done = run_lems(prepare_lems(switched, Options(settings=Settings(numerics=numerics)), dt_ms=dt_ms))
        return len(spikes(done.playback.table(done.simulation.files[0])[:, 1]))

    assert run(Numerics.JNEUROML, 0.002) == 7
    with pytest.raises(SimulationError):
        run(Numerics.JNEUROML, 0.0025)
    assert run(Numerics.CNEXP, 0.0025) == 7
