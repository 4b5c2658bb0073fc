"""From the protocols of targets.json and a cell to experiments: sites, times, amplitudes as plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from nmlopt.document.index import unit_table
from nmlopt.document.model import Document
from nmlopt.errors import Issue, NmloptError, TargetsError, UnitsError
from nmlopt.experiment import model
from nmlopt.experiment.inputs import Arrivals, input_fault
from nmlopt.experiment.samples import read_samples
from nmlopt.experiment.sites import (
    CLAMP_CURRENT,
    find_site,
    has_voltage,
    input_dimension,
    output_units,
    variable_fault,
)
from nmlopt.ir.model import Cell, Site
from nmlopt.spec.models import (
    At,
    Input,
    Played,
    Protocol,
    Pulse,
    Ramp,
    Recording,
    Sine,
    Targets,
    VoltageClamp,
)
from nmlopt.spec.quantities import number
from nmlopt.units import NO_DIMENSION, Quantity, UnitTable

__all__ = ["DEFAULT_TEMPERATURE_K", "output_units", "resolve", "resolve_all"]

DEFAULT_TEMPERATURE_K: Final = 279.45
"""6.3 degC, NEURON's own default: what a published cell without a temperature was run at."""

_T = TypeVar("_T")
PlainStimulus: TypeAlias = Pulse | Ramp | Sine | Played | VoltageClamp


def resolve(targets: Targets, document: Document, cell: Cell, *, folder: Path) -> tuple[model.Experiment, ...]:
    """One experiment per protocol, in file order; files it names are read relative to `folder`.

    Raises TargetsError with every fault (T052 to T056).
    """
    experiments, issues = resolve_all(targets, document, cell, folder=folder)
    if issues:
        raise TargetsError(issues)
    return experiments


def resolve_all(
    targets: Targets, document: Document, cell: Cell, *, folder: Path
) -> tuple[tuple[model.Experiment, ...], list[Issue]]:
    """As `resolve`, but what cannot be resolved is left out and reported."""
    context = _Context(cell, unit_table(document), folder, Arrivals(document))
    experiments = tuple(_experiment(targets, p, context, f"$.protocols[{i}]") for i, p in enumerate(targets.protocols))
    return experiments, context.issues


@dataclass(frozen=True, slots=True)
class _Context:
    """What every part of a protocol is resolved against, and what was found wrong on the way."""

    cell: Cell
    units: UnitTable
    folder: Path
    arrivals: Arrivals
    issues: list[Issue] = field(default_factory=list)

    def found(self, find: Callable[[], _T]) -> _T | None:
        """The result of `find`, or None and its issues collected."""
        try:
            return find()
        except NmloptError as error:
            self.issues.extend(error.issues)
            return None

    def site(self, at: At, where: str) -> Site | None:
        """The site, None where there is none."""
        return self.found(lambda: find_site(self.cell, at, f"{where}.at"))


def _experiment(targets: Targets, protocol: Protocol, context: _Context, where: str) -> model.Experiment:
    duration_ms = number(protocol.duration, "ms")
    stimuli = [
        _input(s, duration_ms, context, f"{where}.stimuli[{j}]")
        if isinstance(s, Input)
        else _stimulus(s, context, f"{where}.stimuli[{j}]")
        for j, s in enumerate(protocol.stimuli)
    ]
    outputs = [_output(r, protocol, context, f"{where}.recordings[{j}]") for j, r in enumerate(protocol.recordings)]
    v_init = targets.v_init if protocol.v_init is None else protocol.v_init
    if v_init is not None and not has_voltage(context.cell):
        place = "$.v_init" if protocol.v_init is None else f"{where}.v_init"
        issue = Issue("T056", f"the state of '{context.cell.id}' is not a voltage", place, "remove v_init")
        if issue not in context.issues:
            context.issues.append(issue)
    return model.Experiment(
        id=protocol.id,
        duration_ms=duration_ms,
        temperature_K=_temperature_k(targets, protocol, context.cell),
        stimuli=tuple(s for s in stimuli if s is not None),
        outputs=tuple(o for o in outputs if o is not None),
        v_init_mV=None if v_init is None else number(v_init, "mV"),
    )


def _temperature_k(targets: Targets, protocol: Protocol, cell: Cell) -> float:
    """The first that is stated: protocol, targets file, document; else the default."""
    stated = targets.temperature if protocol.temperature is None else protocol.temperature
    if stated is not None:
        return Quantity.parse(stated).si()
    return DEFAULT_TEMPERATURE_K if cell.temperature_K is None else cell.temperature_K


