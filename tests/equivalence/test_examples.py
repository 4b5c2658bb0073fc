"""Each example, fitted: its solutions score as stored, differ from the model where they should, and run elsewhere.

jNeuroML validates them; its own NEURON export gives the spikes of our numerics `jneuroml` to the step; jLEMS (single
compartments) and our `cnexp`, both extrapolated to dt -> 0, agree within 0.05 ms.
"""

from __future__ import annotations

import difflib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jneuroml_runner import Pulse, Run, crossings, steps_above, validates, voltage
from spikes import extrapolate

from nmlopt.api.fitting import Plan, fit_files
from nmlopt.api.inspecting import present_recordings, score
from nmlopt.api.problem import Loaded, Options, load
from nmlopt.api.searching import Machine, Search
from nmlopt.backend import Numerics, Settings
from nmlopt.experiment import model as experiment_model
from nmlopt.optimise.model import AlgorithmSettings
from nmlopt.optimise.stopping import StopRule
from nmlopt.results.summary import SolutionSummary

pytestmark = [pytest.mark.neuron, pytest.mark.java]

EXAMPLES = ("hh_soma", "ball_and_stick", "izhikevich")
AGREEMENT_MS = 0.05
"""What two integrators may differ by when both are extrapolated to a step of zero."""


@pytest.fixture(scope="module", params=EXAMPLES)
def fitted(request, root, tmp_path_factory):
    """(example folder, run folder, solutions): a short fit."""
    example = root / "examples" / request.param
    out = tmp_path_factory.mktemp(request.param) / "run"
    plan = Plan(
        search=Search(AlgorithmSettings(offspring=8), seeds=(1,)),
        rule=StopRule(generations=3),
        machine=Machine(workers=2),
        solutions=2,
        rescore=False,
    )
    result = fit_files(
        example / "model.nml", example / "targets.json", out, plan=plan, options=Options(), on_progress=lambda _: None
    )
    return example, out, result.summary.solutions


def _best(fitted) -> tuple[Path, Path, SolutionSummary]:
    example, out, solutions = fitted
    return example, out / solutions[0].model, solutions[0]


def test_every_solution_scores_exactly_as_stored(fitted):
    example, out, solutions = fitted
    assert solutions
    for solution in solutions:
        _, evaluation = score(out / solution.model, example / "targets.json", Options())
        assert dict(evaluation.scores) == solution.scores
        assert evaluation.total == solution.sum


def test_a_diff_shows_fitted_attributes_and_provenance_only(fitted):
    example, out, solutions = fitted
    edits = json.loads((out / solutions[0].model).with_name("scores.json").read_text())["edits"]
    written = {edit["value"] for edit in edits} | {edit["value"].replace(" ", "") for edit in edits}
    removed = added = 0
    for original in example.rglob("*.nml"):
        fitted_file = (out / solutions[0].model).parent / original.relative_to(example)
        before, after = original.read_text().splitlines(), fitted_file.read_text().splitlines()
        for line in difflib.ndiff(before, after):
            if line.startswith("- "):
                removed += 1
            if line.startswith("+ "):
                is_provenance = "nmlopt:" in line or "annotation>" in line
                assert is_provenance or any(value in line for value in written), line
                added += not is_provenance
    assert removed == added
    assert 0 < added <= len(edits)


def test_jneuroml_validates_it(fitted, tmp_path):
    _, model, _ = _best(fitted)
    copy = _copied(model, tmp_path)
    assert validates(copy) == ""


def test_its_neuron_export_gives_our_spikes_to_the_step(fitted, tmp_path):
    example, model, _ = _best(fitted)
    loaded = load(model, example / "targets.json", Options(settings=Settings(numerics=Numerics.JNEUROML)))
    experiment, key = _spiking(loaded)
    trace = present_recordings(loaded).traces[key]
    run = _peer(loaded, experiment, _copied(model, tmp_path), loaded.problem.program.settings.dt_ms)
    t, v = voltage(run, tmp_path, engine="neuron")
    ours, theirs = steps_above(trace.t_ms, trace.y), steps_above(t, v)
    assert len(ours) > 2
    np.testing.assert_allclose(ours, theirs, atol=1e-3)  # the export prints times with seven digits
    # SI voltages are printed with seven digits after a float32 conversion of every quantity
    np.testing.assert_allclose(trace.y[: len(v)], v[: len(trace.y)], atol=0.05)


def test_jlems_and_cnexp_agree_as_the_step_goes_to_zero(fitted, tmp_path):
    example, model, _ = _best(fitted)
    options = Options()
    loaded = load(model, example / "targets.json", options)
    if loaded.cell.geometry is not None and len(loaded.cell.geometry.compartments) > 1:
        return  # jLEMS takes one compartment only: the NEURON export above is the peer of the others
    experiment, key = _spiking(loaded)
    copy = _copied(model, tmp_path)
    ours, theirs = [], []
    for dt in (0.01, 0.005):
        fine = replace(options, settings=Settings(dt_ms=dt))
        trace = present_recordings(load(model, example / "targets.json", fine)).traces[key]
        ours.append(crossings(trace.t_ms, trace.y, -20.0))
        t, v = voltage(_peer(loaded, experiment, copy, dt), tmp_path, engine="jlems")
        theirs.append(crossings(t, v, -20.0))
    np.testing.assert_allclose(extrapolate(*ours), extrapolate(*theirs), atol=AGREEMENT_MS)


def _copied(model: Path, folder: Path) -> Path:
    place = folder / "copy"
    if not place.exists():
        shutil.copytree(model.parent, place)
    return place / model.name


def _spiking(loaded: Loaded) -> tuple[experiment_model.Experiment, tuple[str, str]]:
    """The protocol with the largest pulse, and its recording of the soma's voltage."""

    def amplitude(experiment: experiment_model.Experiment) -> float:
        return max((s.amplitude for s in experiment.stimuli if isinstance(s, experiment_model.Pulse)), default=0.0)

    experiment = max(loaded.problem.experiments, key=amplitude)
    output = next(o for o in experiment.outputs if o.variable == "v" and o.site.compartment == 0)
    return experiment, (experiment.id, output.id)


def _peer(loaded: Loaded, experiment: experiment_model.Experiment, model: Path, dt_ms: float) -> Run:
    pulses = [Pulse(s.delay_ms, s.duration_ms, f"{s.amplitude!r}nA") for s in experiment.stimuli]
    is_cable = loaded.cell.geometry is not None and len(loaded.cell.geometry.compartments) > 1
    return Run(
        model=model,
        cell=loaded.cell.id,
        duration_ms=experiment.duration_ms,
        dt_ms=dt_ms,
        pulses=pulses,
        temperature=f"{experiment.temperature_K - 273.15:.6g}degC",
        segment=0 if is_cable else None,
    )
