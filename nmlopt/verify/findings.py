"""Findings in words: mechanism, gate, region, time, both numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmlopt.ir.model import Cell, MechanismKind
from nmlopt.verify.balance import SURE, Missing
from nmlopt.verify.equations import Local
from nmlopt.verify.model import Finding, FindingKind, Property
from nmlopt.verify.rates import Frame, Rate, Start


@dataclass(frozen=True)
class Place:
    """Where something was found."""

    backend: str
    protocol: str
    compartment: int
    segment: int | None
    regions: tuple[str, ...]

    def __str__(self) -> str:
        if self.segment is None:
            return ""
        groups = f" ({', '.join(self.regions[:3])})" if self.regions else ""
        return f" at segment {self.segment}{groups}"


def place_of(cell: Cell, backend: str, protocol: str, compartment: int) -> Place:
    """The place of a compartment: its segment and the segment groups that hold it, smallest first."""
    if cell.geometry is None:
        return Place(backend, protocol, compartment, None, ())
    where = cell.geometry.compartments[compartment]
    segment = next(
        (s.segment for s in cell.geometry.spans if s.section == where.section and s.start <= where.x <= s.end), None
    )
    holding = [(len(inside), name) for name, inside in cell.geometry.regions if compartment in inside and name != "all"]
    return Place(backend, protocol, compartment, segment, tuple(name for _, name in sorted(holding)))


def of_start(place: Place, local: Local, start: Start, frame: Frame) -> Finding:
    """A state that starts elsewhere."""
    quantity = local.recorded.get(start.state, start.state)
    factor = start.found / start.expected if start.expected else None
    text = (
        f"{place.backend}: {_owner(local)}: '{quantity}' starts at {start.found:.6g}{place}; by the document's "
        f"equations at {start.expected:.6g}"
    )
    weight = 2.0 + abs(start.found - start.expected) / max(abs(start.expected), 1e-12)
    return _finding(
        "start", place, local, quantity, frame, 0, start.expected, start.found, factor, min(weight, 3.0), text
    )


def of_rate(place: Place, local: Local, rate: Rate, frame: Frame) -> Finding:
    """A state that moves otherwise."""
    quantity = local.recorded.get(rate.state, rate.state)
    how = f"moves {rate.factor:.3g} times as fast as" if rate.factor is not None else "does not move as"
    v = f" and {1e3 * frame.inputs['v'][rate.at]:.4g} mV" if "v" in frame.inputs else ""
    text = (
        f"{place.backend}: {_owner(local)}: '{quantity}' {how} the document's equations say{place}: "
        f"{rate.found:.4g}/s instead of {rate.expected:.4g}/s at {1e3 * frame.t_s[rate.at]:g} ms{v}"
    )
    weight = 1.0 + min(rate.share, 1.0)
    return _finding(
        "rate",
        place,
        local,
        quantity,
        frame,
        rate.at,
        rate.expected,
        rate.found,
        rate.factor,
        weight,
        text,
        share=rate.share,
    )


def of_missing(place: Place, rest: Missing, frame: Frame) -> Finding:
    """Currents that do not add up."""
    owner = _owner(rest.local) if rest.local is not None else "the membrane"
    match rest.kind:
        case "conductance":
            what = f"the current of {owner} is {rest.amount:.4g} times that of the document's equations"
        case "reversal":
            what = f"{owner} has a reversal potential {1e3 * rest.amount:+.3g} mV away from the document's"
        case "form":
            what = f"the current of {owner} does not follow from its states as in the document's equations"
        case "capacitance":
            what = f"the capacitance is {rest.amount:.4g} times the document's"
        case "axial":
            what = f"the current from the neighbours is {rest.amount:.4g} times that of the document's geometry"
        case _:
            what = f"the stimulus is {rest.amount:.4g} times what was asked for"
    sure = (
        "" if rest.explained > SURE else f" (this explains {100 * max(rest.explained, 0.0):.0f} % of what is missing)"
    )
    when = f"at {1e3 * frame.t_s[rest.at]:g} ms"
    text = f"{place.backend}: {what}{place}{sure}; {rest.share:.2g} of all currents there are missing, most {when}"
    local = rest.local
    quantity = "v"
    if local is not None:
        exposed = {variable: name for name, variable in reversed(local.mechanism.dynamics.exposures)}
        quantity = f"{local.placement.id}/{exposed.get(local.mechanism.current, 'i')}"
    factor = rest.amount if rest.kind not in ("reversal", "form") else None
    weight = 1.0 + min(rest.share, 1.0) if rest.explained > SURE else min(rest.share, 1.0)
    return _finding(
        "current",
        place,
        local,
        quantity,
        frame,
        rest.at,
        rest.expected,
        rest.found,
        factor,
        weight,
        text,
        rest.kind,
        rest.share,
    )


def _owner(local: Local) -> str:
    name = local.mechanism.name
    return name if local.placement.id == name else f"{name} (placed as '{local.placement.id}')"


def _finding(
    kind: FindingKind,
    place: Place,
    local: Local | None,
    quantity: str,
    frame: Frame,
    at: int,
    expected: float,
    found: float,
    factor: float | None,
    weight: float,
    text: str,
    property_: Property = "",
    share: float = 0.0,
) -> Finding:
    return Finding(
        kind=kind,
        backend=place.backend,
        mechanism=local.mechanism.name if local is not None else "",
        placement=local.placement.id if local is not None else "",
        quantity=quantity,
        protocol=place.protocol,
        compartment=place.compartment,
        segment=place.segment,
        regions=place.regions,
        at_ms=float(1e3 * frame.t_s[at]),
        v_mV=float(1e3 * frame.inputs["v"][at]) if "v" in frame.inputs else None,
        expected=expected if np.isfinite(expected) else None,
        found={place.backend: found},
        factor=factor,
        weight=weight,
        text=text,
        property=property_,
        ion=local.mechanism.ion if local is not None else "",
        share=share,
        is_pool=local is not None and local.mechanism.kind is MechanismKind.POOL,
    )
