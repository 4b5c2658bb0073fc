"""Whatever is put into a targets file: a finding with code and place, or a fit; never another exception."""

from __future__ import annotations

import copy
import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nmlopt.document.read import read
from nmlopt.errors import TargetsError
from nmlopt.experiment.checks import check
from nmlopt.spec.codes import CODES
from nmlopt.spec.load import loads

FOLDER = Path(__file__).parents[1] / "checks" / "targets"
BASES = [json.loads((FOLDER / f"{code}.valid.json").read_text()) for code in ("T018", "T039", "T049", "T053", "T055")]
BALL = read(FOLDER / "ball.cell.nml")

words = st.sampled_from(
    [
        "",
        "x",
        "0",
        "-1 ms",
        "1e400 ms",
        "1 mV",
        "5 nA",
        "10 mS_per_cm2",
        "step",
        "gna",
        "gna/0",
        "na/m/q",
        "*",
        "i_clamp",
        "cell:*/*/erev",
        "cell:ball/segment:1/distal/x",
        "../x",
        "1",
        "validate",
        "pulse",
        "log10",
        "degC",
        "\x00",
        "é",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**30) | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


def places(data, path=()):
    """The steps to everything in a JSON value."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_changed_files_are_refused_or_checked(data):
    made = copy.deepcopy(data.draw(st.sampled_from(BASES)))
    for _ in range(data.draw(st.integers(1, 3))):
        *steps, last = data.draw(st.sampled_from(sorted(places(made), key=str)))
        here = made
        for step in steps:
            here = here[step]
        here[last] = data.draw(words | values)
    try:
        targets = loads(json.dumps(made))
    except TargetsError as error:
        assert error.issues
        assert all(issue.code in CODES and issue.where and issue.message for issue in error.issues)
        return
    for issue in check(targets, BALL, folder=FOLDER, feature_units={"Spikecount": "", "voltage_base": "mV"}):
        assert issue.code in CODES
        assert issue.where.startswith("$")


@given(st.text(max_size=40) | values.map(lambda value: json.dumps(value)))
def test_any_text_is_refused(text):
    try:
        loads(text)
    except TargetsError as error:
        assert all(issue.code in CODES for issue in error.issues)
    else:
        raise AssertionError("accepted")
