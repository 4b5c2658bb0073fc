"""The hand-written twins of the shipped channels under a voltage clamp: run as a script, prints JSON.

python twin_channels.py LIBRARY DENSITIES CELSIUS DURATION_MS MV...: a cylinder of 10 by 10 um holds every channel
(DENSITIES: JSON, S/cm2 by name) and the calcium pool; from -80 mV it is clamped to each voltage. Per voltage: lists of
't', 'v', 'eca' (ms, mV), 'cai' (mM), '<channel>/<gate>' and '<channel>/g' (S/cm2).
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

GATES = {
    **dict.fromkeys(("Ca_HVA", "Ca_LVAst", "K_Pst", "K_Tst", "NaTa_t", "NaTs2_t", "Nap_Et2"), "mh"),
    **dict.fromkeys(("Ih", "Im", "SKv3_1"), "m"),
    "SK_E2": "z",
}
REVERSAL_MV = {"ena": 50.0, "ek": -85.0}
START_MV = -80.0
SERIES_MOHM = 0.01


def traces(library: str, densities: dict[str, float], celsius: float, duration: float, levels: list[float]) -> Any:
    """One dictionary of lists per level."""
    from neuron import h

    h.nrn_load_dll(library)
    h.load_file("stdrun.hoc")
    section = h.Section(name="twin")
    section.L = section.diam = 10
    for name, density in densities.items():
        section.insert(name)
        setattr(section(0.5), f"gbar_{name}", density)
    section.insert("CaDynamics_E2")
    for name, value in REVERSAL_MV.items():
        setattr(section, name, value)
    clamp = h.SEClamp(section(0.5))
    clamp.rs, clamp.dur1 = SERIES_MOHM, 1e9
    h.celsius, h.dt, h.steps_per_ms = celsius, 0.025, 40
    records = {"t": h._ref_t, "v": section(0.5)._ref_v, "cai": section(0.5)._ref_cai}
    for name in densities:
        mechanism = getattr(section(0.5), name)
        records.update({f"{name}/{gate}": getattr(mechanism, f"_ref_{gate}") for gate in GATES[name]})
        records[f"{name}/g"] = mechanism._ref_g
    vectors = {key: h.Vector().record(pointer) for key, pointer in records.items()}
    vectors["eca"] = h.Vector().record(section(0.5)._ref_eca)
    found = []
    for level in levels:
        clamp.amp1 = level
        h.finitialize(START_MV)
        h.continuerun(duration)
        found.append({key: list(vector) for key, vector in vectors.items()})
    return found


if __name__ == "__main__":
    printed = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    result = traces(
        sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), [float(v) for v in sys.argv[5:]]
    )
    os.dup2(printed, 1)
    os.write(1, json.dumps(result).encode())
