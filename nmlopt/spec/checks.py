"""What can be wrong inside targets.json alone: one function per group of rules, all findings at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from nmlopt.errors import Issue, LemsError, Severity, UnitsError
from nmlopt.lems.parse import parse
from nmlopt.lems.trees import names
from nmlopt.spec.experiments import protocols
from nmlopt.spec.models import FeatureTarget, SpikeTimesTarget, Target, Targets, TraceTarget
from nmlopt.spec.quantities import CODE_OF, number
from nmlopt.spec.references import references, unknown
from nmlopt.spec.windows import windows
from nmlopt.units import core_units

Rule: TypeAlias = Callable[[Targets], Iterator[Issue]]

FEW: Final = 3
SMALL_SD: Final = 1e-3
"""An sd below this part of the mean is rarely meant: it lets one target rule the fit."""


def check(targets: Targets) -> tuple[Issue, ...]:
    """All findings about the file itself, errors and warnings, rule by rule."""
    return tuple(issue for rule in RULES for issue in rule(targets))


def _references(targets: Targets) -> Iterator[Issue]:
    yield from references(targets.model_dump(mode="json"))


def _parameters(targets: Targets) -> Iterator[Issue]:
    for i, parameter in enumerate(targets.parameters):
        where = f"$.parameters[{i}]"
        has_bounds = parameter.lower is not None or parameter.upper is not None
        if parameter.expression is None and (parameter.lower is None or parameter.upper is None):
            yield Issue(
                "T020", f"parameter '{parameter.id}' needs 'lower' and 'upper', or 'expression'", where, "add them"
            )
        if parameter.expression is not None and has_bounds:
            hint = "remove the bounds, or the expression"
            yield Issue("T020", f"parameter '{parameter.id}' has both bounds and an expression", where, hint)
        unused = "unit" if parameter.expression is None else "scale"
        if unused in parameter.model_fields_set:
            reason = "bounds carry their own unit" if unused == "unit" else "an expression is not searched"
            yield Issue("T036", f"'{unused}' has no effect here: {reason}", f"{where}.{unused}", "remove it")


def _expressions(targets: Targets) -> Iterator[Issue]:
    ids = {parameter.id for parameter in targets.parameters}
    reads: dict[str, frozenset[str]] = {}
    for i, parameter in enumerate(targets.parameters):
        where = f"$.parameters[{i}].expression"
        try:
            reads[parameter.id] = names(parse(parameter.expression)) if parameter.expression else frozenset()
        except LemsError as error:
            yield from (Issue("T034", issue.message, where, issue.hint) for issue in error.issues)
            continue
        for name in sorted(reads[parameter.id] - ids):
            yield unknown("T035", "parameter", name, ids, where)
    for i, parameter in enumerate(targets.parameters):
        if parameter.id in _reached(parameter.id, reads):
            where = f"$.parameters[{i}].expression"
            yield Issue("T035", f"the expression of '{parameter.id}' depends on itself", where, "break the circle")


def _reached(start: str, reads: dict[str, frozenset[str]]) -> set[str]:
    """All names that the expression of `start` depends on, also through others."""
    found: set[str] = set()
    waiting = [*reads.get(start, ())]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += reads.get(name, ())
    return found


def _something_to_fit(targets: Targets) -> Iterator[Issue]:
    if not any(parameter.expression is None for parameter in targets.parameters):
        yield Issue("T037", "no parameter is free", "$.parameters", "give one of them 'lower' and 'upper'")
    fitted = {protocol.id for protocol in targets.protocols if protocol.role == "fit"}
    if not any(target.protocol in fitted for target in targets.targets):
        yield Issue("T037", "no target belongs to a protocol of role 'fit'", "$.targets", "add one")


def _statistics(targets: Targets) -> Iterator[Issue]:
    for i, target in enumerate(targets.targets):
        if not isinstance(target, FeatureTarget):
            continue
        if target.n is not None and target.n < FEW:
            message = f"mean and sd of '{target.id}' rest on {target.n} observation{'s' * (target.n > 1)}"
            hint = "an sd of so few says little; consider a wider one"
            yield Issue("T031", message, f"$.targets[{i}].n", hint, Severity.WARNING)
        if target.sd < SMALL_SD * abs(target.mean):
            message = f"the sd of '{target.id}' is below {SMALL_SD:g} of its mean; it will rule the fit"
            hint = "state the biological or measurement sd"
            yield Issue("T032", message, f"$.targets[{i}].sd", hint, Severity.WARNING)


def _targets(targets: Targets) -> Iterator[Issue]:
    for i, target in enumerate(targets.targets):
        where = f"$.targets[{i}]"
        if isinstance(target, SpikeTimesTarget):
            if number(target.sd, "ms") <= 0:
                yield Issue("T030", "sd must be positive", f"{where}.sd")
            if _quantity(target, targets) not in ("v", None):
                yield Issue("T023", "spike times need a recording of 'v'", f"{where}.recording", "record 'v'")
            times = [number(time, "ms") for time in target.times]
            for k in range(1, len(times)):
                if times[k] <= times[k - 1]:
                    yield Issue("T038", "spike times must ascend", f"{where}.times[{k}]", "sort them")
        elif isinstance(target, TraceTarget):
            yield from _units(target.time_unit, target.unit, where)
            yield from _recorded_dimension(target, targets, where)
            try:
                if number(target.sd, target.unit) <= 0:
                    yield Issue("T030", "sd must be positive", f"{where}.sd")
            except UnitsError as error:
                yield _unit_issue(error, f"{where}.sd")


def _recorded_dimension(target: TraceTarget, targets: Targets, where: str) -> Iterator[Issue]:
    """A trace of voltage or clamp current in a unit of something else; exposures are in SI, whatever they are."""
    wanted = {"v": "voltage", "i_clamp": "current"}.get(_quantity(target, targets) or "")
    unit = core_units().units.get(target.unit)
    if wanted is not None and unit is not None and unit.exponents != core_units().dimensions[wanted]:
        message = f"the recording is a {wanted}, but '{target.unit}' is not a unit of {wanted}"
        yield Issue("T023", message, f"{where}.unit", "give the unit of the second column")


def _quantity(target: Target, targets: Targets) -> str | None:
    """What the recording of a target records, None if there is no such recording."""
    recordings = [r for p in targets.protocols if p.id == target.protocol for r in p.recordings]
    return next((r.quantity for r in recordings if r.id == target.recording), None)


def _files(targets: Targets) -> Iterator[Issue]:
    for i, protocol in enumerate(targets.protocols):
        for j, stimulus in enumerate(protocol.stimuli):
            if stimulus.type == "played":
                yield from _units(stimulus.time_unit, stimulus.unit, f"$.protocols[{i}].stimuli[{j}]")


def _units(time_unit: str, unit: str, where: str) -> Iterator[Issue]:
    for key, symbol in (("time_unit", time_unit), ("unit", unit)):
        try:
            found = core_units().unit(symbol)
        except UnitsError as error:
            yield _unit_issue(error, f"{where}.{key}")
            continue
        if key == "time_unit" and found.exponents != core_units().dimensions["time"]:
            yield Issue("T023", f"'{symbol}' is not a unit of time", f"{where}.{key}", "ms or s")


def _unit_issue(error: UnitsError, where: str) -> Issue:
    issue = error.issues[0]
    return Issue(CODE_OF.get(issue.code, "T021"), issue.message, where, issue.hint)


def _objectives(targets: Targets) -> Iterator[Issue]:
    validated = {p.id for p in targets.protocols if p.role == "validate"}
    by_id = {target.id: target for target in targets.targets}
    holder: dict[str, str] = {}
    for i, objective in enumerate(targets.objectives):
        for j, name in enumerate(objective.targets):
            where = f"$.objectives[{i}].targets[{j}]"
            if name in holder:
                yield Issue("T018", f"target '{name}' is already in objective '{holder[name]}'", where, "keep one")
            holder.setdefault(name, objective.id)
            target = by_id.get(name)
            if target is not None and target.protocol in validated:
                hint = "remove it, or give its protocol the role 'fit'"
                yield Issue("T019", f"target '{name}' belongs to a protocol of role 'validate'", where, hint)
            if target is not None and "weight" in target.model_fields_set and objective.combine != "weighted_sum":
                message = f"the weight of '{name}' has no effect in an objective that combines by '{objective.combine}'"
                yield Issue("T033", message, where, "combine by 'weighted_sum'", Severity.WARNING)
    taken = {target.id for target in targets.targets if target.id not in holder}
    for i, objective in enumerate(targets.objectives):
        if objective.id in taken:
            message = f"'{objective.id}' is also the id of a target that is an objective of its own"
            yield Issue("T014", message, f"$.objectives[{i}].id", "choose another")


def _extensions(targets: Targets) -> Iterator[Issue]:
    for name, extension in targets.extensions.items():
        if extension.required:
            message = f"the file requires the extension '{name}' {extension.version}, which nmlopt does not know"
            yield Issue("T013", message, f"$.extensions.{name}", "a newer nmlopt may know it")


RULES: Final[tuple[Rule, ...]] = (
    _references,
    _parameters,
    _expressions,
    _something_to_fit,
    protocols,
    windows,
    _files,
    _targets,
    _statistics,
    _objectives,
    _extensions,
)
