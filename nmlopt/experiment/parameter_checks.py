"""What can be wrong between the parameters of targets.json and the document."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmlopt.document.index import unit_table
from nmlopt.document.model import Document
from nmlopt.document.paths import Address
from nmlopt.document.paths import resolve as resolve_path
from nmlopt.errors import Issue, NmloptError, PathError, Severity, TargetsError, UnitsError
from nmlopt.experiment.inputs import input_components, input_place
from nmlopt.experiment.parameter_resolve import dependent_formulas, free_parameters, locate_all
from nmlopt.experiment.parameters import FreeParameter
from nmlopt.ir.lower import lower
from nmlopt.ir.model import Cell
from nmlopt.lems.evaluate import evaluate
from nmlopt.spec.models import Parameter, Targets
from nmlopt.units import Exponents, Quantity, UnitTable, convert

RELATIVE_TOLERANCE = 1e-9
"""Two numbers of the document that differ by less are the same value written twice."""


@dataclass(frozen=True, slots=True)
class _Located:
    """One parameter, its JSON path and the numbers that it sets."""

    parameter: Parameter
    where: str
    group: tuple[Address, ...]


def check_parameters(targets: Targets, document: Document) -> tuple[Cell | None, tuple[Issue, ...]]:
    """The cell with the usable numbers free (None if it cannot be lowered), and all findings (T04x, I..., L...)."""
    groups, issues = locate_all(targets, document)
    located = [
        _Located(p, f"$.parameters[{i}]", g) for i, (p, g) in enumerate(zip(targets.parameters, groups, strict=True))
    ]
    issues += _set_twice(document, located)
    cell, unusable = _usable(targets, document, located)
    issues += unusable
    table = unit_table(document)
    fitting = [item for item in located if _keep(_dimensions(item, table), issues)]
    issues += [issue for item in located for issue in _bounds(item, table)]
    issues += [issue for item in fitting for issue in _outside(item, table)]
    issues += [issue for item in located for issue in _differing(item, table)]
    issues += _dependent(targets, fitting, table)
    return cell, tuple(issues)


def _keep(found: Iterator[Issue], issues: list[Issue]) -> bool:
    """Whether nothing was found; what was found goes to `issues`."""
    faults = list(found)
    issues.extend(faults)
    return not faults


def _place(document: Document, item: _Located, path: str) -> str:
    """The JSON path of the entry of `paths` that leads to the number at `path`."""
    for k, written in enumerate(item.parameter.paths):
        try:
            found = resolve_path(document, written)
        except PathError:
            continue
        if any(address.path == path for address in found):
            return f"{item.where}.paths[{k}]"
    return f"{item.where}.paths"


def _set_twice(document: Document, located: Sequence[_Located]) -> Iterator[Issue]:
    first: dict[str, str] = {}
    for item in located:
        for address in item.group:
            if address.path in first:
                message = f"'{item.parameter.id}' and '{first[address.path]}' both set '{address.path}'"
                if first[address.path] == item.parameter.id:
                    message = f"'{item.parameter.id}' sets '{address.path}' twice"
                where = _place(document, item, address.path)
                yield Issue("T048", message, where, "a number belongs to one parameter, once")
            first.setdefault(address.path, item.parameter.id)


def _usable(targets: Targets, document: Document, located: Sequence[_Located]) -> tuple[Cell | None, list[Issue]]:
    """The cell with those numbers free that can be, and why the others cannot."""
    owner = {address.path: item for item in located for address in reversed(item.group)}
    free = tuple({address.path: address for item in located for address in item.group}.values())
    issues: list[Issue] = []
    inputs = input_components(targets)
    try:
        return lower(document, free, component=targets.component, inputs=inputs), issues
    except PathError as error:
        refused = {a.path: i for i in error.issues for a in free if f"'{a.path}'" in i.message}
        issues += [_unusable(issue, _place(document, owner[path], path)) for path, issue in refused.items()]
        free = tuple(address for address in free if address.path not in refused)
    except NmloptError as error:
        return None, [_component(issue, targets) for issue in error.issues]
    try:
        return lower(document, free, component=targets.component, inputs=inputs), issues
    except NmloptError as error:
        return None, issues + list(error.issues)


def _unusable(issue: Issue, where: str) -> Issue:
    code = "T043" if issue.code == "P021" else "T042"
    place = f" ({issue.where})" if issue.where else ""
    return Issue(code, f"{issue.message}{place}", where, issue.hint)


def _component(issue: Issue, targets: Targets) -> Issue:
    """What hinders lowering; a cell that was not found, or not chosen, is a fault of the targets file."""
    if issue.code == "I003":
        return Issue("T040", issue.message, "$.component", issue.hint)
    if issue.code == "I002" and targets.component is None:
        return Issue("T040", issue.message, "$", 'choose one with "component": "<id>"')
    if issue.code == "I070":
        place = input_place(targets, issue.message)
        return Issue("T057", issue.message, place, issue.hint)
    return issue


def _dimensions(item: _Located, table: UnitTable) -> Iterator[Issue]:
    """Bounds and results whose dimension is not that of every number they set."""
    parameter = item.parameter
    texts = {"lower": parameter.lower, "upper": parameter.upper}
    stated = {key: Quantity.parse(text).unit for key, text in texts.items() if text is not None}
    if parameter.expression is not None:
        stated = {"unit": parameter.unit or ""}
    for key, symbol in stated.items():
        try:
            exponents = table.unit(symbol).exponents
        except UnitsError as error:
            yield from (Issue("T022", i.message, f"{item.where}.{key}", i.hint) for i in error.issues)
            continue
        wrong = next((a for a in item.group if a.quantity.exponents(table) != exponents), None)
        if wrong is not None:
            yield _misfit(symbol, exponents, wrong, table, f"{item.where}.{key}")


def _misfit(symbol: str, exponents: Exponents, address: Address, table: UnitTable, where: str) -> Issue:
    is_what, wanted = table.dimension_name(exponents), table.dimension_name(address.quantity.exponents(table))
    message = (
        f"'{symbol or 'no unit'}' is of dimension '{is_what}', but '{address.path}' is '{address.quantity}' "
        f"({address.where}), of dimension '{wanted}'"
    )
    hint = f"give it in {address.quantity.unit}" if address.quantity.unit else "give it as a plain number"
    return Issue("T044", message, where, hint)


def _bounds(item: _Located, table: UnitTable) -> Iterator[Issue]:
    parameter = item.parameter
    if parameter.lower is None or parameter.upper is None:
        return
    lower = Quantity.parse(parameter.lower)
    try:
        low, high = lower.value, Quantity.parse(parameter.upper).to(lower.unit, table).value
    except UnitsError as error:
        if not item.group:  # else T044 says so
            yield Issue("T044", f"upper: {error.issues[0].message}", f"{item.where}.upper", "give both in one unit")
        return
    if low >= high:
        message = f"the lower bound {parameter.lower} is not below the upper bound {parameter.upper}"
        hint = "swap them" if low > high else "a value that may not change is no parameter"
        yield Issue("T045", message, f"{item.where}.lower", hint)
    elif parameter.scale == "log10" and low <= 0:
        message = f"a logarithmic scale cannot begin at {parameter.lower}"
        yield Issue("T046", message, f"{item.where}.lower", 'raise it above 0, or use "scale": "linear"')


def _outside(item: _Located, table: UnitTable) -> Iterator[Issue]:
    parameter = item.parameter
    if parameter.lower is None or parameter.upper is None or not item.group:
        return
    present = item.group[0].quantity
    low = Quantity.parse(parameter.lower).to(present.unit, table).value
    high = Quantity.parse(parameter.upper).to(present.unit, table).value
    if low < high and not low <= present.value <= high:
        message = (
            f"the document's value {present} of '{parameter.id}' lies outside {parameter.lower} to {parameter.upper}"
        )
        hint = "the published cell itself cannot be found by this fit"
        yield Issue("T047", message, item.where, hint, Severity.WARNING)


def _differing(item: _Located, table: UnitTable) -> Iterator[Issue]:
    """Numbers of one free parameter that are not equal in the document."""
    if item.parameter.expression is not None or not item.group:
        return
    first = item.group[0]
    for address in item.group[1:]:
        try:
            value = first.quantity.to(address.quantity.unit, table).value
        except UnitsError:
            continue  # of another dimension: T044 says so
        if not math.isclose(value, address.quantity.value, rel_tol=RELATIVE_TOLERANCE):
            message = f"'{address.path}' is {address.quantity} now, but {first.quantity} at '{first.path}'"
            hint = f"'{item.parameter.id}' gives both one value; the first counts as the present one"
            yield Issue("T049", message, f"{item.where}.paths", hint, Severity.WARNING)


def _dependent(targets: Targets, fitting: Sequence[_Located], table: UnitTable) -> Iterator[Issue]:
    """Expressions that have no value, or another than the document's, where the free parameters are as they are."""
    groups = {item.parameter.id: item.group for item in fitting}
    whole = [groups.get(parameter.id, ()) for parameter in targets.parameters]
    try:
        free = free_parameters(targets, whole, table)
        formulas = dependent_formulas(targets, free, table)
    except TargetsError as error:
        # a free parameter that is faulty itself is missing here: only what is wrong with the expressions counts
        yield from (issue for issue in error.issues if issue.code == "T034")
        return
    for item in fitting:
        formula = formulas.get(item.parameter.id)
        if formula is not None:
            value = float(evaluate(formula, _present(free)))
            yield from _dependent_value(item, value, table)


def _present(free: Sequence[FreeParameter]) -> dict[str, float]:
    return {axis.id: axis.present for axis in free}


def _dependent_value(item: _Located, value: float, table: UnitTable) -> Iterator[Issue]:
    where, unit = f"{item.where}.expression", table.unit(item.parameter.unit or "")
    if not math.isfinite(value):
        message = f"the expression of '{item.parameter.id}' is {value} at the document's own values"
        yield Issue("T050", message, where, "mind divisions by zero, roots and logarithms of negative numbers")
        return
    for address in item.group:
        given = convert(value, unit, table.unit(address.quantity.unit))
        if not math.isclose(given, address.quantity.value, rel_tol=RELATIVE_TOLERANCE):
            shown = Quantity(given, address.quantity.unit)
            message = f"the expression of '{item.parameter.id}' gives {shown}, the document has {address.quantity}"
            hint = "the published cell itself cannot be found by this fit"
            yield Issue("T050", message, where, hint, Severity.WARNING)
