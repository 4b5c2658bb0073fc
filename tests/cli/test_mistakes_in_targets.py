"""Mistakes in targets.json: each is found with a stable code, its JSON path and a remedy, and nothing crashes."""

from __future__ import annotations

import pytest
from mistakes import Mistake, added, put, replaced, without

GNA = "cell:simplecell/channelDensity:na_all/condDensity"


def _parameter(**other: object) -> dict[str, object]:
    return {"id": "x", "paths": ["cell:simplecell/channelDensity:leak_all/condDensity"], **other}


def _bounds(lower: str, upper: str, **other: object) -> dict[str, object]:
    return {"id": "gna", "paths": [GNA], "lower": lower, "upper": upper, **other}


def _stimulus(kind: str, **other: object) -> dict[str, object]:
    return {"type": kind, "delay": "10 ms", "duration": "50 ms", **other}


PATHS = (
    Mistake(
        "wrong path",
        "T041",
        "$.parameters[0].paths[0]",
        ("did you mean", GNA),
        targets=put(GNA.replace("na_all", "na_al"), "parameters", 0, "paths", 0),
    ),
    Mistake(
        "ambiguous path",
        "T041",
        "$.parameters[0].paths[0]",
        ("channelDensity:leak_all/condDensity", "channelDensity:k_all/condDensity"),
        targets=put("cell:simplecell/channelDensity/condDensity", "parameters", 0, "paths", 0),
    ),
    Mistake(
        "path that is not written as paths are",
        "T041",
        "$.parameters[0].paths[0]",
        ("type:id",),
        targets=put("cell:simplecell//condDensity[", "parameters", 0, "paths", 0),
    ),
    Mistake(
        "path of gate instances",
        "T042",
        "$.parameters[0].paths[0]",
        ("structural", "model.nml:13", "nmlopt paths"),
        targets=put("ionChannelHH:na/gateHHrates:m/instances", "parameters", 0, "paths", 0),
    ),
    Mistake(
        "path of a diameter",
        "T042",
        "$.parameters[0].paths[0]",
        ("structural", "model.nml:34", "nmlopt paths"),
        targets=put("cell:simplecell/morphology:morphology/segment:0/distal/diameter", "parameters", 0, "paths", 0),
    ),
    Mistake(
        "path of a number that the cell does not use",
        "T043",
        "$.parameters[0].paths[0]",
        ("does not enter", "nmlopt paths"),
        targets=put("ionChannelHH:na/conductance", "parameters", 0, "paths", 0),
    ),
    Mistake(
        "path of a text",
        "T041",
        "$.parameters[0].paths[0]",
        ("ionChannel",),
        targets=put("cell:simplecell/channelDensity:na_all/ionChannel", "parameters", 0, "paths", 0),
    ),
    Mistake(
        "two parameters set one number",
        "T048",
        "$.parameters[2].paths[0]",
        ("gna",),
        targets=added({**_bounds("0.05 S_per_cm2", "0.125 S_per_cm2"), "id": "again"}, "parameters"),
    ),
    Mistake(
        "component that does not exist",
        "T040",
        "$.component",
        ("did you mean", "simplecell"),
        targets=put("simplecel", "component"),
    ),
)

