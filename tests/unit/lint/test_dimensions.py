"""Dimensional analysis: single rules, and the core types of NeuroML as a text that others wrote."""

from __future__ import annotations

import pytest

from nmlopt.document.read import read
from nmlopt.lems.parse import parse
from nmlopt.lint.check import findings
from nmlopt.lint.dimensions import Analysis
from nmlopt.resources import core_type_files
from nmlopt.units import NO_DIMENSION, core_units

UNITS = core_units()
NAMES = {
    "v": UNITS.dimensions["voltage"],
    "t": UNITS.dimensions["time"],
    "i": UNITS.dimensions["current"],
    "g": UNITS.dimensions["conductance"],
    "x": NO_DIMENSION,
    "open": None,
}


def analysed(text: str) -> tuple[str | None, list[str]]:
    analysis = Analysis(NAMES, UNITS)
    found = analysis.dimension(parse(text))
    return (None if found is None else UNITS.dimension_name(found)), analysis.faults


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("g * v", "current"),
        ("i / v", "conductance"),
        ("v + 0", "voltage"),
        ("0 - v", "voltage"),
        ("-v", "voltage"),
        ("1 / t", "per_time"),
        ("x + 3", "none"),
        ("exp(x) / t", "per_time"),
        ("sqrt(v * v)", "voltage"),
        ("(v / v)^x", "none"),
        ("(v)^2 / v", "voltage"),
        ("abs(v)", "voltage"),
        ("v .gt. 0", "none"),
        ("H(v)", "none"),
        ("open * v", None),
        ("open + v", "voltage"),
    ],
)
def test_what_fits(text, dimension):
    assert analysed(text) == (dimension, [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("v + 3", "adds a voltage and a plain number"),
        ("t - v", "subtracts a time and a voltage"),
        ("v .gt. 3", "compares a voltage and a plain number"),
        ("exp(v)", "takes exp of a voltage"),
        ("v^x", "raises a voltage to a power that is no fixed number"),
        ("x^v", "raises to the power of a voltage"),
        ("x + exp(v / 3)", "takes exp of a voltage"),
        ("x + v * v", "adds a plain number and a quantity in kg^2 m^4 s^-6 A^-2"),
    ],
)
def test_what_does_not_fit(text, fault):
    assert analysed(text)[1] == [fault]


def test_core_types_fit_but_for_the_two_that_are_known_not_to(tmp_path):
    """Si and Wi of pinskyRinzelCA3Cell decay per number, not per time; channelDensityGHK2 multiplies volts by 1e-3."""
    for name, data in core_type_files().items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "all.xml").write_text(
        "<Lems>" + "".join(f'<Include file="{name}"/>' for name in core_type_files()) + "</Lems>", encoding="utf-8"
    )
    found = [i for i in findings(read(tmp_path / "all.xml", root=tmp_path)) if i.code == "L041"]
    of = sorted(next(w for w in i.message.split() if w in ("pinskyRinzelCA3Cell", "channelDensityGHK2")) for i in found)
    assert of == ["channelDensityGHK2"] * 2 + ["pinskyRinzelCA3Cell"] * 2
