"""A targets.json to begin with: valid for the document at hand, its wanted values to be filled in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from nmlopt.document.grammar import quoted
from nmlopt.document.model import Document
from nmlopt.document.paths import Address
from nmlopt.document.paths import resolve as resolve_path
from nmlopt.errors import Issue, PathError, TargetsError
from nmlopt.experiment.sites import VOLTAGE, has_voltage, input_dimension
from nmlopt.ir.model import Cell
from nmlopt.spec.schema import SCHEMA_ID
from nmlopt.spec.text import COMMENT, Json
from nmlopt.units import Quantity, core_units

MOST_PARAMETERS: Final = 40
_TYPICAL: Final = frozenset({"condDensity", "permeability", "number"})
_TYPICAL_VALUES: Final = frozenset({"specificCapacitance", "resistivity"})
_VOLTAGE_SPAN: Final = "10 mV"
"""Reversal potentials and thresholds are searched this far to both sides: half to double makes no sense for them."""

_DENSITY_nA_PER_UM2: Final = 1e-4
"""10 µA/cm², which makes the squid axon of Hodgkin and Huxley fire."""

_DELAY_MS, _DURATION_MS, _END_MS = 100, 500, 700


def skeleton(document: Document, cell: Cell, addresses: Sequence[Address]) -> dict[str, Json]:
    """Plain data of a targets file for a cell, of which `addresses` are the bindable numbers.

    Densities, capacitance and resistivity, or all constants of a point cell, become free parameters with bounds around
    their present values. Passes `load` and `check`. Raises TargetsError T037 where no number can be fitted.
    """
    parameters = _parameters(document, cell, addresses)
    if not parameters:
        raise TargetsError(
            Issue("T037", f"'{cell.id}' holds no number other than 0 that could be fitted", document.main)
        )
    made: dict[str, Json] = {
        "$schema": SCHEMA_ID,
        COMMENT: f"Made for {document.main}: choose parameters and bounds, stimuli, and fill in means and sds from "
        f"data. A '{COMMENT}' may stand in every object.",
        "format": "nmlopt-targets",
        "format_version": "1.0",
        "id": f"fit_{_name(cell.id)}",
        "component": cell.id,
    }
    if cell.geometry is not None and cell.temperature_K is None:
        made["temperature"] = "6.3 degC"
    made |= {"parameters": parameters, "protocols": [_protocol(cell)], "targets": _targets(cell)}
    return made


def _parameters(document: Document, cell: Cell, addresses: Sequence[Address]) -> list[Json]:
    movable = [a for a in addresses if a.quantity.value != 0.0]
    chosen = [a for a in movable if _is_typical(a, cell)] or movable
    taken: set[str] = set()
    return [_parameter(document, address, taken) for address in chosen[:MOST_PARAMETERS]]


def _is_typical(address: Address, cell: Cell) -> bool:
    """Whether people fit such numbers: densities, capacitance, resistivity, leak reversal; all of a point cell."""
    element, attribute = address.element, address.attribute
    if cell.geometry is None:
        return element.attributes.get("id") == cell.id and element.parent is not None and element.parent.parent is None
    is_leak = element.attributes.get("ion") == "non_specific" and attribute == "erev"
    return attribute in _TYPICAL or is_leak or (element.tag in _TYPICAL_VALUES and attribute == "value")


def _parameter(document: Document, address: Address, taken: set[str]) -> dict[str, Json]:
    low, high = _bounds(address.quantity)
    made: dict[str, Json] = {
        "id": _unique(_name(f"{address.element.attributes.get('id', address.element.tag)}_{address.attribute}"), taken),
        "paths": [_short_path(document, address)],
        "lower": str(low),
        "upper": str(high),
    }
    if address.attribute in _TYPICAL and low.value > 0:
        made["scale"] = "log10"
    return made | {"description": f"{address.quantity} in the document"}


def _bounds(present: Quantity) -> tuple[Quantity, Quantity]:
    """Half to double; for a negative number the other way round; a voltage goes up and down by a fixed span."""
    if core_units().units.get(present.unit) and present.exponents() == core_units().dimensions["voltage"]:
        span = Quantity.parse(_VOLTAGE_SPAN).to(present.unit).value
        low, high = present.value - span, present.value + span
    else:
        low, high = sorted((present.value / 2.0, present.value * 2.0))
    return Quantity(float(f"{low:.9g}"), present.unit), Quantity(float(f"{high:.9g}"), present.unit)


def _short_path(document: Document, address: Address) -> str:
    """The path without its middle steps, if that still means the same number."""
    steps = address.path.split("/")
    if quoted(address.element.tag) in steps[-2] and len(steps) > 3:
        short = "/".join((steps[0], *steps[-2:]))
        try:
            found = resolve_path(document, short)
        except PathError:
            return address.path
        if [a.path for a in found] == [address.path]:
            return short
    return address.path


def _protocol(cell: Cell) -> dict[str, Json]:
    at: dict[str, Json] = {} if cell.geometry is None else {"at": {"segment": cell.geometry.sections[0].segments[0]}}
    made: dict[str, Json] = {"id": "step", "duration": f"{_END_MS} ms"}
    kind = input_dimension(cell)
    if kind is not None:
        pulse: dict[str, Json] = {
            COMMENT: "choose the amplitude of your recordings",
            "type": "pulse",
            "delay": f"{_DELAY_MS} ms",
            "duration": f"{_DURATION_MS} ms",
            "amplitude": _amplitude(cell) if kind == "current" else "10",
        }
        made["stimuli"] = [pulse | at]
    recording: dict[str, Json] = {"id": "soma", "quantity": _variable(cell)}
    made["recordings"] = [recording | at]
    return made


def _amplitude(cell: Cell) -> str:
    if cell.geometry is None:
        return "0.1 nA"
    area_um2 = sum(compartment.area_m2 for compartment in cell.geometry.compartments) * 1e12
    return f"{float(f'{area_um2 * _DENSITY_nA_PER_UM2:.2g}'):g} nA"


def _variable(cell: Cell) -> str:
    """The voltage, or the first variable of a cell without one."""
    if has_voltage(cell):
        return VOLTAGE
    placement = cell.placements[0]
    return f"{placement.id}/{cell.mechanism(placement.mechanism).dynamics.exposures[0][0]}"


def _targets(cell: Cell) -> list[Json]:
    """Two features with values that somebody has to replace."""
    wanted: tuple[tuple[str, float, float, str], ...] = (
        ("Spikecount", 10.0, 1.0, ""),
        ("voltage_base", -65.0, 2.0, "mV"),
    )
    if not has_voltage(cell):
        wanted = (("maximum_voltage", 1.0, 0.1, ""), ("minimum_voltage", -1.0, 0.1, ""))
    window: Json = {"start": f"{_DELAY_MS} ms", "end": f"{_DELAY_MS + _DURATION_MS} ms"}
    return [
        {
            COMMENT: "put your mean and sd here",
            "type": "feature",
            "id": feature.lower(),
            "protocol": "step",
            "recording": "soma",
            "feature": feature,
            "mean": mean,
            "sd": sd,
            "unit": unit,
            "window": window,
        }
        for feature, mean, sd, unit in wanted
    ]


def _name(text: str) -> str:
    """An id that expressions can use."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return name if name and not name[0].isdigit() else f"p_{name}"


def _unique(name: str, taken: set[str]) -> str:
    found = next(n for n in (name, *(f"{name}_{k}" for k in range(2, len(taken) + 3))) if n not in taken)
    taken.add(found)
    return found
