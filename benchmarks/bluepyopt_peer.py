"""The simplecell problem in BluePyOpt; run by vs_bluepyopt.py with the Python of an environment that holds BluePyOpt.

Reads candidates (a JSON list of [gnabar, gkbar] in S/cm2) on standard input; writes the feature values, the scores and
the CPU seconds of the evaluations (this process and its children) as JSON. BluePyOpt's defaults throughout.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import bluepyopt.ephys as ephys
from cpu_clock import cpu_seconds

SWC = "1 1 -5 0 0 5 -1\n2 1 0 0 0 5 1\n3 1 5 0 0 5 2\n"
STEPS = {"step1": (0.01, 1), "step2": (0.05, 5)}


def build(swc: Path) -> ephys.evaluators.CellEvaluator:
    """The evaluator as BluePyOpt's example notebook puts it together."""
    somatic = ephys.locations.NrnSeclistLocation("somatic", seclist_name="somatic")
    centre = ephys.locations.NrnSeclistCompLocation("centre", seclist_name="somatic", sec_index=0, comp_x=0.5)
    free = {"gnabar_hh": [0.05, 0.125], "gkbar_hh": [0.01, 0.075]}
    parameters = [
        ephys.parameters.NrnSectionParameter("cm", param_name="cm", value=1.0, locations=[somatic], frozen=True)
    ] + [
        ephys.parameters.NrnSectionParameter(name, param_name=name, bounds=bounds, locations=[somatic])
        for name, bounds in free.items()
    ]
    cell = ephys.models.CellModel(
        "simple_cell",
        morph=ephys.morphologies.NrnFileMorphology(str(swc)),
        mechs=[ephys.mechanisms.NrnMODMechanism("hh", suffix="hh", locations=[somatic])],
        params=parameters,
    )
    protocols, objectives = {}, []
    for name, (amplitude, spikes) in STEPS.items():
        stimulus = ephys.stimuli.NrnSquarePulse(amplitude, 100, 50, location=centre, total_duration=200)
        recording = ephys.recordings.CompRecording(f"{name}.soma.v", location=centre, variable="v")
        protocols[name] = ephys.protocols.SweepProtocol(name, [stimulus], [recording])
        feature = ephys.efeatures.eFELFeature(
            f"{name}.Spikecount",
            efel_feature_name="Spikecount",
            recording_names={"": f"{name}.soma.v"},
            stim_start=100,
            stim_end=150,
            exp_mean=spikes,
            exp_std=0.05 * spikes,
        )
        objectives.append(ephys.objectives.SingletonObjective(f"{name}.Spikecount", feature))
    return ephys.evaluators.CellEvaluator(
        cell_model=cell,
        param_names=list(free),
        fitness_protocols=protocols,
        fitness_calculator=ephys.objectivescalculators.ObjectivesCalculator(objectives),
        sim=ephys.simulators.NrnSimulator(),
    )


def main() -> None:
    """Evaluate what comes in, print what comes out."""
    candidates = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        swc = Path(folder) / "simple.swc"
        swc.write_text(SWC)
        evaluator = build(swc)
        values = [
            evaluator.evaluate_with_dicts(dict(zip(evaluator.param_names, c, strict=True)), target="values")
            for c in candidates
        ]
        before = cpu_seconds()
        scores = [evaluator.evaluate_with_lists(c) for c in candidates]
        used = cpu_seconds() - before
    result = {
        "values": values,
        "scores": scores,
        "cpu_seconds": used,
        "bluepyopt": version("bluepyopt"),
        "neuron": version("neuron"),
        "efel": version("efel"),
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
