"""A cell in BluePyOpt as its users run it; called by `peer_bluepyopt.py` with the Python of BluePyOpt's environment.

    python bluepyopt_spikes.py simplecell ROUNDS
    python bluepyopt_spikes.py l5pc ROUNDS DATA LIBRARY

BluePyOpt's defaults throughout: CVODE at 1e-3, a process for each protocol. Prints JSON: the least CPU seconds of the
protocols (this process and its children; no features), the spikes of each protocol, and versions.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from cpu_clock import cpu_seconds
from work_precision import crossings

PARAMETERS = {"gnabar_hh": 0.12, "gkbar_hh": 0.036}


def simple_cell(folder: Path) -> tuple[Any, Mapping[str, float]]:
    """(evaluator, parameters) of the simple cell."""
    from bluepyopt_peer import SWC, build

    swc = folder / "simple.swc"
    swc.write_text(SWC)
    return build(swc), PARAMETERS


def layer_5_cell(data_folder: Path, library: str) -> tuple[Any, Mapping[str, float]]:
    """(evaluator, parameters) of the layer 5 pyramidal cell."""
    sys.path.insert(0, str(Path(__file__).parent / "l5pc"))
    import bluepyopt.ephys as ephys
    from evaluations_peer import evaluator
    from l5pc_data import load
    from peer import cell

    data = load(data_folder)
    simulator = ephys.simulators.NrnSimulator()
    simulator.neuron.h.nrn_load_dll(library)
    return evaluator(data, cell(data, own_names=True), simulator), data.values


def main() -> None:
    """Run and print."""
    printed = os.dup(1)
    os.dup2(2, 1)  # NEURON's import prints
    with tempfile.TemporaryDirectory() as folder:
        evaluator, parameters = (
            simple_cell(Path(folder)) if sys.argv[1] == "simplecell" else layer_5_cell(Path(sys.argv[3]), sys.argv[4])
        )
        sweeps, spent, responses = evaluator.fitness_protocols, [], {}
        for _ in range(int(sys.argv[2])):
            begin = cpu_seconds()
            responses = evaluator.run_protocols(sweeps.values(), dict(parameters))
            spent.append(cpu_seconds() - begin)
    traces = [responses[f"{name}.soma.v"] for name in sweeps]
    spikes = [crossings(np.array(trace["time"]), np.array(trace["voltage"])).tolist() for trace in traces]
    versions = {name: version(name) for name in ("bluepyopt", "neuron")}
    os.write(printed, json.dumps({"cpu_s": min(spent), "spikes": spikes, **versions}).encode())


if __name__ == "__main__":
    main()
