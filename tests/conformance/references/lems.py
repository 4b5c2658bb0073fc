"""Files, units and selections of LEMS, seen through a gate."""

from __future__ import annotations

import math

from tests.conformance.references.gates import backward, from_rates, one_gate, steady
from tests.conformance.references.registry import reference
from tests.conformance.references.solve import MS, MV


@reference(
    "801-include-paths",
    tests="includes are relative to the file that names them; a file included twice counts once",
    rule="NeuroML: include href",
)
def include_paths() -> list:
    return [one_gate(steady, lambda v: 4 * MS)[0]]


@reference(
    "802-units-of-user-code",
    tests="units that a LEMS file defines, with power and scale",
    rule="LEMS: Unit (magnitude = number scale 10^power)",
    mistakes={"the scale is ignored": {"scale": 1.0}},
)
def units_of_user_code(scale: float = 0.0166666666666666667) -> list:
    inf, tau = from_rates(lambda v: 18000 * scale * math.exp(max(min(v / 0.05, 50), -50)), backward)
    return [one_gate(inf, tau)[0]]


@reference(
    "803-select-and-reduce",
    tests="select over all children with reduce add and multiply",
    rule="LEMS: DerivedVariable (select, reduce)",
    mistakes={"multiply adds": {"product": 2.5}},
    departures={"jLEMS": "takes the variable 'product' for its function of that name: it stops"},
)
def select_and_reduce(product: float = 1.5 * 0.4 * 0.6) -> list:
    def inf(v: float) -> float:
        return 2.5 / (2.5 + product + math.exp((-50 * MV - v) / (8 * MV)))

    return [one_gate(inf, lambda v: 4 * MS)[0]]
