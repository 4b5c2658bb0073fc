"""The generic kernel gives the bits of compiled ones; published cells: `python -m tests.conformance.both_kernels`."""

from __future__ import annotations

import pytest

from nmlopt.backend import Integrator
from nmlopt.document.read import read
from nmlopt.exporters.native import bytecode
from nmlopt.importers.lems_simulation import read_simulation
from tests.conformance.both_kernels import INTEGRATORS, compared
from tests.conformance.suite import case_ids, load

SAMPLE = (
    "105-axial-resistance", "201-gate-rates", "206-gate-instantaneous", "211-ks-two-open-states", "303-density-ghk",
    "306-population", "310-nonuniform-path-length", "402-pool-decaying", "504-iaf-refractory", "507-adex",
    "606-voltage-clamp-triple", "706-depression-facilitation",
)  # fmt: skip
"""Cases that need every part of the kernel between them."""
REST = [case for case in case_ids() if case not in SAMPLE]


def check(name: str) -> None:
    simulation = read_simulation(read(load(name).lems))
    found = [compared(simulation, integrator) for integrator in INTEGRATORS]
    assert [one.difference for one in found] == ["", ""]
    assert not found[0].refused


@pytest.mark.parametrize("name", SAMPLE)
def test_both_kernels_do_the_same(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", REST)
def test_both_kernels_do_the_same_everywhere(name):
    check(name)


def test_a_difference_in_one_operation_is_seen(monkeypatch):
    monkeypatch.setitem(bytecode.FUNCTIONS, "nm_exp", bytecode.FUNCTIONS["nm_growth"])
    simulation = read_simulation(read(load("201-gate-rates").lems))
    assert "sample" in compared(simulation, Integrator.FIXED).difference
