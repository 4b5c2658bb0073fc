"""The gates of generated NMODL are those of the document: against the IR in numpy and against jLEMS, by machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from channel_probes import channels
from channel_verdicts import LIMIT, Verdict, judged

from nmlopt.backend import Numerics, Settings

pytestmark = [pytest.mark.neuron, pytest.mark.java]

TABLE_ERROR = 2e-3
"""With one row each 0.25 mV, steady states and time constants that change e-fold in 2 mV are off by h²/8 of that."""


def verdicts(folder: Path, settings: Settings, problems: list[str], *, jlems: bool = True) -> list[Verdict]:
    """All channels below a folder."""
    return judged(list(channels(folder, problems)), settings, problems, jlems=jlems)


def test_our_channels(root):
    problems: list[str] = []
    found = verdicts(root / "mods" / "channels", Settings(), problems)
    assert not problems
    assert {v.channel.id for v in found} >= {"NaTa_t", "NaTs2_t", "Ca_HVA", "Ih", "SK_E2"}
    for verdict in found:
        assert verdict.compared == 2 * verdict.gates, verdict  # jLEMS saw each inf and tau
        assert verdict.is_fine(tables=False), verdict


@pytest.mark.slow
@pytest.mark.parametrize("numerics", list(Numerics))
def test_every_channel_of_the_published_models(shared_data, numerics):
    problems: list[str] = []
    found = verdicts(shared_data, Settings(numerics=numerics), problems, jlems=numerics is Numerics.CNEXP)
    assert len(found) > 100
    assert not problems
    assert [v for v in found if not v.is_fine(tables=False)] == []


@pytest.mark.slow
def test_tables_are_as_near_as_their_spacing(root):
    found = verdicts(root / "mods" / "channels", Settings(tables=True), [], jlems=False)
    errors = np.array([(v.nmodl_inf, v.nmodl_tau) for v in found])
    assert LIMIT < np.nanmax(errors) < TABLE_ERROR