BOUNDS = (
    Mistake(
        "unknown unit",
        "T022",
        "$.parameters[0].lower",
        ("did you mean", "S_per_cm2"),
        targets=put("0.05 S_per_cm", "parameters", 0, "lower"),
    ),
    Mistake(
        "unit of another dimension",
        "T044",
        "$.parameters[0].lower",
        ("S_per_cm2",),
        targets=put(_bounds("5 mV", "9 mV"), "parameters", 0),
    ),
    Mistake(
        "quantity without a number",
        "T021",
        "$.parameters[0].lower",
        ("a unit",),
        targets=put("small", "parameters", 0, "lower"),
    ),
    Mistake(
        "bounds reversed",
        "T045",
        "$.parameters[0]",
        ("swap",),
        targets=put(_bounds("0.125 S_per_cm2", "0.05 S_per_cm2"), "parameters", 0),
    ),
    Mistake(
        "equal bounds",
        "T045",
        "$.parameters[0]",
        ("0.05 S_per_cm2",),
        targets=put(_bounds("0.05 S_per_cm2", "0.05 S_per_cm2"), "parameters", 0),
    ),
    Mistake(
        "log10 with negative bounds",
        "T046",
        "$.parameters[0]",
        ("linear",),
        targets=put(_bounds("-0.05 S_per_cm2", "0.125 S_per_cm2", scale="log10"), "parameters", 0),
    ),
    Mistake(
        "neither bounds nor expression",
        "T020",
        "$.parameters[2]",
        ("lower", "expression"),
        targets=added(_parameter(), "parameters"),
    ),
    Mistake(
        "expression with an unknown name",
        "T035",
        "$.parameters[2].expression",
        ("did you mean", "gna"),
        targets=added(_parameter(expression="0.1 * gnaa", unit="S_per_cm2"), "parameters"),
    ),
    Mistake(
        "expressions that need each other",
        "T035",
        "$.parameters[2].expression",
        ("x",),
        targets=added(_parameter(expression="0.1 * x", unit="S_per_cm2"), "parameters"),
    ),
    Mistake(
        "expression that would run code",
        "T034",
        "$.parameters[2].expression",
        ("__import__",),
        targets=added(_parameter(expression="__import__('os').getpid()", unit="S_per_cm2"), "parameters"),
    ),
)

RESULTS = (
    Mistake(
        "unknown feature",
        "T051",
        "$.targets[0].feature",
        ("did you mean", "Spikecount"),
        targets=put("SpikeCounts", "targets", 0, "feature"),
    ),
    Mistake(
        "unknown protocol",
        "T015",
        "$.targets[0].protocol",
        ("did you mean", "step1"),
        targets=put("stepp1", "targets", 0, "protocol"),
    ),
    Mistake(
        "unknown recording",
        "T016",
        "$.targets[0].recording",
        ("soma",),
        targets=put("dend", "targets", 0, "recording"),
    ),
    Mistake("sd of 0", "T009", "$.targets[0].sd", ("greater than 0",), targets=put(0, "targets", 0, "sd")),
    Mistake("negative sd", "T009", "$.targets[0].sd", ("greater than 0",), targets=put(-1, "targets", 0, "sd")),
    Mistake(
        "two targets of one id", "T014", "$.targets[1].id", ("step1.Spikecount",),
        targets=put("step1.Spikecount", "targets", 1, "id"),
    ),
    Mistake(
        "objective over an unknown target", "T017", "$.objectives[0].targets[0]", ("did you mean", "step1.Spikecount"),
        targets=put([{"id": "all", "targets": ["step1.Spikecoun"]}], "objectives"),
    ),
    Mistake(
        "CSV that is missing", "T055", "$.protocols[0].stimuli[0].file", ("current.csv",),
        targets=put([{"type": "played", "file": "current.csv"}], "protocols", 0, "stimuli"),
    ),
    Mistake(
        "CSV that holds words", "T055", "$.protocols[0].stimuli[0].file", ("current.csv", "2"),
        targets=put([{"type": "played", "file": "current.csv"}], "protocols", 0, "stimuli"),
        files={"current.csv": "0,0\none,two\n"},
    ),
    Mistake(
        "CSV outside the folder", "T055", "$.protocols[0].stimuli[0].file", ("folder",),
        targets=put([{"type": "played", "file": "../../../../etc/hostname"}], "protocols", 0, "stimuli"),
    ),
)  # fmt: skip

