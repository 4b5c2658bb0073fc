"""The layer 5 pyramidal cell in BluePyOpt; run by compare.py with the Python of an environment that holds BluePyOpt.

    python peer.py DATA LIBRARY NAMES SETTINGS

LIBRARY: compiled mechanisms. NAMES: 'own' if they are the twins of mods/nmodl, whose conductances are called gbar, or
'published'. SETTINGS: JSON list of {"atol": ..., "interp_step": ...}. Prints JSON: for each setting feature values,
scores, their sum, and the CPU seconds of the simulations. Model, protocols and features as in BluePyOpt's example.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import bluepyopt.ephys as ephys
from l5pc_data import Data, load

THRESHOLDS = {"soma": -20, "dend": -55}


def seclist(name: str) -> Any:
    """All sections of a kind."""
    return ephys.locations.NrnSeclistLocation(name, seclist_name=name)


def cell(data: Data, *, own_names: bool) -> Any:
    """The cell model, all parameters free to be set."""
    mechanisms = [
        ephys.mechanisms.NrnMODMechanism(f"{name}.{part}", suffix=name, locations=[seclist(part)])
        for part, names in data.mechanisms.items()
        for name in names
    ]
    morphology = ephys.morphologies.NrnFileMorphology(str(data.morphology), do_replace_axon=True)
    parameters = [parameter(entry, own_names=own_names) for entry in data.parameters]
    return ephys.models.CellModel("l5pc", morph=morphology, mechs=mechanisms, params=parameters)


def parameter(entry: dict[str, Any], *, own_names: bool) -> Any:
    """One entry of parameters.json."""
    name, value, bounds = entry["param_name"], entry.get("value"), entry.get("bounds")
    common = {"value": value, "frozen": value is not None, "bounds": bounds}
    if entry["type"] == "global":
        return ephys.parameters.NrnGlobalParameter(name, param_name=name, **common)
    mechanism = entry.get("mech", "")
    target = f"gbar_{mechanism}" if own_names and name == f"g{mechanism}bar_{mechanism}" else name
    scaler = ephys.parameterscalers.NrnSegmentLinearScaler()
    if entry["dist_type"] == "exp":
        scaler = ephys.parameterscalers.NrnSegmentSomaDistanceScaler(distribution=entry["dist"])
    kinds = {"section": ephys.parameters.NrnSectionParameter, "range": ephys.parameters.NrnRangeParameter}
    return kinds[entry["type"]](
        f"{name}.{entry['sectionlist']}",
        param_name=target,
        value_scaler=scaler,
        locations=[seclist(entry["sectionlist"])],
        **common,
    )


def protocols(data: Data) -> dict[str, Any]:
    """The four protocols."""
    soma = ephys.locations.NrnSeclistCompLocation("soma", seclist_name="somatic", sec_index=0, comp_x=0.5)
    found = {}
    for name, given in data.protocols.items():
        recordings = [ephys.recordings.CompRecording(f"{name}.soma.v", location=soma, variable="v")]
        for extra in given.get("extra_recordings", ()):
            place = ephys.locations.NrnSomaDistanceCompLocation(
                extra["name"], soma_distance=extra["somadistance"], seclist_name=extra["seclist_name"]
            )
            label = f"{name}.{extra['name']}.{extra['var']}"
            recordings.append(ephys.recordings.CompRecording(label, location=place, variable=extra["var"]))
        stimuli = [
            ephys.stimuli.NrnSquarePulse(
                step_amplitude=s["amp"],
                step_delay=s["delay"],
                step_duration=s["duration"],
                location=soma,
                total_duration=s["totduration"],
            )
            for s in given["stimuli"]
        ]
        found[name] = ephys.protocols.SweepProtocol(name, stimuli, recordings)
    return found


def features(data: Data, interp_step: float | None) -> dict[str, Any]:
    """The 35 features by name."""
    found = {}
    for protocol, places in data.features.items():
        first = data.protocols[protocol]["stimuli"][0]
        end = first["totduration"] if protocol == "bAP" else first["delay"] + first["duration"]
        for place, wanted in places.items():
            for feature, (mean, sd) in wanted.items():
                found[f"{protocol}.{place}.{feature}"] = ephys.efeatures.eFELFeature(
                    f"{protocol}.{place}.{feature}",
                    efel_feature_name=feature,
                    recording_names={"": f"{protocol}.{place}.v"},
                    stim_start=first["delay"],
                    stim_end=end,
                    exp_mean=mean,
                    exp_std=sd,
                    threshold=THRESHOLDS[place[:4]],
                    interp_step=interp_step,
                )
    return found


def main() -> None:
    """Run every setting."""
    printed = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # NEURON's import prints
    data = load(Path(sys.argv[1]))
    simulator = ephys.simulators.NrnSimulator()
    simulator.neuron.h.nrn_load_dll(sys.argv[2])
    model, sweeps = cell(data, own_names=sys.argv[3] == "own"), protocols(data)
    rows = []
    for setting in json.loads(sys.argv[4]):
        simulator.cvode.atol(setting["atol"])
        begin = time.process_time()
        responses: dict[str, Any] = {}
        for sweep in sweeps.values():
            responses.update(sweep.run(model, dict(data.values), sim=simulator, isolate=False))
        seconds = time.process_time() - begin
        wanted = features(data, setting["interp_step"])
        values = {name: feature.calculate_feature(responses) for name, feature in wanted.items()}
        scores = {name: feature.calculate_score(responses) for name, feature in wanted.items()}
        rows.append({"values": values, "scores": scores, "sum": sum(scores.values()), "cpu_s": seconds, **setting})
    os.dup2(printed, 1)
    os.write(1, json.dumps({"bluepyopt": version("bluepyopt"), "runs": rows}).encode())


if __name__ == "__main__":
    main()
