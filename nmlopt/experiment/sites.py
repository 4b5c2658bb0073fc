"""Sites and recorded variables of targets.json on a cell: found, or refused with a remedy."""

from __future__ import annotations

from difflib import get_close_matches

from nmlopt.errors import Issue, TargetsError
from nmlopt.experiment.model import Output
from nmlopt.ir.model import Cell, MechanismKind, Site
from nmlopt.ir.sites import locate, locate_distance
from nmlopt.spec.models import At
from nmlopt.spec.quantities import number

VOLTAGE = "v"
CLAMP_CURRENT = "i_clamp"


def find_site(cell: Cell, at: At, where: str) -> Site:
    """The site that `at` means. Raises TargetsError T052 (not on the cell), T029 (not said)."""
    if cell.geometry is None:
        if at.segment != 0 or at.distance is not None:
            message = f"'{cell.id}' is a point cell: it has no segments or distances"
            raise TargetsError(Issue("T052", message, where, 'leave "at" out'))
        return Site(section=0, x=0.5, compartment=0)
    try:
        if at.distance is not None and at.towards is not None:
            return locate_distance(cell.geometry, number(at.distance, "um"), at.towards)
        if at.segment is not None:
            return locate(cell.geometry, at.segment, at.fraction_along)
    except TargetsError as error:
        raise TargetsError([Issue("T052", i.message, where, i.hint) for i in error.issues]) from error
    raise TargetsError(Issue("T029", "the site is not said", where, 'write {"segment": 0}'))


def output_units(cell: Cell, output: Output) -> str:
    """The unit symbol of a recording: 'mV', 'nA', or '' where an exposure is in SI, whatever its dimension."""
    if output.variable == VOLTAGE:
        return "mV" if has_voltage(cell) else ""
    return "nA" if output.variable == CLAMP_CURRENT else ""


def input_dimension(cell: Cell) -> str | None:
    """What a stimulus is to the cell: 'current', 'none' (a plain number), or None where it takes no input."""
    if cell.geometry is not None:
        return "current"
    inputs = {name for mechanism in cell.mechanisms for name in mechanism.dynamics.inputs}
    if "iSyn" in inputs:
        return "current"
    return "none" if "ISyn" in inputs else None


def has_voltage(cell: Cell) -> bool:
    """Whether 'v' can be recorded and clamped: not in a dimensionless point cell."""
    points = [m for m in cell.mechanisms if m.kind is MechanismKind.POINT_CELL]
    return cell.geometry is not None or any(state.name == VOLTAGE for m in points for state in m.dynamics.states)


def variable_fault(cell: Cell, variable: str, site: Site, where: str) -> Issue | None:
    """Why `variable` cannot be recorded at `site`, or None if it can (T053)."""
    if variable == CLAMP_CURRENT or (variable == VOLTAGE and has_voltage(cell)):
        return None
    here = _recordable(cell, site)
    if variable in here:
        return None
    everywhere = {name for p in cell.placements for name in _exposed(cell, p.mechanism, p.id)}
    if variable in everywhere:
        message = f"'{variable}' exists on this cell, but not at this site"
        return Issue("T053", message, where, "choose a site on its segment group")
    near = get_close_matches(variable, sorted(everywhere), n=3, cutoff=0.4)
    listed = ", ".join(here[:8]) + (", ..." if len(here) > 8 else "")
    hint = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else f"here can be recorded: {listed}"
    return Issue("T053", f"there is no variable '{variable}' to record", where, hint)


def _recordable(cell: Cell, site: Site) -> list[str]:
    names = [VOLTAGE] if has_voltage(cell) else []
    for placement in cell.placements:
        if site.compartment in placement.compartments:
            names += _exposed(cell, placement.mechanism, placement.id)
    return list(dict.fromkeys(names))


def _exposed(cell: Cell, mechanism: str, placement: str) -> list[str]:
    return [f"{placement}/{name}" for name, _ in cell.mechanism(mechanism).dynamics.exposures]
