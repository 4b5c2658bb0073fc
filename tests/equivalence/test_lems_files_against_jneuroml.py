"""The files of `nmlopt simulate LEMS --numerics jneuroml` against those of jNeuroML's own NEURON export.

The export rounds numbers of the document to single precision, which a spike's upstroke shows in the fifth digit: here
they stand as the document writes them (tests/tools/export_repairs.py).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from export_repairs import plain_literals
from lems_peer import run_peer

from nmlopt.api.lems_running import simulate_lems
from nmlopt.api.problem import Options
from nmlopt.backend import Numerics, Settings
from nmlopt.document.read import read

pytestmark = [pytest.mark.neuron, pytest.mark.java]
CASES = {
    "model/LEMS_hh.xml": ({"../results/hh.dat": "results/hh.dat"}, ("clock.spikes", "cells.spikes")),
    "point/LEMS_point.xml": ({"point.dat": "point.dat"}, ()),
}
DIGITS = 1e-6
"""Both print seven digits; one in the last is rounding."""


@pytest.mark.parametrize("name", CASES)
def test_same_files_columns_units_and_rows(name: str, root: Path, tmp_path: Path) -> None:
    tables, events = CASES[name]
    folder = root / "tests" / "data"
    options = Options(settings=Settings(numerics=Numerics.JNEUROML), root=folder)
    simulate_lems(folder / "omv" / name, tmp_path / "ours", options)
    document = read(folder / "omv" / name, root=folder)
    peer = run_peer(document, list(tables), tmp_path / "theirs", repair=plain_literals)
    beside = tmp_path / "theirs" / "omv" / Path(name).parent
    for (written, ours), theirs in zip(tables.items(), peer.tables.values(), strict=True):
        mine = np.loadtxt(tmp_path / "ours" / ours)
        assert mine.shape == theirs.shape, written
        for column in range(theirs.shape[1]):
            largest = np.abs(theirs[:, column]).max()
            assert np.abs(mine[:, column] - theirs[:, column]).max() <= DIGITS * largest, (written, column)
    for written in events:
        mine, theirs_events = (np.loadtxt(f, ndmin=2) for f in (tmp_path / "ours" / written, beside / written))
        assert mine == pytest.approx(theirs_events, abs=1e-12)
