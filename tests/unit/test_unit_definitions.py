"""Units that a model defines: what is wrong with one is a finding."""

from __future__ import annotations

import pytest

from nmlopt.errors import UnitsError
from nmlopt.units import core_units, extend

VOLTAGE = {"symbol": "q", "dimension": "voltage"}


def test_a_sound_unit_is_known():
    table = extend(
        core_units(), [{"name": "rate", "t": "-1"}], [{"symbol": "per_minute", "dimension": "rate", "scale": "0.5"}]
    )
    assert table.unit("per_minute").to_si(3.0) == 1.5


@pytest.mark.parametrize(
    ("dimensions", "units", "word"),
    [
        ([{"name": "x", "m": "a"}], [], "m='a'"),
        ([{"m": "1"}], [], "name"),
        ([], [{"symbol": "q"}], "dimension"),
        ([], [{"dimension": "voltage"}], "symbol"),
        ([], [{"symbol": "q", "dimension": "nothing"}], "unknown dimension"),
        ([], [{**VOLTAGE, "power": "1e9"}], "power"),
        ([], [{**VOLTAGE, "power": "1000"}], "power"),
        ([], [{**VOLTAGE, "scale": "nan"}], "scale"),
        ([], [{**VOLTAGE, "scale": "0.5 mV"}], "scale"),
        ([], [{**VOLTAGE, "scale": "0"}], "scale 0"),
        ([], [{**VOLTAGE, "offset": "x"}], "offset"),
    ],
)
def test_a_faulty_one_is_a_finding(dimensions, units, word):
    with pytest.raises(UnitsError) as error:
        extend(core_units(), dimensions, units)
    (issue,) = error.value.issues
    assert issue.code == "U005" and word in issue.message
