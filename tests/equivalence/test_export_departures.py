"""Where jNeuroML's NEURON export departs from the core types, which our numerics jneuroml follow, in a small document.

A time course that reads the alpha of its gate gets that of the step before, and a cell that stands somewhere has
another area (NEURON holds its points in single precision). This is what makes the published case
BlueBrainProjectShowcase/NMC/NeuroML2/.test.jnmlnrn.omt miss its tolerance by a hundredth of it: two steps of 0.001 ms.
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
