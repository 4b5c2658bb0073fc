"""Gates, rates, schemes, densities and pools of every kind do what they do in jLEMS, both extrapolated to dt -> 0.

One compartment each, without a stimulus (whose edges would not be met alike): the cell starts depolarised and relaxes
through the voltages that matter. Everything that can be recorded in both is compared.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from jlems_columns import Wanted, columns

from nmlopt.backend import Settings
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, MechanismKind, Placement, Site

pytestmark = [pytest.mark.neuron, pytest.mark.java]

SITE = Site(0, 0.5, 0)
EVERY_MS = 0.1
TEMPERATURE_K = 293.15
TOLERANCE = 1e-3
"""Of the range of a variable: what is left of the fastest transients (time constants of 0.1 ms) is of order dt²."""
KINKED = re.compile(r"_(ratesTau|ratesInf|population)/n/(forwardRate/r|alpha|inf|tau)$")
"""What follows the kinks of a user's rate: extrapolation is of order dt there, 1e-2 of the range at these steps."""
DENSITY_ITSELF = ("iDensity", "gDensity", "erev", "i")
NO_PATH_IN_JLEMS = ("scaledByCalcium/factor",)
"""jLEMS finds no path to a child without an id that stands in a list."""


@pytest.mark.parametrize(
    ("model", "name", "steps_ms", "duration_ms", "after_ms"),
    [
        pytest.param("gates", "gates", (0.005, 0.0025), 40.0, 0.0, marks=pytest.mark.slow),
        # jLEMS starts a scheme in its first state, NEURON and we in its steady state: wait until that is forgotten
        pytest.param("gates", "schemes", (0.02, 0.01), 200.0, 150.0, marks=pytest.mark.slow),
        ("calcium", "calcium", (0.02, 0.01), 40.0, 0.0),
        pytest.param("calcium", "shelled", (0.02, 0.01), 60.0, 0.0, marks=pytest.mark.slow),
        pytest.param("calcium", "traubs", (0.02, 0.01), 60.0, 0.0, marks=pytest.mark.slow),
    ],
)
def test_everything_recorded(
    model: str,
    name: str,
    steps_ms: tuple[float, float],
    duration_ms: float,
    after_ms: float,
    root: Path,
    tmp_path: Path,
) -> None:
    source = shutil.copy(root / "tests" / "data" / "elements" / f"{model}.nml", tmp_path)
    text = Path(source).read_text()
    cell = lower(read(Path(source)), component=name)
    known = {v: path for v, path in paths(cell, text, name).items() if not path.endswith(NO_PATH_IN_JLEMS)}
    wanted = [Wanted(name, list(known.values()))]
    runs = []
    for dt in steps_ms:
        read_ = columns(Path(source), wanted, duration_ms=duration_ms, dt_ms=dt, temperature_K=TEMPERATURE_K)
        stride = round(EVERY_MS / dt)
        runs.append({v: read_[name, path][::stride] for v, path in known.items()})
    ours = [simulate(cell, list(known), duration_ms, dt) for dt in steps_ms]
    first = round(after_ms / EVERY_MS)
    wrong = {}
    for v in known:
        theirs = (2.0 * runs[1][v] - runs[0][v])[first:]
        found = (2.0 * ours[1][v] - ours[0][v])[first:]
        scale = np.abs(theirs).max() or 1.0
        difference = np.abs(found - theirs).max() / scale
        if difference > (10.0 * TOLERANCE if KINKED.search(v) else TOLERANCE):
            wrong[v] = difference
    assert not wrong, wrong
    assert len(known) > 10


def paths(cell: Cell, text: str, name: str) -> dict[str, str]:
    """The path in jLEMS of everything that can be recorded, by its name with us."""
    own = re.search(rf'<cell\w* id="{name}">.*?</cell', text, re.DOTALL)
    assert own is not None
    channels = dict(re.findall(r'id="(\w+)" ionChannel="(\w+)"', own[0]))
    biophysics = re.search(r'<(biophysicalProperties(\w*)) id="(\w+)"', own[0])
    assert biophysics is not None
    pools, start = biophysics[2], biophysics[3]
    found = {"v": "v"}
    for placement in cell.placements:
        for exposure, _ in cell.mechanism(placement.mechanism).dynamics.exposures:
            found[f"{placement.id}/{exposure}"] = path(cell, placement, exposure, channels, f"{start}/", pools)
    return found


def path(cell: Cell, placement: Placement, exposure: str, channels: dict[str, str], start: str, pools: str) -> str:
    """The path of one exposure of a density, population or species."""
    if cell.mechanism(placement.mechanism).kind is MechanismKind.POOL:
        return f"{start}intracellularProperties{pools}/{placement.id}/{exposure}"
    inner = "" if exposure in DENSITY_ITSELF else f"{channels[placement.id]}/"
    return f"{start}membraneProperties{pools}/{placement.id}/{inner}{exposure}"


def simulate(cell: Cell, variables: list[str], duration_ms: float, dt_ms: float) -> dict[str, np.ndarray]:
    """Values in SI every EVERY_MS."""
    backend = NeuronBackend()
    program = backend.compile(cell, Settings(dt_ms=dt_ms))
    experiment = Experiment("e", duration_ms, TEMPERATURE_K, (), tuple(Output(v, SITE, v) for v in variables))
    (run,) = backend.simulate(program, (experiment,), np.zeros((1, 0)))
    assert run.status == "ok", run.detail
    stride = round(EVERY_MS / dt_ms)
    return {v: run.traces["e", v].y[::stride] * (1e-3 if v == "v" else 1.0) for v in variables}