def _output(recording: Recording, protocol: Protocol, context: _Context, where: str) -> model.Output | None:
    at = recording.at
    if recording.quantity == CLAMP_CURRENT:
        at = next((s.at for s in protocol.stimuli if isinstance(s, VoltageClamp)), at)
    owner = next((s for s in protocol.stimuli if isinstance(s, Input) and _is_of(s, recording.quantity)), None)
    if owner is not None:
        at = owner.at
    site = context.site(at, where)
    if site is None:
        return None
    fault = None if owner is None else input_fault(context.cell, owner, recording.quantity, f"{where}.quantity")
    if owner is None:
        fault = variable_fault(context.cell, recording.quantity, site, f"{where}.quantity")
    if fault is not None:
        context.issues.append(fault)
        return None
    return model.Output(recording.id, site, recording.quantity)


def _is_of(stimulus: Input, quantity: str) -> bool:
    """Whether a recorded quantity is of this input of the document."""
    return quantity.startswith(f"{stimulus.id or stimulus.component}/")


def _input(stimulus: Input, duration_ms: float, context: _Context, where: str) -> model.Attached | None:
    """An input of the document; one that was not compiled in has been reported with the component."""
    site = context.site(stimulus.at, where)
    events = context.found(lambda: context.arrivals.of(stimulus, context.cell, duration_ms, where))
    if site is None or events is None:
        return None
    return model.Attached(site, stimulus.id or stimulus.component, stimulus.component, stimulus.weight, events)


def _stimulus(stimulus: PlainStimulus, context: _Context, where: str) -> model.Stimulus | None:
    site = context.site(stimulus.at, where)
    match stimulus:
        case VoltageClamp():
            return _clamp(stimulus, site, context, where)
        case Played():
            return _played(stimulus, site, context, where)
        case Pulse():
            first = second = _amplitude(stimulus.amplitude, context, f"{where}.amplitude")
        case Ramp():
            first = _amplitude(stimulus.start, context, f"{where}.start")
            second = _amplitude(stimulus.finish, context, f"{where}.finish")
        case Sine():
            first = second = _amplitude(stimulus.amplitude, context, f"{where}.amplitude")
    if site is None or first is None or second is None:
        return None
    delay_ms, duration_ms = number(stimulus.delay, "ms"), number(stimulus.duration, "ms")
    match stimulus:
        case Pulse():
            return model.Pulse(site, delay_ms, duration_ms, first)
        case Ramp():
            return model.Ramp(site, delay_ms, duration_ms, first, second)
        case Sine():
            return model.Sine(site, delay_ms, duration_ms, first, number(stimulus.period, "ms"), stimulus.phase)


def _clamp(clamp: VoltageClamp, site: Site | None, context: _Context, where: str) -> model.VoltageClamp | None:
    if not has_voltage(context.cell):
        message = f"'{context.cell.id}' has no voltage that could be clamped"
        context.issues.append(Issue("T056", message, where, "stimulate it with a pulse"))
        return None
    if site is None:
        return None
    levels = tuple((number(level.duration, "ms"), number(level.target, "mV")) for level in clamp.levels)
    return model.VoltageClamp(site, number(clamp.series_resistance, "Mohm"), levels)


def _played(stimulus: Played, site: Site | None, context: _Context, where: str) -> model.Played | None:
    samples = context.found(lambda: read_samples(context.folder, stimulus.file, f"{where}.file"))
    unit = _input_unit(stimulus.unit, context, f"{where}.unit")
    if samples is None or unit is None or site is None:
        return None
    times = tuple(Quantity(t, stimulus.time_unit).to("ms").value for t in samples[0])
    amplitudes = tuple(Quantity(a, stimulus.unit).to(unit, context.units).value for a in samples[1])
    return model.Played(site, times, amplitudes)


def _amplitude(text: str, context: _Context, where: str) -> float | None:
    """An amplitude in nA, or as a plain number where the cell takes one."""
    quantity = Quantity.parse(text)
    unit = _input_unit(quantity.unit, context, where)
    return None if unit is None else quantity.to(unit, context.units).value


def _input_unit(symbol: str, context: _Context, where: str) -> str | None:
    """The unit into which inputs are converted, None (and an issue) if `symbol` does not fit the cell."""
    wanted = input_dimension(context.cell)
    if wanted is None:
        message = f"'{context.cell.type}' takes no input current"
        context.issues.append(Issue("T056", message, where, "remove the stimulus"))
        return None
    try:
        found = context.units.unit(symbol).exponents
    except UnitsError as error:
        context.issues.extend(Issue("T022", i.message, where, i.hint) for i in error.issues)
        return None
    expected = NO_DIMENSION if wanted == "none" else context.units.dimensions[wanted]
    if found == expected:
        return "" if wanted == "none" else "nA"
    what = "plain numbers" if wanted == "none" else "a current, such as '0.1 nA'"
    is_what = context.units.dimension_name(found)
    message = f"'{context.cell.type}' takes {what} as input, but '{symbol or 'no unit'}' is of dimension '{is_what}'"
    context.issues.append(
        Issue("T054", message, where, "remove the unit" if wanted == "none" else "give it in nA or pA")
    )
    return None
