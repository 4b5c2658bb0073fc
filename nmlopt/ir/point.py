"""Point cells: a whole component without morphology as one mechanism."""

from __future__ import annotations

from nmlopt.ir.bind import TEMPERATURE
from nmlopt.ir.flat import EMPTY_PRODUCT, Flat
from nmlopt.ir.flatten import Flattener
from nmlopt.ir.mechanisms import Catalogue, Prototype
from nmlopt.ir.model import MechanismKind, Placement
from nmlopt.ir.numbers import Numbers
from nmlopt.ir.passes import run
from nmlopt.ir.simplify import simplified
from nmlopt.lems.expression import Expr, Op, Sym
from nmlopt.lems.resolve import Components, Instance
from nmlopt.lems.trees import names, substitute
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
    """What iSyn is divided by in v', in terms of numbers and slots; None if v' is not a sum with such a term."""
    table = {d.name: d.value for d in flat.definitions}
    derivatives = [s.derivative for s in flat.states if s.name == "v" and s.derivative is not None]
    derivatives += [value for r in flat.regimes for name, value in r.derivatives if name == "v"]
    found = (_divisor(derivative, table) for derivative in derivatives)
    return next((divisor for divisor in found if divisor is not None), None)


def _divisor(expr: Expr, table: dict[str, Expr]) -> Expr | None:
    match expr:
        case Sym("iSyn"):
            return EMPTY_PRODUCT
        case Sym(name):
            return _divisor(table[name], table) if name in table else None
        case Op("+", (left, right)):
            return _divisor(left, table) or _divisor(right, table)
        case Op("-", (left, _)):
            return _divisor(left, table)
        case Op("/", (top, bottom)):
            return _combined("*", _divisor(top, table), _numbers_of(bottom, table))
        case Op("*", (left, right)):
            by_right = _combined("/", _divisor(right, table), _numbers_of(left, table))
            return by_right or _combined("/", _divisor(left, table), _numbers_of(right, table))
    return None


def _combined(op: str, divisor: Expr | None, number: Expr | None) -> Expr | None:
    if divisor is None or number is None:
        return None
    return simplified(Op(op, (divisor, number)))


def _numbers_of(expr: Expr, table: dict[str, Expr]) -> Expr | None:
    """An expression over numbers and slots alone; None if it holds anything else."""
    while names(expr) & table.keys():
        expr = substitute(expr, table)
    return None if names(expr) else expr
