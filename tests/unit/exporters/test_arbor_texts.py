"""Generated texts for Arbor without Arbor: tests, defaults, times of events, expressions in Python."""

from __future__ import annotations

import math
import runpy

import pytest

from nmlopt.document.edit import Edit, apply
from nmlopt.document.paths import listing
from nmlopt.document.read import read
from nmlopt.exporters.arbor.defaults import defaults
from nmlopt.exporters.arbor.export_recordings import python
from nmlopt.exporters.arbor.mod import parts
from nmlopt.exporters.arbor.mod_text import text_of, writer_of
from nmlopt.exporters.arbor.stimuli import delivered
from nmlopt.exporters.arbor.truths import with_comparisons
from nmlopt.ir.lower import classify, lower
from nmlopt.ir.model import Assigned, Condition, Dynamics, Mechanism, MechanismKind, State
from nmlopt.lems.evaluate import evaluate
from nmlopt.lems.expression import Call, Cases, Expr, Num, Op, Sym
from nmlopt.units import Quantity

X, ONE, ZERO = Sym("x"), Num(1.0), Num(0.0)
ABOVE = Op(">", (X, Num(2.0)))


def _mechanism(value: Expr = ZERO, *conditions: Condition, derivative: Expr | None = None) -> Mechanism:
    dynamics = Dynamics(
        ("v",), (State("x", ONE, derivative),), (Assigned("i", Op("*", (value, Sym("v")))),), tuple(conditions)
    )
    return Mechanism("made", MechanismKind.DENSITY, dynamics, (), current="i")


def _lines(mechanism: Mechanism, head: str) -> list[str]:
    return [line for block in text_of(writer_of(mechanism)).blocks if block.head == head for line in block.lines]


@pytest.mark.parametrize(
    ("test", "left"),
    [
        (Op("and", (Op("==", (ONE, ONE)), ABOVE)), ABOVE),
        (Op("or", (ABOVE, ZERO)), ABOVE),
        (Op("and", (Sym("flag"), ABOVE)), Op("and", (Op("!=", (Sym("flag"), ZERO)), ABOVE))),
        (Op("not", (Op("not", (ABOVE,)),)), Op("not", (Op("not", (ABOVE,)),))),
    ],
)
def test_tests_become_comparisons(test: Expr, left: Expr) -> None:
    (assigned,) = with_comparisons(_mechanism(Cases(((test, ONE),), ZERO))).dynamics.assigned
    assert assigned.value == Op("*", (Cases(((left, ONE),), ZERO), Sym("v")))


def test_tests_that_literals_decide_are_gone() -> None:
    never, always = Op("<", (ONE, ZERO)), Op("not", (ZERO,))
    value = Cases(((never, Num(5.0)), (always, Num(7.0)), (ABOVE, Num(9.0))), ZERO)
    made = with_comparisons(_mechanism(value, Condition(never, (("x", ZERO),)), Condition(always, (("x", ZERO),))))
    assert made.dynamics.assigned[0].value == Op("*", (Num(7.0), Sym("v")))
    assert [c.test for c in made.dynamics.conditions] == [Op("==", (X, X))]


def test_a_truth_as_a_number_is_a_choice() -> None:
    made = with_comparisons(_mechanism(Op("+", (ABOVE, ONE))))
    assert made.dynamics.assigned[0].value == Op("*", (Op("+", (Cases(((ABOVE, ONE),), ZERO), ONE)), Sym("v")))


def test_the_current_shows_its_slope_in_the_statement_that_assigns_it() -> None:
    assert _lines(_mechanism(X), "BREAKPOINT")[-2:] == ["here = v", "i = -0.1 * i__ + -0.1 * slope * (v - here)"]


def test_conditions_are_tested_after_the_step_that_moves_the_states() -> None:
    made = _mechanism(X, Condition(ABOVE, (("x", ZERO),)), derivative=Op("neg", (X,)))
    lines = _lines(made, "DERIVATIVE states")
    moved = next(k for k, line in enumerate(lines) if line.startswith("x = x * exp("))
    assert lines[moved + 1 :] == ["holds1 = 0.0", "if (x > 2.0) {", "    holds1 = 1.0", "}",
                                  "if (holds1 > 0.0) {", "    x = 0.0", "}"]  # fmt: skip


def test_a_state_that_is_not_linear_in_itself_moves_along_its_tangent() -> None:
    lines = _lines(_mechanism(X, derivative=Op("neg", (Op("*", (X, X)),))), "DERIVATIVE states")
    assert lines[-1] == "x = x + 0.001 * dt * x_rate / linoid(0.001 * dt * x_loss)"


@pytest.mark.parametrize(("model", "component"), [("calcium.nml", "calcium"), ("gates.nml", "gates")])
def test_texts_do_not_hang_on_the_values_of_slots(model: str, component: str, root) -> None:
    """Even of numbers that none of the present ones come near."""
    document = read(root / "tests" / "data" / "elements" / model)
    uses = classify(document, listing(document), component=component)
    free = [a for a in listing(document) if uses[a.path] == "bindable" and a.quantity.value != 0.0]
    edits = [Edit(a.path, Quantity(3.7 * a.quantity.value, a.quantity.unit)) for a in free]
    changed = apply(document, edits)
    again = [a for a in listing(changed) if a.path in {a.path for a in free}]
    before, after = lower(document, free, component=component), lower(changed, again, component=component)
    assert before.slots != after.slots
    assert [part.text for part in parts(before)] == [part.text for part in parts(after)]
    for mechanism in before.mechanisms:
        assert all(map(math.isfinite, defaults(before, mechanism).values()))


def test_events_act_at_the_nearest_step() -> None:
    times = delivered((0.0, 3.0, 7.018, 7.0149, 7.0151), 0.01)
    assert [math.floor(t / 0.01) for t in times] == [0, 300, 702, 701, 702]


@pytest.mark.parametrize("x", [-1.5, 0.0, 2.0, 3.25])
def test_expressions_in_python_are_the_ones_of_the_document(x: float, tmp_path) -> None:
    square = Op("^", (X, Num(2.0)))
    test = Op("and", (ABOVE, Op("not", (Op("==", (X, ONE)),))))
    value = Cases(((test, Op("/", (square, Num(-3.0)))),), Op("neg", (X,)))
    expr = Op("+", (value, Call("exp", (Call("abs", (X,)),))))
    module = tmp_path / "written.py"
    module.write_text(f"import math\n\npower, x_x = pow, {x!r}\nfound = {python(expr)}\n")
    assert runpy.run_path(str(module))["found"] == evaluate(expr, {"x": x})
