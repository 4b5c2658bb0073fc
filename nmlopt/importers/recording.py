"""What a Simulation writes and draws: output files, event files and displays, each quantity looked up."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from nmlopt.document.model import Element
from nmlopt.errors import Severity, UnitsError
from nmlopt.importers.scope import Scope
from nmlopt.importers.simulation_elements import Written, children, file_name
from nmlopt.importers.simulation_model import (
    Above,
    Column,
    Constant,
    Display,
    EventFile,
    Line,
    OutputFile,
    Selection,
    Signal,
)
from nmlopt.importers.spiking import FORMATS
from nmlopt.lems.types import ComponentType
from nmlopt.units import Quantity


class Lookup(Protocol):
    """Finds signals; notes itself why a cell cannot be had."""

    def signal(self, quantity: str) -> tuple[Signal | None, str]:
        """What a quantity path means, or None and why nothing ('' if that was noted already)."""

    def spikes(self, path: str) -> tuple[Above | tuple[float, ...] | None, str]:
        """The events that a path selects, or None and why there are none."""


@dataclass(frozen=True, slots=True)
class RecordedParts:
    """All that a simulation records."""

    files: tuple[OutputFile, ...]
    events: tuple[EventFile, ...]
    displays: tuple[Display, ...]


def read_recorded(
    scope: Scope, written: Written, lookup: Lookup, *, unrecordable: Severity = Severity.ERROR
) -> RecordedParts:
    """Output files, event files and displays; faults S020 and S022 and warnings S021 go to `scope`.

    `unrecordable`: how much a column weighs that cannot be had; where it is no error, the column holds nan.
    """
    element, type_ = written.element, written.type
    files = [_file(scope, *found, lookup, unrecordable) for found in children(scope, element, type_, "OutputFile")]
    events = [_events(scope, *found, lookup) for found in children(scope, element, type_, "EventOutputFile")]
    displays = [_display(scope, *found, lookup) for found in children(scope, element, type_, "Display")]
    return RecordedParts(tuple(files), tuple(events), tuple(displays))


def _file(scope: Scope, element: Element, type_: ComponentType, lookup: Lookup, unrecordable: Severity) -> OutputFile:
    columns = []
    for child, _ in children(scope, element, type_, "OutputColumn"):
        quantity = child.attributes.get("quantity", "")
        signal, fault = lookup.signal(quantity)
        if signal is not None:
            columns.append(Column(child.attributes.get("id", ""), quantity, signal))
            continue
        if fault:
            scope.remark("S020", f"'{quantity}' cannot be recorded: {fault}", child, unrecordable)
        columns.append(Column(child.attributes.get("id", ""), quantity, Constant(math.nan)))
    return OutputFile(file_name(element), tuple(columns))


def _events(scope: Scope, element: Element, type_: ComponentType, lookup: Lookup) -> EventFile:
    form = element.attributes.get("format", FORMATS[0])
    if form not in FORMATS:
        scope.fault("S022", f"format='{form}' of <{element.tag}> is not known", element, " or ".join(FORMATS))
    selections = []
    for child, _ in children(scope, element, type_, "EventSelection"):
        path = child.attributes.get("select", "")
        port = child.attributes.get("eventPort", "spike")
        source, fault = lookup.spikes(path)
        if port != "spike":
            scope.fault("S022", f"events of port '{port}' of '{path}' cannot be recorded; those of 'spike' can", child)
        elif source is not None:
            selections.append(Selection(child.attributes.get("id", ""), source))
        elif fault:
            scope.fault("S022", f"the events of '{path}' cannot be recorded: {fault}", child)
    return EventFile(file_name(element), form, tuple(selections))


def _display(scope: Scope, element: Element, type_: ComponentType, lookup: Lookup) -> Display:
    time_scale = scope.number(element, "timeScale", 1.0)
    limits = tuple(scope.number(element, name, 0.0) for name in ("xmin", "xmax", "ymin", "ymax"))
    xmin, xmax, ymin, ymax = limits
    return Display(
        element.attributes.get("id", ""),
        element.attributes.get("title", ""),
        time_scale or 1.0,
        _unit(element, "timeScale") or "s",
        (xmin, xmax, ymin, ymax) if xmin < xmax and ymin < ymax else None,
        tuple(_lines(scope, element, type_, lookup)),
    )


def _lines(scope: Scope, element: Element, type_: ComponentType, lookup: Lookup) -> Iterator[Line]:
    for child, _ in children(scope, element, type_, "Line"):
        quantity = child.attributes.get("quantity", "")
        signal, fault = lookup.signal(quantity)
        if signal is None:
            if fault:
                scope.remark("S021", f"'{quantity}' cannot be drawn: {fault}", child)
            continue
        scale = scope.number(child, "scale", 1.0)
        yield Line(child.attributes.get("id", ""), signal, scale or 1.0, child.attributes.get("color", ""))


def _unit(element: Element, attribute: str) -> str:
    try:
        return Quantity.parse(element.attributes.get(attribute, "1")).unit
    except UnitsError:  # `Scope.number` has said so
        return ""
