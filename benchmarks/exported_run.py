"""Runs one of jNeuroML's exports to NEURON in its folder; called by `peer_jneuroml.py`.

    python exported_run.py SCRIPT DT_MS

Prints JSON: CPU seconds of building the cell and of the run (not of starting Python and NEURON), and the spikes.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
from work_precision import crossings

STOP = re.compile(r"NeuronSimulation\(tstop=([\d.eE+-]+)")
VECTOR = re.compile(r"\b(v_\w+)\.record\(&(?!t\))")


def main() -> None:
    """Run and print."""
    printed = os.dup(1)
    os.dup2(2, 1)  # the export prints
    script, step_ms = Path(sys.argv[1]), float(sys.argv[2])
    text = script.read_text(encoding="utf-8")
    stop, vectors = STOP.search(text), VECTOR.findall(text)
    spec = spec_from_file_location("exported", script)
    if stop is None or len(vectors) != 1 or spec is None or spec.loader is None:
        sys.exit(f"{script.name}: not what was expected of an export with one recording")
    exported = module_from_spec(spec)
    spec.loader.exec_module(exported)
    begin = time.process_time()
    exported.NeuronSimulation(tstop=float(stop[1]), dt=step_ms)
    exported.h.run()
    seconds = time.process_time() - begin
    t, y = (np.array(vector.to_python()) for vector in (exported.h.v_time, getattr(exported.h, vectors[0])))
    os.write(printed, json.dumps({"cpu_s": seconds, "spikes": crossings(t, y).tolist()}).encode())


if __name__ == "__main__":
    main()
