"""From the parameters of targets.json to addresses in the document and bindings of slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from nmlopt.document.index import unit_table
from nmlopt.document.model import Document
from nmlopt.document.paths import Address
from nmlopt.document.paths import resolve as resolve_path
from nmlopt.errors import Issue, LemsError, PathError, TargetsError
from nmlopt.experiment.parameters import Binding, FreeParameter, Parameters
from nmlopt.ir.model import Cell
from nmlopt.lems.expression import Expr, Num, Op, Sym
from nmlopt.lems.parse import parse
from nmlopt.lems.trees import leaves, names, substitute
from nmlopt.spec.models import Parameter, Targets
from nmlopt.units import Quantity, Unit, UnitTable, convert

MAX_LEAVES: Final = 2000
"""Of one expression after the dependent parameters in it are put in."""


def addresses(targets: Targets, document: Document) -> tuple[Address, ...]:
    """One address per slot: the parameters in file order, the paths of each in order, the matches of '*' in order.

    Raises TargetsError T041 with every path that leads nowhere.
    """
    groups, issues = locate_all(targets, document)
    if issues:
        raise TargetsError(issues)
    return tuple(address for group in groups for address in group)


def locate_all(targets: Targets, document: Document) -> tuple[tuple[tuple[Address, ...], ...], list[Issue]]:
    """The addresses of each parameter, and a T041 at its JSON path for each path that leads nowhere."""
    issues: list[Issue] = []
    groups = tuple(
        tuple(
            address
            for k, path in enumerate(parameter.paths)
            for address in _located(document, path, f"$.parameters[{i}].paths[{k}]", issues)
        )
        for i, parameter in enumerate(targets.parameters)
    )
    return groups, issues


def parameters(targets: Targets, document: Document, cell: Cell) -> Parameters:
    """The search space; `cell` was lowered with `addresses(targets, document)` free.

    Every free parameter is in the unit in which the document writes its first number. Raises TargetsError, UnitsError.
    """
    groups, issues = locate_all(targets, document)
    if issues:
        raise TargetsError(issues)
    table = unit_table(document)
    free = free_parameters(targets, groups, table)
    index = {axis.id: i for i, axis in enumerate(free)}
    formulas = dependent_formulas(targets, free, table)
    slots = iter(cell.slots)
    bindings = []
    for parameter, group in zip(targets.parameters, groups, strict=True):
        at = index.get(parameter.id)
        unit = table.unit(parameter.unit or "") if at is None else free[at].unit
        bindings += [
            Binding(slot, unit, at, formulas.get(parameter.id), parameter.id)
            for _, slot in zip(group, slots, strict=False)
        ]
    assert len(bindings) == len(cell.slots)  # the cell was lowered with these addresses
    return Parameters(free, tuple(bindings))


def free_parameters(
    targets: Targets, groups: Sequence[Sequence[Address]], table: UnitTable
) -> tuple[FreeParameter, ...]:
    """The axes of the search; parameters without an address are left out. Raises UnitsError."""
    found = []
    for parameter, group in zip(targets.parameters, groups, strict=True):
        if parameter.lower is None or parameter.upper is None or not group:
            continue
        present = group[0].quantity
        lower = Quantity.parse(parameter.lower).to(present.unit, table).value
        upper = Quantity.parse(parameter.upper).to(present.unit, table).value
        unit = table.unit(present.unit)
        found.append(FreeParameter(parameter.id, unit, lower, upper, parameter.scale, present.value))
    return tuple(found)


def dependent_formulas(targets: Targets, free: Sequence[FreeParameter], table: UnitTable) -> Mapping[str, Expr]:
    """For each dependent parameter its expression over the free ones, in the units of `FreeParameter`.

    Raises TargetsError T034 (syntax, or too long once expressions are put into each other), T035 (name, circle).
    """
    by_id = {parameter.id: parameter for parameter in targets.parameters}
    known: dict[str, Expr] = {
        axis.id: _converted(Sym(axis.id), axis.unit, table.unit(Quantity.parse(by_id[axis.id].lower or "0").unit))
        for axis in free
    }
    waiting = {p.id: _parsed(p, f"$.parameters[{i}].expression") for i, p in _dependent(targets)}
    where = {p.id: f"$.parameters[{i}].expression" for i, p in _dependent(targets)}
    formulas: dict[str, Expr] = {}
    while ready := [name for name, tree in waiting.items() if names(tree) <= known.keys()]:
        for name in ready:
            formulas[name] = known[name] = substitute(waiting.pop(name), known)
            if sum(1 for _ in leaves(known[name])) > MAX_LEAVES:
                raise TargetsError(Issue("T034", f"the expression of '{name}' is too long in full", where[name]))
    if waiting:
        message = "the expression of '{}' reads something that is no parameter, or itself"
        raise TargetsError([Issue("T035", message.format(name), where[name]) for name in waiting])
    return formulas


def _dependent(targets: Targets) -> list[tuple[int, Parameter]]:
    return [(i, p) for i, p in enumerate(targets.parameters) if p.expression is not None]


def _parsed(parameter: Parameter, where: str) -> Expr:
    try:
        return parse(parameter.expression or "")
    except LemsError as error:
        raise TargetsError([Issue("T034", i.message, where, i.hint) for i in error.issues]) from error


def _converted(value: Expr, here: Unit, there: Unit) -> Expr:
    """The expression of `value` (a number in `here`) in the unit `there`: conversions of units are affine."""
    if here == there:
        return value
    offset = convert(0.0, here, there)
    factor = convert(1.0, here, there) - offset
    # dividing by a power of ten is exact where multiplying by its inverse is not
    inverse = Num(convert(1.0, there, here) - convert(0.0, there, here))
    scaled = Op("/", (value, inverse)) if factor < 1.0 else Op("*", (value, Num(factor)))
    return Op("+", (scaled, Num(offset))) if offset else scaled


def _located(document: Document, path: str, where: str, issues: list[Issue]) -> tuple[Address, ...]:
    try:
        return resolve_path(document, path)
    except PathError as error:
        for issue in error.issues:
            place = f" ({issue.where})" if issue.where else ""
            issues.append(Issue("T041", f"{issue.message}{place}", where, issue.hint))
        return ()
