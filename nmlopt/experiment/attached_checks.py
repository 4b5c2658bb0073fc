"""Whether the inputs that an experiment attaches fit its cell."""

from __future__ import annotations

from collections.abc import Iterator

from nmlopt.errors import Issue
from nmlopt.experiment.model import Attached, Experiment
from nmlopt.ir.model import Cell, Mechanism, MechanismKind


def is_dimensionless(mechanism: Mechanism) -> bool:
    """Whether the current of an input is its exposure `I`, a plain number."""
    return dict(mechanism.dynamics.exposures).get("i") != mechanism.current


def attached_exposures(cell: Cell, experiment: Experiment) -> frozenset[str]:
    """The variables of attached inputs that an output may name."""
    inputs = {m.component: m for m in cell.mechanisms if m.kind is MechanismKind.INPUT}
    return frozenset(
        f"{attached.id}/{name}"
        for attached in _attached(experiment)
        if attached.component in inputs
        for name, _ in inputs[attached.component].dynamics.exposures
    )


def unsupported_inputs(cell: Cell, experiment: Experiment) -> Iterator[Issue]:
    """Obstacles in the inputs of one experiment (codes B037, B039, B053, B054)."""
    inputs = {m.component: m for m in cell.mechanisms if m.kind is MechanismKind.INPUT}
    start = f"experiment '{experiment.id}'"
    seen: set[str] = set()
    for attached in _attached(experiment):
        if attached.id in seen:
            yield Issue("B053", f"{start}: two inputs are called '{attached.id}'")
        seen.add(attached.id)
        mechanism = inputs.get(attached.component)
        if mechanism is None:
            message = f"{start}: the input '{attached.component}' was not compiled with '{cell.id}'"
            yield Issue("B037", message, hint="name it in lower(..., inputs=...)")
            continue
        if attached.events_ms and not mechanism.dynamics.events:
            yield Issue("B039", f"{start}: '{attached.component}' takes no events", mechanism.where)
        yield from _misfits(cell, start, attached)


def _misfits(cell: Cell, start: str, attached: Attached) -> Iterator[Issue]:
    """A dimensionless input belongs on a dimensionless cell, a current on any other."""
    mechanism = cell.input_mechanism(attached.component)
    is_plain = is_dimensionless(mechanism)
    states = {s.name for m in cell.mechanisms if m.kind is MechanismKind.POINT_CELL for s in m.dynamics.states}
    takes = {name for m in cell.mechanisms for name in m.dynamics.inputs}
    if is_plain != (cell.geometry is None and "ISyn" in takes):
        kind = "dimensionless" if is_plain else "in ampere"
        yield Issue(
            "B054", f"{start}: '{attached.component}' is {kind}, which '{cell.id}' does not take", mechanism.where
        )
    for name in ("v", "V"):
        if name in mechanism.dynamics.inputs and not (name in states or (name == "v" and cell.geometry is not None)):
            yield Issue(
                "B054", f"{start}: '{attached.component}' needs {name}, which '{cell.id}' has not", mechanism.where
            )


def _attached(experiment: Experiment) -> Iterator[Attached]:
    return (s for s in experiment.stimuli if isinstance(s, Attached))
