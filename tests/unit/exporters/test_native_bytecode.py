"""Loop bodies as byte code: what is loaded, what is stored, where choices and loops lead."""

from __future__ import annotations

from typing import Any

import pytest

from nmlopt.exporters.native.bytecode import OPERATIONS, Body, translate

NAMES: dict[str, Any] = {"v": ("AT_NODE", 0), "m": ("STATE", 3), "h": ("GIVEN", 0), "absent": 0.0}
KEEP = {"m": ("STORE_STATE", 3)}


def shown(body: Body) -> list[str]:
    return [OPERATIONS[operation] for operation, *_ in body.code]


def computed(body: Body, **loaded: float) -> dict[int, float]:
    """What a body of choices and sums without loops leaves in its registers, worked out by hand."""
    values = dict(enumerate(body.constants, body.first_constant))
    sources = {"AT_NODE": "v", "STATE": "m", "GIVEN": "h"}
    skip, tested = [False], [False]
    for number, to, a, b in body.code:
        match OPERATIONS[number]:
            case "IF":
                skip.append(skip[-1] or values[a] == 0.0)
                tested.append(values[a] != 0.0)
            case "ELSE":
                skip[-1] = skip[-2] or tested[-1]
            case "END_IF":
                skip.pop(), tested.pop()
            case "MOVE":
                values[to] = values[a]
            case "KEEP":
                values[to] = values[to] if skip[-1] else values[a]
            case "ADD":
                values[to] = values[a] + values[b]
            case "MULTIPLY":
                values[to] = values[a] * values[b]
            case "MORE":
                values[to] = float(values[a] > values[b])
            case "LESS":
                values[to] = float(values[a] < values[b])
            case "STORE_STATE":
                pass
            case source:
                values[to] = loaded[sources[source]]
    return values


def test_operations_stand_in_the_order_of_the_text():
    body = translate(["m = m + h * (v - 2.0) / nm_exp(-v);"], NAMES, stores=KEEP)
    assert shown(body) == [
        "STATE", "GIVEN", "AT_NODE", "SUBTRACT", "MULTIPLY", "NEGATE", "EXP", "DIVIDE", "ADD", "STORE_STATE"
    ]  # fmt: skip
    assert body.constants == (2.0,)


def test_only_what_is_assigned_is_stored():
    assert "STORE_STATE" not in shown(translate(["double x = m;"], NAMES, stores=KEEP))


def test_a_name_inside_a_block_hides_that_outside():
    lines = ["double x = 1.0;", "{", "    double x = 5.0;", "    m = x;", "}", "h = x;"]
    body = translate(lines, NAMES, results=["m", "h"])
    values = computed(body, v=0.0, m=0.0, h=0.0)
    assert [values[register] for register in body.results] == [5.0, 1.0]


@pytest.mark.parametrize(("v", "wanted"), [(3.0, 6.0), (1.5, 2.5), (0.0, 10.0)])
def test_choices_take_one_branch(v, wanted):
    lines = ["if (v > 2.0) {", "m = v * 2.0;", "} else if (v > 1.0) {", "m = v + 1.0;", "} else {", "m = 10.0;", "}"]
    body = translate(lines, NAMES, results=["m"])
    assert computed(body, v=v, m=0.0)[body.results[0]] == wanted


def test_a_skipped_branch_leads_behind_itself():
    body = translate(["if (v > 2.0) {", "m = 1.0;", "} else {", "m = 2.0;", "}", "h = m;"], NAMES)
    operations = shown(body)
    ahead = {name: body.code[operations.index(name)][3] for name in ("IF", "ELSE")}
    assert ahead == {"IF": operations.index("ELSE"), "ELSE": operations.index("END_IF")}


def test_a_loop_goes_back_to_its_test():
    body = translate(["while (v > h) {", "    v = v - 1.0;", "}"], NAMES)
    operations = shown(body)
    assert body.code[operations.index("AGAIN")][3] == operations.index("LOOP") + 1
    assert body.code[operations.index("WHILE")][3] == operations.index("END_LOOP")


def test_zero_and_minus_zero_are_two_constants():
    body = translate(["m = 0.0;", "h = -0.0;"], NAMES)
    assert [value.hex() for value in body.constants] == ["0x0.0p+0", "-0x0.0p+0"]


def test_elements_of_an_array_lie_side_by_side():
    lines = ["double q[3] = {v, m, 0.0};", "nm_occupancies(3, k, q, h);", "m = q[2];"]
    body = translate(["double k[9] = {0};", "k[4] += v;", *lines], NAMES)
    operation, size, matrix, held = next(row for row in body.code if OPERATIONS[row[0]] == "OCCUPANCIES")
    assert OPERATIONS[operation] == "OCCUPANCIES" and (size, held - matrix) == (3, 9)


def test_what_nothing_is_left_in_is_zero():
    body = translate(["m = v;"], NAMES, results=["slope"])
    assert computed(body, v=4.0, m=0.0)[body.results[0]] == 0.0


@pytest.mark.parametrize("v", [0.0, 1.0, 299.0, 300.0])
def test_a_chain_of_choices_may_be_long(v):
    lines = [f"{'} else ' if k else ''}if (v < {k + 1}.0) {{\nm = {k}.0;" for k in range(300)]
    body = translate([*lines, "} else {", "m = -1.0;", "}"], NAMES, results=["m"])
    assert body.depth == 300
    assert computed(body, v=v, m=0.0)[body.results[0]] == (v if v < 300.0 else -1.0)


def test_choices_and_loops_within_one_another_are_counted():
    lines = [
        "while (v > h) {",
        "if (v > 2.0) {",
        "m = 1.0;",
        "}",
        "v = v - 1.0;",
        "}",
        "if (m > 0.0) {",
        "h = 1.0;",
        "}",
    ]
    assert translate(lines, NAMES).depth == 2
    assert translate(["m = v;"], NAMES).depth == 0


def test_a_name_of_which_nothing_is_known_is_a_fault():
    with pytest.raises(AssertionError, match="nothing is known of the name unheard"):
        translate(["m = unheard;"], NAMES)
