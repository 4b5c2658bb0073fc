"""Parameter strings of pynml-tune; the examples are those of its own documentation and code."""

from __future__ import annotations

import pytest

from nmlopt.document.paths import resolve
from nmlopt.document.pynml_tune import from_pynml_tune
from nmlopt.errors import PathError


@pytest.mark.parametrize(
    ("text", "paths", "unit"),
    [
        ("cell:hh/channelDensity:na/mS_per_cm2", ["cell:hh/membraneProperties/*:na/condDensity"], "mS_per_cm2"),
        ("cell:hh/erev_id:leak/mV", ["cell:hh/membraneProperties/*:leak/erev"], "mV"),
        ("cell:hh/erev_ion:na/mV", ["cell:hh/membraneProperties/*[@ion=na]/erev"], "mV"),
        (
            "cell:hh/specificCapacitance:all/uF_per_cm2",
            ["cell:hh/specificCapacitance[@segmentGroup=all]/value"],
            "uF_per_cm2",
        ),
        (
            "cell:hh/specificCapacitance:dend/uF_per_cm2",
            ["cell:hh/specificCapacitance[@segmentGroup=dend]/value"],
            "uF_per_cm2",
        ),
        (
            "cell:hh/channelDensity:na/S_per_m2+cell:hh/channelDensity:leak/S_per_m2",
            ["cell:hh/membraneProperties/*:na/condDensity", "cell:hh/membraneProperties/*:leak/condDensity"],
            "S_per_m2",
        ),
    ],
)
def test_strings_become_paths_that_resolve(document, text, paths, unit):
    assert from_pynml_tune(text) == (tuple(paths), unit)
    assert all(len(resolve(document, path)) == 1 for path in paths)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("izhikevich2007Cell:Izh2007/C/pF", "izhikevich2007Cell:Izh2007/C"),
        ("channel:na/vShift/mV", "ionChannelVShift:na/vShift"),
        ("cell:c/vShift_channelDensity:na/mV", "cell:c/channelDensityVShift:na/vShift"),
        ("cell:c/channelDensityNernst:ca/S_per_m2", "cell:c/channelDensityNernst:ca/condDensity"),
        ("cell:c/resistivity:all/ohm_cm", "cell:c/resistivity[@segmentGroup=all]/value"),
    ],
)
def test_other_forms(text, path):
    assert from_pynml_tune(text)[0] == (path,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cell:c",
        "cell:c/x/mV",
        "cell:c/channelDensity/mV",
        "channel:c/erev/mV",
        "network:n/x/mV",
        "cell:c/erev_id:a/mV+",
        "cell:c/erev_id:a/mV+cell:c/erev_id:b/V",
    ],
)
def test_what_pynml_tune_does_not_take(text):
    with pytest.raises(PathError, match="P006"):
        from_pynml_tune(text)
