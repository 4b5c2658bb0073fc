"""The line that hands a current to Arbor, with how it depends on v, so that v is stepped implicitly.

Arbor's compiler looks for v in the one statement that assigns the current, not in the variables it is made of. So the
statement is `i = value + slope * (v - here)`, where `here` is v: the value to the last bit, and a slope that is seen.
"""

from __future__ import annotations

from nmlopt.codegen.analysis import linear, slope
from nmlopt.codegen.nmodl import Body, Writer
from nmlopt.ir.model import Assigned
from nmlopt.lems.expression import Expr, Num, Op, Sym
from nmlopt.lems.trees import substitute

HERE, SLOPE, BESIDE = "here", "slope", "beside"
"""Local names: v, di/dv, and the voltage at which a current is computed a second time."""
_STEP_V = 1e-6


def current_lines(writer: Writer, body: Body, name: str, scale: str) -> None:
    """Leave `scale` times the current (inward, over volts) in `name`; `scale` ends in an operator or is ''.

    A current that is not linear in v is computed a second time a microvolt beside it, as NEURON does.
    """
    current = writer.mechanism.current
    body.need([Sym(current)])
    value = f"{scale}{writer.names[current]}"
    change = _slope(writer, body)
    if change is None:
        body.lines.append(f"{name} = {value}")
        return
    body.let(SLOPE, Op("*", (Num(0.001), change)))
    body.local_names.append(HERE)
    body.lines += [f"{HERE} = v", f"{name} = {value} + {scale}{SLOPE} * (v - {HERE})"]


def _slope(writer: Writer, body: Body) -> Expr | None:
    """di/dv per volt; None where the current does not depend on v."""
    current = Sym(writer.mechanism.current)
    form = linear(current, "v", writer.definitions)
    if form is not None:
        return slope(form)
    beside = Sym(BESIDE)
    writer.names[BESIDE] = BESIDE
    body.let(BESIDE, Op("+", (Sym("v"), Num(_STEP_V))))
    table: dict[str, Expr] = {"v": beside}
    for assigned in writer.definitions.needed([current]):
        if writer.definitions.rests_on(assigned.value, {"v"}):
            copy = f"{assigned.name}_{BESIDE}"
            writer.names[copy] = f"{writer.names[assigned.name]}_{BESIDE}"
            body.compute(Assigned(copy, substitute(assigned.value, table)))
            table[assigned.name] = Sym(copy)
    return Op("/", (Op("-", (table[current.name], current)), Num(_STEP_V)))