PROTOCOLS = (
    Mistake(
        "stimulus on a missing segment", "T052", "$.protocols[0].stimuli[0].at", ("segment 7",),
        targets=put({"segment": 7}, "protocols", 0, "stimuli", 0, "at"),
    ),
    Mistake(
        "distance beyond the end", "T052", "$.protocols[0].recordings[0].at", ("5 um",),
        targets=put({"distance": "200 um", "towards": 0}, "protocols", 0, "recordings", 0, "at"),
    ),
    Mistake(
        "recording of an unknown variable", "T053", "$.protocols[0].recordings[0].quantity", ("na_all/",),
        targets=put("na_all/mm", "protocols", 0, "recordings", 0, "quantity"),
    ),
    Mistake(
        "current of a clamp that is not there", "T027", "$.protocols[0].recordings[0]", ("voltage_clamp",),
        targets=put("i_clamp", "protocols", 0, "recordings", 0, "quantity"),
    ),
    Mistake(
        "amplitude relative to rheobase", "T011", "$.protocols[0].stimuli[0].amplitude", ("rheobase",),
        targets=put("150 % rheobase", "protocols", 0, "stimuli", 0, "amplitude"),
    ),
    Mistake(
        "spikes through a synapse", "T011", "$.protocols[0].stimuli[0]", ("spike_train",),
        targets=put(_stimulus("spike_train"), "protocols", 0, "stimuli", 0),
    ),
    Mistake(
        "unknown stimulus", "T010", "$.protocols[0].stimuli[0]", ("did you mean", "pulse"),
        targets=put(_stimulus("puls", amplitude="1 nA"), "protocols", 0, "stimuli", 0),
    ),
    Mistake(
        "duration that is a voltage", "T023", "$.protocols[0].duration", ("500 ms",),
        targets=put("10 mV", "protocols", 0, "duration"),
    ),
    Mistake(
        "rheobase in the form to come", "T011", "$.protocols[0].stimuli[0].amplitude", ("rheobase",),
        targets=put({"kind": "rheobase", "percent": 150}, "protocols", 0, "stimuli", 0, "amplitude"),
    ),
    Mistake(
        "window reversed", "T024", "$.targets[0].window", ("150 ms",),
        targets=put({"start": "150 ms", "end": "100 ms"}, "targets", 0, "window"),
    ),
    Mistake(
        "amplitude that is a voltage", "T054", "$.protocols[0].stimuli[0].amplitude", ("nA",),
        targets=put("10 mV", "protocols", 0, "stimuli", 0, "amplitude"),
    ),
)  # fmt: skip

TEXT = (
    Mistake(
        "unknown key", "T007", "$.parameters[0].uper", ("did you mean", "upper"),
        targets=put("1 S_per_cm2", "parameters", 0, "uper"),
    ),
    Mistake("missing key", "T006", "$.targets[0]", ("mean",), targets=without("targets", 0, "mean")),
    Mistake(
        "text instead of a number", "T008", "$.targets[0].mean", ("number",),
        targets=put("1.0", "targets", 0, "mean"),
    ),
    Mistake(
        "broken JSON", "T001", "targets.json:3:3", ("comma",),
        text=replaced('"format": "nmlopt-targets",', '"format": "nmlopt-targets"'),
    ),
    Mistake("comma too many", "T001", "targets.json:", ("comma",), text=replaced("  ]\n}", "  ],\n}")),
    Mistake(
        "key that stands twice", "T003", "$.id", ("twice",),
        text=replaced('"id": "simplecell",', '"id": "simplecell", "id": "other",'),
    ),
    Mistake("list instead of targets", "T012", "targets.json", ("{...}",), text=lambda _: "[1, 2]"),
    Mistake("other JSON", "T012", "$.format", ("nmlopt-targets",), text=lambda _: '{"name": "x"}'),
    Mistake("version of the future", "T012", "$.format_version", ("1.0",), targets=put("2.0", "format_version")),
    Mistake(
        "number beyond doubles", "T005", "$.targets[0].mean", ("finite",), text=replaced('"mean": 1', '"mean": 1e999')
    ),
    Mistake("NaN", "T005", "$.targets[0].sd", ("finite",), text=replaced('"sd": 0.05', '"sd": NaN')),
)  # fmt: skip


@pytest.mark.parametrize("mistake", [*PATHS, *BOUNDS, *RESULTS, *PROTOCOLS, *TEXT], ids=lambda m: m.name)
def test_it_is_found_where_it_is(mistake, make_mistake):
    make_mistake(mistake)
