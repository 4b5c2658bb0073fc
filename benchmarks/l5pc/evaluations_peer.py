"""Evaluations of the layer 5 pyramidal cell in BluePyOpt; run by against_bluepyopt.py with the Python that holds it.

    python evaluations_peer.py DATA LIBRARY NAMES

Arguments as for peer.py. Reads a line of JSON per task, answers with one. {"evaluate": values, "rounds": n}: the CPU
seconds (this process and its children) of a whole evaluation by BluePyOpt's evaluator as its example makes it (CVODE
at 1e-3, each protocol in a process of its own), each of n times. {"converge": values, "atol": a, "interp_step": s}:
scores at this tolerance with eFEL's grid of s ms, and which features were not found.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bluepyopt.ephys as ephys
from l5pc_data import Data, load
from peer import cell, features, protocols

sys.path.insert(0, str(Path(__file__).parents[1]))
from cpu_clock import cpu_seconds

ATOL = 1e-3
"""BluePyOpt's own."""


def evaluator(data: Data, model: Any, simulator: Any) -> Any:
    """BluePyOpt's, with its defaults."""
    wanted = features(data, None)
    objectives = [ephys.objectives.SingletonObjective(name, feature) for name, feature in wanted.items()]
    return ephys.evaluators.CellEvaluator(
        cell_model=model,
        param_names=list(data.values),
        fitness_protocols=protocols(data),
        fitness_calculator=ephys.objectivescalculators.ObjectivesCalculator(objectives),
        sim=simulator,
    )


def evaluated(made: Any, simulator: Any, task: dict[str, Any]) -> dict[str, Any]:
    """CPU seconds of each round, and the scores of the last."""
    seconds, scores = [], {}
    simulator.cvode.atol(ATOL)
    for _ in range(task["rounds"]):
        begin = cpu_seconds()
        scores = made.evaluate_with_dicts(task["evaluate"])
        seconds.append(cpu_seconds() - begin)
    return {"cpu_s": seconds, "scores": scores}


def converged(data: Data, model: Any, simulator: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Scores by feature, the features without a value, and the CPU seconds of the simulations."""
    simulator.cvode.atol(task["atol"])
    responses: dict[str, Any] = {}
    begin = cpu_seconds()
    for sweep in protocols(data).values():
        responses.update(sweep.run(model, task["converge"], sim=simulator, isolate=False))
    seconds = cpu_seconds() - begin
    wanted = features(data, task["interp_step"])
    values = {name: feature.calculate_feature(responses) for name, feature in wanted.items()}
    scores = {name: feature.calculate_score(responses) for name, feature in wanted.items()}
    return {"scores": scores, "missing": [name for name, x in values.items() if x is None], "cpu_s": seconds}


def main() -> None:
    """Answer task after task."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # NEURON prints
    data = load(Path(sys.argv[1]))
    simulator = ephys.simulators.NrnSimulator()
    simulator.neuron.h.nrn_load_dll(sys.argv[2])
    model = cell(data, own_names=sys.argv[3] == "own")
    made = evaluator(data, model, simulator)
    print(json.dumps({"bluepyopt": version("bluepyopt"), "neuron": version("neuron")}), file=answers, flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        answer = evaluated(made, simulator, task) if "evaluate" in task else converged(data, model, simulator, task)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
