"""A cell whose sodium gate follows the voltage at once, against the same equations integrated to 1e-10 by SciPy."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from spikes import crossings, extrapolate

from nmlopt.backend import Numerics, Settings, Trace
from nmlopt.document.read import read
from nmlopt.experiment.model import Experiment, Output, Pulse
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site

pytestmark = pytest.mark.neuron

GATE = re.compile(r'<gateHHrates id="m".*?</gateHHrates>', re.DOTALL)
AT_ONCE = """<gateHHInstantaneous id="m" instances="3">
    <steadyState type="HHSigmoidVariable" rate="1" midpoint="-40 mV" scale="9 mV"/></gateHHInstantaneous>"""
AREA_UM2 = np.pi * 17.841242**2
AMPLITUDE_NA, DELAY_MS, DURATION_MS = 0.4, 2.0, 30.0
PULSE_MS = 25.0
SOMA = Site(0, 0.5, 0)


@pytest.fixture
def cell(root: Path, tmp_path: Path) -> Cell:
    text = (root / "tests" / "data" / "lems" / "squid.cell.nml").read_text()
    (tmp_path / "cell.nml").write_text(GATE.sub(AT_ONCE, text, count=1))
    return lower(read(tmp_path / "cell.nml"))


def ours(cell: Cell, dt_ms: float) -> Trace:
    backend = NeuronBackend()
    program = backend.compile(cell, Settings(dt_ms=dt_ms, numerics=Numerics.CNEXP))
    pulse = Pulse(SOMA, DELAY_MS, PULSE_MS, AMPLITUDE_NA)
    (run,) = backend.simulate(
        program, (Experiment("e", DURATION_MS, 279.45, (pulse,), (Output("v", SOMA),)),), np.zeros((1, 0))
    )
    assert run.status == "ok", run.detail
    return run.traces["e", "v"]


def integrated() -> Trace:
    """mV, ms, mS/cm², µA/cm²."""
    density = AMPLITUDE_NA / AREA_UM2 * 1e5

    def slopes(t: float, y: np.ndarray, drive: float) -> list[float]:
        v, h, n = y
        m = 1.0 / (1.0 + np.exp(-(v + 40.0) / 9.0))
        h_up, h_down = 0.07 * np.exp(-(v + 65.0) / 20.0), 1.0 / (1.0 + np.exp(-(v + 35.0) / 10.0))
        x = (v + 55.0) / 10.0
        n_up, n_down = 0.1 * x / (1.0 - np.exp(-x)), 0.125 * np.exp(-(v + 65.0) / 80.0)
        current = 0.3 * (v + 54.3) + 120.0 * m**3 * h * (v - 50.0) + 36.0 * n**4 * (v + 77.0)
        return [drive - current, h_up * (1.0 - h) - h_down * h, n_up * (1.0 - n) - n_down * n]

    v = -65.0
    h_up, h_down = 0.07, 1.0 / (1.0 + np.exp(3.0))
    n_up, n_down = 0.1 / (np.exp(1.0) - 1.0), 0.125
    y = [v, h_up / (h_up + h_down), n_up / (n_up + n_down)]
    edges = (0.0, DELAY_MS, DELAY_MS + PULSE_MS, DURATION_MS)
    times, values = [], []
    for begin, end, drive in zip(edges, edges[1:], (0.0, density, 0.0), strict=False):
        t = np.linspace(begin, end, round((end - begin) / 0.001) + 1)
        found = solve_ivp(slopes, (begin, end), y, args=(drive,), t_eval=t, rtol=1e-10, atol=1e-12, method="LSODA")
        y = found.y[:, -1]
        times.append(t[:-1])
        values.append(found.y[0, :-1])
    return Trace(np.concatenate(times), np.concatenate(values))


def test_spikes_tend_to_those_of_the_equations(cell: Cell) -> None:
    expected = crossings(integrated(), 0.0)
    assert len(expected) > 2
    coarse, fine = (crossings(ours(cell, dt_ms), 0.0) for dt_ms in (0.0125, 0.00625))
    assert extrapolate(coarse, fine) == pytest.approx(expected, abs=0.01)


def test_coarse_steps_stay_between_the_reversal_potentials(cell: Cell) -> None:
    """With the negative slope of the gate in the conductance a step of 0.05 ms leaves them by more than 100 mV."""
    for dt_ms in (0.1, 0.05, 0.025):
        y = ours(cell, dt_ms).y
        assert -77.0 < y.min() < y.max() < 50.0, dt_ms
