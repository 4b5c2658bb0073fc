"""targets.json of the cell: parameters with bounds, protocols, features as BluePyOpt's example defines them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from l5pc_data import Data
from l5pc_model import CELL, IONS, POOL, density_parameter

from nmlopt.importers.morphology_model import APICAL, length, starts
from nmlopt.importers.morphology_write import WrittenSection

THRESHOLDS = {"soma": "-20 mV", "dend": "-55 mV"}
UNITS = {"gamma": "", "decay": " ms"}


def targets(data: Data, sections: tuple[WrittenSection, ...], efel_settings: Mapping[str, float]) -> dict[str, Any]:
    """The whole file; `efel_settings` go with every feature."""
    return {
        "format": "nmlopt-targets",
        "format_version": "1.0",
        "id": "l5pc",
        "description": "Layer 5 pyramidal cell of BluePyOpt's second use case: 20 parameters, 35 features.",
        "temperature": f"{_global(data, 'celsius'):g} degC",
        "v_init": f"{_global(data, 'v_init'):g} mV",
        "parameters": list(_parameters(data)),
        "protocols": [_protocol(name, given, sections) for name, given in data.protocols.items()],
        "targets": list(_features(data, efel_settings)),
    }


def name_of(entry: Mapping[str, Any]) -> str:
    """The id of a free parameter, the one of the published files."""
    return f"{entry['param_name']}.{entry['sectionlist']}"


def _parameters(data: Data) -> Iterator[dict[str, Any]]:
    for entry in data.parameters:
        if "bounds" in entry:
            path, unit = _path(entry)
            lower, upper = (f"{bound:.10g}{unit}" for bound in entry["bounds"])
            yield {"id": name_of(entry), "paths": [path], "lower": lower, "upper": upper}


def _path(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Path and unit (with a blank before it) of a free parameter."""
    name, part = entry["param_name"], entry["sectionlist"]
    for attribute, unit in UNITS.items():
        if name == f"{attribute}_{POOL}":
            return f"concentrationModel:{POOL}_{part}/{attribute}", unit
    channel = next(c for c in IONS if name == density_parameter(c))
    kind = "channelDensityNernst" if IONS[channel] == "ca" else "channelDensity"
    return f"cell:{CELL}/{kind}:{channel}_{part}/condDensity", " S_per_cm2"


def _protocol(name: str, given: Mapping[str, Any], sections: tuple[WrittenSection, ...]) -> dict[str, Any]:
    recordings: list[dict[str, Any]] = [{"id": "soma"}]
    for extra in given.get("extra_recordings", ()):
        distance = float(extra["somadistance"])
        place = {"distance": f"{distance:g} um", "towards": _last_at(sections, distance)}
        recordings.append({"id": extra["name"], "quantity": extra["var"], "at": place})
    stimuli = [
        {
            "type": "pulse",
            "delay": f"{s['delay']:g} ms",
            "duration": f"{s['duration']:g} ms",
            "amplitude": f"{s['amp']:g} nA",
        }
        for s in given["stimuli"]
    ]
    duration = max(s["totduration"] for s in given["stimuli"])
    return {"id": name, "duration": f"{duration:g} ms", "stimuli": stimuli, "recordings": recordings}


def _last_at(sections: tuple[WrittenSection, ...], distance_um: float) -> int:
    """The end of the last apical section at this path distance from the soma: the one that BluePyOpt takes."""
    begins = starts([written.section for written in sections])
    found = [
        written.segments[-1]
        for written, begin in zip(sections, begins, strict=True)
        if written.section.kind == APICAL and begin <= distance_um <= begin + length(written.section)
    ]
    if not found:
        raise SystemExit(f"no apical section lies {distance_um:g} um from the soma")
    return found[-1]


def _features(data: Data, efel_settings: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    for protocol, places in data.features.items():
        first = data.protocols[protocol]["stimuli"][0]
        end = first["totduration"] if protocol == "bAP" else first["delay"] + first["duration"]
        for place, features in places.items():
            for feature, (mean, sd) in features.items():
                yield {
                    "type": "feature",
                    "id": f"{protocol}.{place}.{feature}",
                    "protocol": protocol,
                    "recording": place,
                    "feature": feature,
                    "mean": mean,
                    "sd": sd,
                    "window": {"start": f"{first['delay']:g} ms", "end": f"{end:g} ms"},
                    "threshold": THRESHOLDS[place[:4]],
                    **({"efel_settings": dict(efel_settings)} if efel_settings else {}),
                }


def _global(data: Data, name: str) -> float:
    return next(float(e["value"]) for e in data.parameters if e["param_name"] == name and e["type"] == "global")
