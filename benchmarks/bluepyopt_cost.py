"""CPU seconds of BluePyOpt for candidates of the layer 5 cell; called by `whole_fit.py` with BluePyOpt's Python.

    python bluepyopt_cost.py DATA LIBRARY < candidates.json

Candidates: a JSON list of {parameter: value}. Prints JSON: CPU seconds (this process and its children) and the sum of
scores of each, and versions. BluePyOpt's defaults throughout; everything is included but the start of Python.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

from bluepyopt_spikes import layer_5_cell
from cpu_clock import cpu_seconds


def main() -> None:
    """Evaluate what comes in, print what comes out."""
    printed = os.dup(1)
    os.dup2(2, 1)  # NEURON's import prints
    evaluator, _ = layer_5_cell(Path(sys.argv[1]), sys.argv[2])
    spent, sums = [], []
    for candidate in json.load(sys.stdin):
        begin = cpu_seconds()
        scores = evaluator.evaluate_with_lists([candidate[name] for name in evaluator.param_names])
        spent.append(cpu_seconds() - begin)
        sums.append(float(sum(scores)))
    versions = {name: version(name) for name in ("bluepyopt", "neuron", "efel")}
    os.write(printed, json.dumps({"cpu_s": spent, "sums": sums, **versions}).encode())


if __name__ == "__main__":
    main()
