"""A mistake in what one backend generates is found by `verify`, and the mechanism that it is in is named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from planted_faults import FaultyArbor, FaultyNeuron, faster, replaced

from nmlopt.api.problem import Options, read_files
from nmlopt.api.verifying import outcome, subject_of
from nmlopt.backend import Backend, Settings
from nmlopt.exporters import registry
from nmlopt.verify.model import Entrant, Finding, Verdict, Verification

pytestmark = [pytest.mark.neuron, pytest.mark.arbor]


@dataclass(frozen=True)
class Fault:
    """A backend with a mistake, and what has to be said of it: kind, mechanism, quantity, factor or property."""

    backend: Any
    kind: str
    mechanism: str
    quantity: str
    factor: float | None = None
    property: str = ""
    amplitude: str = "0.3 nA"


STICK, CALCIUM = "examples/ball_and_stick/model.nml", "tests/data/elements/calcium.nml"
FAST = {
    "q10 of a fast gate": Fault(
        FaultyArbor("na_channel", faster("m_q", 1.2), "m"), "rate", "na_channel", "na_soma/m/q", 1.2
    ),
}
SLOW = {
    "conductance": Fault(
        FaultyArbor("k_channel", replaced("gDensity = condDensity", "gDensity = 1.1 * condDensity"), "k"),
        "current", "k_channel", "k_soma/iDensity", 1.1, "conductance",
    ),
    "q10 of a slow gate": Fault(
        FaultyArbor("ih_channel", faster("q_q", 1.3), "ih"), "rate", "ih_channel", "ih/q/q", 1.3, "", "-0.1 nA"
    ),
    "q10 of a gate in a merged mechanism": Fault(
        FaultyNeuron(faster("k_channel_n_q", 0.8), "n"), "rate", "k_channel", "k_soma/n/q", 0.8
    ),
    "reversal potential": Fault(
        FaultyArbor("na_channel", replaced("(erev - vs)", "(erev + 0.005 - vs)"), "na"),
        "current", "na_channel", "na_soma/iDensity", None, "reversal",
    ),
    "leak": Fault(
        FaultyArbor("leak_channel", replaced("(erev - vs)", "(erev + 0.002 - vs)"), "leak"),
        "current", "leak_channel", "leak_soma/iDensity", None, "reversal",
    ),
    "midpoint": Fault(
        FaultyArbor("na_channel", replaced("(-0.047)", "(-0.046)"), "mid"), "start", "na_channel", "na_soma/m/q"
    ),
    "exponent": Fault(
        FaultyArbor("na_channel", replaced("= m_q * m_q * m_q", "= m_q * m_q"), "exp"),
        "current", "na_channel", "na_soma/iDensity", None, "form",
    ),
    "capacitance": Fault(FaultyArbor("", str, "cm", capacitance=1.05), "current", "", "v", 1.05, "capacitance"),
}  # fmt: skip
POOL = {
    "decay of a pool": Fault(
        FaultyArbor("shell", replaced("cai_loss = 1.0 / 0.02", "cai_loss = 1.0 / 0.03"), "tau"),
        "rate", "shell", "ca/concentration",
    ),
    "calcium conductance": Fault(
        FaultyArbor("cal", replaced("gDensity = condDensity", "gDensity = 1.2 * condDensity"), "cal"),
        "current", "cal", "d_ca/iDensity", 1.2, "conductance",
    ),
}  # fmt: skip


_LEAK = {"ball_and_stick": "leak_soma", "shelled": "d_passive"}


def _targets(folder: Path, amplitude: str, component: str) -> Path:
    document = {
        "format": "nmlopt-targets",
        "format_version": "1.0",
        "id": "planted",
        "component": component,
        "parameters": [
            {
                "id": "leak",
                "paths": [f"cell:{component}/channelDensity:{_LEAK[component]}/condDensity"],
                "lower": "0.1 S_per_m2",
                "upper": "10 S_per_m2",
            }
        ],
        "protocols": [
            {
                "id": "step",
                "duration": "50 ms",
                "stimuli": [{"type": "pulse", "delay": "5 ms", "duration": "40 ms", "amplitude": amplitude}],
                "recordings": [{"id": "soma"}],
            }
        ],
        "targets": [
            {
                "type": "feature", "id": "peak", "protocol": "step", "recording": "soma", "feature": "maximum_voltage",
                "mean": 30.0, "sd": 5.0,
            }
        ],
    }  # fmt: skip
    path = folder / "targets.json"
    path.write_text(json.dumps(document))
    return path


def _verified(model: Path, targets: Path, backends: Sequence[Backend]) -> Verification:
    subject = subject_of(read_files(model, targets, Options()))
    return outcome(subject, [Entrant(b, Settings().on(b.offer)) for b in backends])


def _with(fault: Fault) -> list[Backend]:
    names = ("neuron", "arbor")
    return [fault.backend if fault.backend.name == name else registry.load(name) for name in names]


def _named(found: Verification, fault: Fault) -> Finding:
    assert found.verdict is Verdict.DIFFERS
    assert found.findings, found.notes
    first = found.findings[0]
    assert first.backend == fault.backend.name, first.text
    assert (first.kind, first.mechanism, first.property) == (fault.kind, fault.mechanism, fault.property), first.text
    assert {f.backend for f in found.findings} <= {fault.backend.name, ""}, "the backend without a mistake is accused"
    return first


@pytest.mark.parametrize("name", [*FAST, *(pytest.param(n, marks=pytest.mark.slow) for n in SLOW)])
def test_a_fault_in_a_cable_cell(name: str, root: Path, tmp_path: Path) -> None:
    fault = {**FAST, **SLOW}[name]
    found = _verified(root / STICK, _targets(tmp_path, fault.amplitude, "ball_and_stick"), _with(fault))
    first = _named(found, fault)
    if fault.factor is not None:
        assert first.factor == pytest.approx(fault.factor, rel=0.01)
    assert fault.quantity in [f.quantity for f in found.findings], [f.text for f in found.findings]
    assert fault.mechanism in first.text


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) for n in POOL])
def test_a_fault_around_a_pool(name: str, root: Path, tmp_path: Path) -> None:
    fault = POOL[name]
    first = _named(_verified(root / CALCIUM, _targets(tmp_path, "0.02 nA", "shelled"), _with(fault)), fault)
    assert first.quantity == fault.quantity


def test_without_a_fault_they_are_the_same(root: Path, tmp_path: Path) -> None:
    backends = [registry.load(name) for name in ("neuron", "arbor")]
    found = _verified(root / STICK, _targets(tmp_path, "0.3 nA", "ball_and_stick"), backends)
    assert found.verdict is Verdict.SAME
    assert not found.findings
    (spikes,) = found.spikes
    assert spikes.counts[0] > 1
    assert spikes.difference_ms is not None
    assert spikes.difference_ms < 1e-3
