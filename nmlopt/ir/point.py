"""Point cells: a whole component without morphology as one mechanism."""

from __future__ import annotations

from nmlopt.ir.bind import TEMPERATURE
from nmlopt.ir.flat import Flat
from nmlopt.ir.flatten import Flattener
from nmlopt.ir.mechanisms import Catalogue, Prototype
from nmlopt.ir.model import MechanismKind, Placement
from nmlopt.ir.numbers import Numbers
from nmlopt.ir.passes import run
from nmlopt.lems.expression import Expr, Num, Op, SlotRef, Sym
from nmlopt.lems.resolve import Components, Instance
from nmlopt.lems.types import place

INPUTS = {name: Sym(name) for name in ("t", TEMPERATURE, "iSyn", "ISyn")}


def lower_point_cell(components: Components, numbers: Numbers, instance: Instance, catalogue: Catalogue) -> Expr | None:
    """Add the mechanism and placement of a point cell; its capacitance in F if its membrane equation has one.

    Raises LemsError.
    """
    flattener = Flattener(components, numbers, INPUTS, modal=instance)
    flattener.want(instance, *_variables(instance))
    flat = flattener.finish()
    wanted = [name for _, name in flat.exposures]
    bound = run(flat, wanted)
    name = instance.element.attributes.get("id", instance.type.name)
    prototype = Prototype(bound, (), MechanismKind.POINT_CELL, name, where=place(instance.element))
    catalogue.place(name, prototype, Placement("", name, (0,)))
    return _capacitance(flat)


def _variables(instance: Instance) -> list[str]:
    """The states of a cell and the variables that it exposes, as far as its Dynamics defines them."""
    dynamics = instance.type.dynamics
    if dynamics is None:
        return []
    found = []
    for item in dynamics.children:
        is_state = item.tag == "StateVariable"
        is_exposed = item.tag in ("DerivedVariable", "ConditionalDerivedVariable") and "exposure" in item.attributes
        if (is_state or is_exposed) and item.attributes["name"] not in found:
            found.append(item.attributes["name"])
    return found


def _capacitance(flat: Flat) -> Expr | None:
    """C of v' = (... + iSyn ...)/C, in terms of numbers and slots."""
    table = {d.name: d.value for d in flat.definitions}
    derivatives = [s.derivative for s in flat.states if s.name == "v"]
    derivatives += [value for r in flat.regimes for name, value in r.derivatives if name == "v"]
    for derivative in derivatives:
        match derivative:
            case Op("/", (current, Sym(name))) if _adds_input(current, table):
                return _plain_capacitance(name, table)
    return None


def _plain_capacitance(name: str, table: dict[str, Expr]) -> Expr | None:
    """What a divisor stands for, if it is a number or a slot; a computed one is no membrane capacitance."""
    value = table.get(name)
    return value if isinstance(value, Num | SlotRef) else None


def _adds_input(expr: Expr, table: dict[str, Expr]) -> bool:
    """Whether a current is a sum with iSyn as one of its terms."""
    waiting, seen = [expr], set[str]()
    while waiting:
        match waiting.pop():
            case Sym("iSyn"):
                return True
            case Sym(name) if name in table and name not in seen:
                seen.add(name)
                waiting.append(table[name])
            case Op("+", (left, right)):
                waiting += [left, right]
            case Op("-", (left, _)):
                waiting.append(left)
    return False
