"""Conditions, regimes and coupled states inside a gate, against the rules of LEMS stepped in Python."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from lems_constructs import constructs

from nmlopt.backend import Integrator, Numerics, Settings
from nmlopt.document.read import read
from nmlopt.errors import UnsupportedError
from nmlopt.experiment.model import Experiment, Output
from nmlopt.exporters.neuron.backend import NeuronBackend
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell, Site

pytestmark = pytest.mark.neuron

TEXTS = {name.replace("`", ""): text for _, name, text in constructs()}
DT_MS, DURATION_MS = 0.025, 30.0
NUMERICS = pytest.mark.parametrize(
    "numerics", [Numerics.CNEXP, pytest.param(Numerics.JNEUROML, marks=pytest.mark.slow)]
)


def lowered(text: str, folder: Path) -> Cell:
    """The cell of a text."""
    path = folder / "model.nml"
    path.write_text(text)
    return lower(read(path))


def gate(cell: Cell, numerics: Numerics, dt_ms: float = DT_MS) -> np.ndarray:
    """The gate's q at every step."""
    backend = NeuronBackend()
    program = backend.compile(cell, Settings(dt_ms=dt_ms, numerics=numerics))
    experiment = Experiment("e", DURATION_MS, 300.0, (), (Output("q", Site(0, 0.5, 0), "d/g/q"),))
    (run,) = backend.simulate(program, (experiment,), np.zeros((1, 0)))
    assert run.status == "ok", run.detail
    return run.traces["e", "q"].y


@NUMERICS
def test_regimes_of_a_gate(numerics: Numerics, tmp_path: Path) -> None:
    """Up by 0.1/ms until it is above 0.9; then it falls to 0.1, rests for one step, and goes up again."""
    found = gate(lowered(TEXTS["Regime of a gate"].replace(".gt. 0.9", ".gt. 0.90125"), tmp_path), numerics)
    expected, q, mode = [], 0.0, "up"
    for _ in found:
        expected.append(q)
        if mode == "up":
            q += 0.1 * DT_MS
            if q > 0.90125:
                mode, q = "down", 0.1
        elif q < 0.9:
            mode = "up"
    assert np.abs(found - np.array(expected)).max() < 1e-9


@NUMERICS
def test_conditions_of_a_gate(numerics: Numerics, tmp_path: Path) -> None:
    """q' = (1 - q)/5 ms, back to 0.1 in the step in which it passes 0.9. In numerics jneuroml the step is Euler's."""
    text = TEXTS["OnCondition in a gate"]
    found = gate(lowered(text, tmp_path), numerics)
    expected, q = [], 0.0
    for _ in found:
        expected.append(q)
        share = 1.0 - np.exp(-DT_MS / 5.0) if numerics is Numerics.CNEXP else DT_MS / 5.0
        q += (1.0 - q) * share
        q = 0.1 if q > 0.9 else q
    assert np.abs(found - np.array(expected)).max() < 1e-9


def test_coupled_states_converge_to_the_solution(tmp_path: Path) -> None:
    """`derivimplicit`: no cnexp for these two states; forward Euler with a step a hundred times finer is the judge."""
    cell = lowered(TEXTS["coupled, nonlinear states in a gate"], tmp_path)
    (mechanism,) = (m for m in cell.mechanisms if m.kind == "density")
    text = NeuronBackend().compile(cell, Settings()).files
    assert any(re.search(r"METHOD derivimplicit", t) for t in text.values()), mechanism
    coarse, fine = (gate(cell, Numerics.CNEXP, dt) for dt in (0.02, 0.01))
    q = r = 0.0
    judge = []
    for k in range(round(DURATION_MS / 1e-4) + 1):
        if k % 200 == 0:
            judge.append(q)
        q, r = q + 1e-4 * (0.5 - q - r * q) / 5.0, r + 1e-4 * (q - r) / 3.0
    errors = [np.abs(y - np.array(judge)).max() for y in (coarse, fine[::2])]
    assert errors[1] < 0.6 * errors[0] < 1e-3
    assert np.abs(2.0 * fine[::2] - coarse - np.array(judge)).max() < 1e-5


def test_variable_steps_know_of_no_conditions(tmp_path: Path) -> None:
    cell = lowered(TEXTS["OnCondition in a gate"], tmp_path)
    with pytest.raises(UnsupportedError) as caught:
        NeuronBackend().compile(cell, Settings(integrator=Integrator.CVODE))
    (issue,) = caught.value.issues
    assert issue.code == "B013"
    assert re.match(r"model.nml:\d+", issue.where)
