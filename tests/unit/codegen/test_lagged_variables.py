"""What numerics jneuroml computes a step late: variables of gates, not what a density makes of v."""

from __future__ import annotations

from nmlopt.codegen.nmodl import Writer
from nmlopt.codegen.nmodl_states import lagged
from nmlopt.ir.model import Assigned, Dynamics, Mechanism, MechanismKind, State
from nmlopt.lems.parse import parse


def lagged_of(assigned: dict[str, str], exposures: dict[str, str]) -> tuple[str, ...]:
    """The lagged variables of a density with one gate state m_q."""
    dynamics = Dynamics(
        inputs=("v",),
        states=(State("m_q", parse("0.5"), parse("m_inf - m_q")),),
        assigned=tuple(Assigned(name, parse(text)) for name, text in assigned.items()),
        exposures=(*exposures.items(), ("iDensity", "iDensity")),
    )
    mechanism = Mechanism("x", MechanismKind.DENSITY, dynamics, (), current="iDensity")
    return lagged(Writer(mechanism, partial=False), "iDensity")


def test_driving_force_is_computed_with_the_current() -> None:
    found = lagged_of(
        {"m_inf": "1 / (1 + exp(v))", "m_fcond": "m_q * m_q", "iDensity": "3 * m_fcond * (0.05 - v)"},
        {"m/q": "m_q", "m/fcond": "m_fcond"},
    )
    assert found == ("m_fcond",)


def test_exponential_of_a_ghk_current_is_not_lagged() -> None:
    """NEURON takes di/dv from two evaluations of the current; a lagged exponential is the same in both."""
    found = lagged_of(
        {
            "m_inf": "1 / (1 + exp(v))",
            "m_fcond": "m_q * m_q",
            "expKv": "exp(v)",
            "iDensity": "m_fcond * (1 - 2 * expKv)",
        },
        {"m/q": "m_q", "m/fcond": "m_fcond"},
    )
    assert found == ("m_fcond",)


def test_instantaneous_gate_is_lagged() -> None:
    found = lagged_of(
        {
            "m_inf": "m_q",
            "s_V": "v / 0.001",
            "s_fcond": "1 / (1 + exp(s_V))",
            "fopen": "s_fcond * m_q",
            "iDensity": "fopen * (0.05 - v)",
        },
        {"s/fcond": "s_fcond", "m/q": "m_q"},
    )
    assert found == ("s_V", "s_fcond", "fopen")
