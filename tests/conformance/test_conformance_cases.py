"""nmlopt against every case of the conformance suite. The suite itself: test_conformance_suite.py."""

from __future__ import annotations

import pytest

from tests.conformance.nmlopt_runs import run
from tests.conformance.suite import case_ids, load

pytestmark = pytest.mark.neuron

QUICK = (
    "101", "102", "103", "104", "105", "106", "107", "108", "109", "110", "111", "112", "113", "114", "116", "117",
    "118", "119", "120", "121", "201", "208", "222", "228", "303", "309", "312", "407", "507", "607", "701", "708",
)  # fmt: skip
"""Cases of the fast suite: the passive cells share their compiled mechanism, of the others there is one per notion."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name.startswith(QUICK) else pytest.mark.slow) for name in case_ids()],
)
def test_case(name):
    case = load(name)
    outcome = run(case).outcome(case)
    assert outcome.status == "pass", outcome.message
