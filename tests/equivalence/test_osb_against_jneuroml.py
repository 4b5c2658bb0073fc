"""Published cells against jNeuroML: its NEURON export at the same step, and jLEMS in the limit of small steps.

jNeuroML runs the published LEMS files themselves; we run targets written by us. Where spikes of the export fall into
other steps than ours, the case names the defect (`repairs`, tests/tools/export_repairs.py), and undoing it in the
exported text, with nothing changed here, brings them into the same steps:

- izhikevich_2007: a = 0.03 per ms is set as 0.030000001 (single precision); the sixth spike is a step apart.
- golgi_soma: densities in single precision, a scale of 15.87301587302 mV cut to 15.873 (NEURON keeps six digits of a
  PARAMETER), Nernst potentials with NEURON's R and F; some of 42 spikes are a step apart. The export also records
  caConc2 as 0: not compared.
- superficial_basket: the reverse rate of Traub's kc is 2 exp(...) - alpha, and the export computes alpha after it, so
  that it takes that of the step before; from the second spike on one to six steps apart.

With all repairs whole traces agree.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from export_repairs import in_turn, nernst_of_the_types, plain_literals, rates_in_order
from osb_cells import BY_NAME, CASES, TARGETS, Case
from osb_comparison import convergence, differences, limit_in_jlems

from nmlopt.document.read import read
from nmlopt.errors import Severity
from nmlopt.experiment.checks import check
from nmlopt.features.extract import feature_units
from nmlopt.spec.load import load

pytestmark = pytest.mark.neuron

TOLERANCES = tomllib.loads(Path(__file__).with_name("tolerances.toml").read_text())
JNEUROML, CNEXP, JLEMS = TOLERANCES["neuron"]["jneuroml"], TOLERANCES["neuron"]["cnexp"], TOLERANCES["jlems"]["own"]
ALL_REPAIRS = in_turn(plain_literals, rates_in_order, nernst_of_the_types)


def each(cases: Iterable[Case], *, always_slow: bool = False) -> list:
    """Cases as parameters, marked slow where they are."""
    return [
        pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.is_slow or always_slow else [])
        for case in cases
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_targets_fit_their_cell(case: Case, shared_data: Path) -> None:
    targets = load(TARGETS / f"{case.name}.json")
    issues = check(targets, read(shared_data / "osb" / case.lems), folder=TARGETS, feature_units=feature_units())
    assert [issue for issue in issues if issue.severity is Severity.ERROR] == []


@pytest.mark.java
@pytest.mark.parametrize("case", each(CASES))
def test_spikes_fall_into_the_same_steps(case: Case, shared_data: Path, tmp_path: Path) -> None:
    repair = in_turn(*case.repairs) if case.repairs else None
    for row in differences(case, shared_data, tmp_path, repair):
        assert row.spikes == row.peer_spikes, row
        assert max(map(abs, row.shifts), default=0) <= JNEUROML["spike_steps"], row


@pytest.mark.java
@pytest.mark.parametrize("case", each((c for c in CASES if c.repairs), always_slow=True))
def test_the_defect_of_the_export_is_still_there(case: Case, shared_data: Path, tmp_path: Path) -> None:
    assert any(any(row.shifts) for row in differences(case, shared_data, tmp_path)), "the repair is needed no more"


@pytest.mark.java
@pytest.mark.parametrize("case", each(CASES, always_slow=True))
def test_traces_agree_with_the_repaired_export(case: Case, shared_data: Path, tmp_path: Path) -> None:
    for row in differences(case, shared_data, tmp_path, ALL_REPAIRS):
        assert row.largest <= JNEUROML["trace_mV" if row.is_voltage else "other_relative"], row


@pytest.mark.parametrize("case", each(CASES))
def test_the_numerics_meet_as_the_step_shrinks(case: Case, shared_data: Path) -> None:
    found = convergence(case, shared_data)
    assert found.spikes > 0
    assert found.extrapolated_ms <= CNEXP["extrapolated_ms"], found
    for coarse, fine in zip(found.distances_ms, found.distances_ms[1:], strict=False):
        assert fine <= max(CNEXP["shrinks_to"] * coarse, CNEXP["negligible_ms"]), found


@pytest.mark.java
@pytest.mark.parametrize(
    ("name", "dt_ms"),
    [("hh_detailed", 0.01), ("izhikevich_2007", 0.005), ("iafTauRef", 0.005), ("fitzhugh_nagumo", 0.01)],
)
def test_jlems_and_cnexp_tend_to_the_same_spikes(name: str, dt_ms: float, shared_data: Path, tmp_path: Path) -> None:
    theirs, ours = limit_in_jlems(BY_NAME[name], shared_data, tmp_path, dt_ms)
    assert len(ours) >= 5
    assert np.abs(theirs - ours).max() <= JLEMS["extrapolated_ms"]
