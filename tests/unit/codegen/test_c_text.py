"""C as the printer makes it: statements, names that the kernel's own text has taken."""

from __future__ import annotations

import pytest

from nmlopt.codegen.c_text import c_body, c_writer, declarations, statements
from nmlopt.ir.model import Assigned, Dynamics, Mechanism, MechanismKind, Parameter, State
from nmlopt.lems.expression import Call, Cases, Num, Op, Sym


def mechanism(*assigned: Assigned, parameters: tuple[str, ...] = ()) -> Mechanism:
    state = State("q", Num(0.0), None)
    dynamics = Dynamics(("v",), (state,), assigned)
    return Mechanism("m", MechanismKind.DENSITY, dynamics, tuple(Parameter(p, Num(1.0)) for p in parameters))


def test_lines_end_in_semicolons_but_for_braces():
    lines = ["x = 1.0", "if (x > 0.0) {", "    y = {1.0}", "} else {", "    y = 2.0", "}"]
    assert statements(lines) == ("x = 1.0;", "if (x > 0.0) {", "    y = {1.0};", "} else {", "    y = 2.0;", "}")


def test_declarations_name_each_local_once():
    assert declarations(["a", "b", "a"]) == ("double a, b;",)
    assert declarations([]) == ()


@pytest.mark.parametrize("name", ["q", "k", "l", "share", "table", "h", "double"])
def test_names_of_the_kernel_are_not_used_for_variables(name):
    writer = c_writer(mechanism(parameters=(name,)))
    assert writer.names[name] not in {"q", "k", "l", "share", "table", "h", "double"}
    assert len({writer.names[name], writer.names["q"]}) == (1 if name == "q" else 2)


def test_a_name_that_looks_renamed_already_stays_apart():
    writer = c_writer(mechanism(parameters=("k", "k_of")))
    assert writer.names["k"] != writer.names["k_of"]


@pytest.mark.parametrize("name", ["q_rate", "q_loss", "q_gain", "q_ga", "q_lb", "q_1"])
def test_names_of_locals_of_another_variable_are_not_used(name):
    renamed = c_writer(mechanism(parameters=(name,)))
    local = name.replace("q", renamed.names["q"], 1)
    clash = c_writer(mechanism(parameters=(local,)))
    assert clash.names["q"] == renamed.names["q"] and clash.names[local] != local


def test_functions_are_those_of_the_kernel_and_choices_are_statements():
    value = Cases(((Op("<", (Sym("v"), Num(0.0))), Call("exp", (Sym("v"),))),), Op("^", (Sym("q"), Num(3.0))))
    writer = c_writer(mechanism(Assigned("x_rate", value)))
    body = c_body(writer)
    body.need([Sym("x_rate")])
    q = writer.names["q"]
    assert statements(body.lines) == (
        "if (v < 0.0) {", "    x_rate = nm_exp(v);", "} else {", f"    x_rate = {q} * {q} * {q};", "}",
    )  # fmt: skip
